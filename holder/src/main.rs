//! `nkey-holder`: one process for each device, started by nkey-agent. It alone loads modules:
//! in the agent a module could read every seed, and its crash would be the agent's.

mod card;
mod openpgp;
mod piv;
mod pkcs11;
mod serve;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nkey-holder: {error}");
            ExitCode::from(2)
        }
    }
}

/// A driver's panic in one line; what it held may be a secret.
fn panicked(info: &std::panic::PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string);
    eprintln!("nkey-holder: panic at {}", place.unwrap_or_default());
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    rustix::process::setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    std::panic::set_hook(Box::new(panicked));
    let input: OwnedFd = std::io::stdin().as_fd().try_clone_to_owned()?;
    let stream = UnixStream::from(input);
    if stream.peer_addr().is_err() {
        return Err("nkey-agent starts this program by itself; there is nothing to type".into());
    }
    let watched = stream.try_clone()?;
    // A module that hangs must not outlive the agent.
    std::thread::Builder::new()
        .name("watch".to_owned())
        .spawn(move || {
            let mut ends = [PollFd::new(&watched, PollFlags::empty())];
            while !ends[0].revents().contains(PollFlags::HUP) {
                let _ = poll(&mut ends, None);
            }
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
        })?;
    serve::serve(stream)?;
    Ok(())
}
