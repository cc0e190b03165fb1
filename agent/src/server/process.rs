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
