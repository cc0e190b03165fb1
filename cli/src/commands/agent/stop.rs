//! `nkey agent stop`.

use crate::context::Context;
use crate::error::Error;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::net::sockopt::socket_peercred;
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde_json::json;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long the agent may take to finish what it is signing.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether the socket is gone.
const PAUSE: Duration = Duration::from_millis(5);

#[derive(clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Ends the agent and waits until it is gone.
///
/// # Errors
/// Exit 4 if there is no agent; if it does not end.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let client = ctx.agent()?;
    // What does not answer this is another program, which is not ours to end.
    let told = client.status()?.pid;
    let path = client.path().to_owned();
    let pid = socket_peercred(client.stream())
        .map_err(|error| Error::failed(format!("cannot tell which process the agent is: {error}")))?
        .pid;
    // At the near end of a forwarded socket is ssh, or the server's session.
    if u32::try_from(pid.as_raw_nonzero().get()) != Ok(told) {
        return Err(Error::failed(format!(
            "{} is forwarded from another machine or namespace: stop the agent (pid {told}) where it runs",
            path.display()
        )));
    }
    let cannot = |error| Error::failed(format!("cannot end process {pid}: {error}"));
    let process = pidfd_open(pid, PidfdFlags::empty()).map_err(cannot)?;
    pidfd_send_signal(&process, Signal::TERM).map_err(cannot)?;
    let still = || {
        Error::failed(format!(
            "process {pid} has not ended within {} s: it may wait for a device",
            PATIENCE.as_secs()
        ))
    };
    // It answers no more before it has let go of the vault: only its end says that both are free.
    let mut end = [PollFd::new(&process, PollFlags::IN)];
    let patience = Timespec::try_from(PATIENCE).map_err(Error::failed)?;
    if retry_on_intr(|| poll(&mut end, Some(&patience))).map_err(cannot)? == 0 {
        return Err(still());
    }
    wait_for_absence(&path).then_some(()).ok_or_else(still)?;
    if args.json {
        return ctx
            .out
            .json(&json!({ "stopped": pid.as_raw_nonzero().get() }));
    }
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
