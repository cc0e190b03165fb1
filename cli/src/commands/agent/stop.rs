//! `nkey agent stop`.

use crate::context::Context;
use crate::error::Error;
use rustix::net::sockopt::socket_peercred;
use rustix::process::{Signal, kill_process};
use std::io::Read;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long the agent may take to finish what it is signing.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether the socket is gone.
const PAUSE: Duration = Duration::from_millis(5);

#[derive(clap::Args)]
pub struct Args {}

/// Ends the agent and waits until it is gone.
///
/// # Errors
/// Exit 4 if there is no agent; if it does not end.
pub fn run(_args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let client = ctx.agent()?;
    // What does not answer this is another program, which is not ours to end.
    client.status()?;
    let path = client.path().to_owned();
    let pid = socket_peercred(client.stream())
        .map_err(|error| Error::failed(format!("cannot tell which process the agent is: {error}")))?
        .pid;
    kill_process(pid, Signal::TERM)
        .map_err(|error| Error::failed(format!("cannot end process {pid}: {error}")))?;
    let still = || {
        Error::failed(format!(
            "process {pid} has not ended within {} s: it may wait for a device",
            PATIENCE.as_secs()
        ))
    };
    let mut stream = client.stream();
    let _ = stream.set_read_timeout(Some(PATIENCE));
    // The connection closes when the process is gone, and with it its lock on the vault.
    match stream.read(&mut [0; 1]) {
        Ok(0) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        _ => return Err(still()),
    }
    wait_for_absence(&path).then_some(()).ok_or_else(still)?;
    ctx.out.note(format!("the agent (pid {pid}) has ended"));
    Ok(())
}

fn wait_for_absence(path: &Path) -> bool {
    let started = Instant::now();
    while path.symlink_metadata().is_ok() {
        if started.elapsed() > PATIENCE {
            return false;
        }
        sleep(PAUSE);
    }
    true
}
