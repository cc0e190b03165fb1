//! What the process itself must be like before it holds a secret.

use rustix::process::{DumpableBehavior, Resource, Rlimit};
use std::io;

/// No core dumps, no tracing by others, and files closed to others from the start.
///
/// # Errors
/// If the system refuses: then no secret may be loaded.
pub fn harden() -> io::Result<()> {
    rustix::process::setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    Ok(())
}

/// Open files that are left to vault, holders and logs, however many connections there are.
const RESERVE: u64 = 64;

/// How many connections there may be at most, if every one takes a file: `most`, or what the limit
/// of open files leaves.
pub fn connections(most: usize) -> usize {
    let limit = rustix::process::getrlimit(Resource::Nofile).current;
    let left = limit.map_or(most as u64, |files| files.saturating_sub(RESERVE).max(1));
    usize::try_from(left).map_or(most, |left| left.min(most))
}

/// Raises the soft limit of open files to the hard one: each connection takes one.
pub fn raise_file_limit() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    // A lower limit only means fewer connections.
    let _ = rustix::process::setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
}
