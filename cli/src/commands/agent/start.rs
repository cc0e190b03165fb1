//! `nkey agent start`.

use crate::context::Context;
use crate::error::Error;
use crate::key_argument::shell_word;
use crate::output::clean_inline;
use crate::prompt;
use crate::source;
use nkey_agent::client::{AgentStatus, Client};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::{FdFlags, fcntl_setfd};
use serde_json::json;
use std::env;
use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf, absolute};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// The longest passphrase file, in bytes.
const MAX_PASSPHRASE: usize = 64 * 1024;
/// How long the agent may take: unlocking takes seconds, a plugin may wait for a press.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often it is asked whether it answers.
const PAUSE: Duration = Duration::from_millis(5);
/// How much of the agent's own message is shown, in bytes.
const MAX_MESSAGE: u64 = 4096;

#[derive(clap::Args)]
pub struct Args {
    /// The vault's directory [default: $XDG_DATA_HOME/nkey-agent/vault, else ~/.local/share/nkey-agent/vault]
    #[arg(long, value_name = "DIR")]
    pub vault: Option<PathBuf>,
    /// The configuration of key holders [default: $XDG_CONFIG_HOME/nkey-agent/holders.toml, else ~/.config/nkey-agent/holders.toml]
    #[arg(long, value_name = "FILE")]
    pub holders: Option<PathBuf>,
    /// A file with the vault's passphrase (one last newline is no part of it), or - for standard input
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<String>,
    /// Seal a new vault with this age plugin instead of a passphrase
    #[arg(long, value_name = "NAME", conflicts_with = "passphrase_file")]
    pub plugin: Option<String>,
    /// Print JSON instead of lines for the shell
    #[arg(long)]
    pub json: bool,
}

/// Starts an agent in the background and waits until it answers.
///
/// # Errors
/// If one runs already, or with the agent's own reason.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let socket = absolute_path(&ctx.socket()?)?;
    if let Ok(mut running) = Client::connect(&socket) {
        let pid = running.status()?.pid;
        return Err(Error::failed(format!(
            "an agent (pid {pid}) listens at {} already",
            socket.display()
        ))
        .next("nkey agent status"));
    }
    let vault = absolute_path(&vault_dir(args.vault.as_deref())?)?;
    let passphrase = passphrase(args, &vault)?;
    // Its own name, after the socket's: another file with the ending may be somebody's.
    let mut log = socket.clone().into_os_string();
    log.push(".log");
    let log = PathBuf::from(log);
    let mut child = spawn(args, &socket, &vault, &log, passphrase.is_some())?;
    if let (Some(mut pipe), Some(passphrase)) = (child.stdin.take(), passphrase) {
        // An agent that has ended already says why in its log.
        let _ = pipe.write_all(passphrase.as_bytes());
    }
    let status = wait(&mut child, &socket)?;
    if args.json {
        return ctx.out.json(&json!({
            "socket": socket.display().to_string(),
            "pid": status.pid,
            "locked": status.is_locked(),
            "log": log.display().to_string(),
        }));
    }
    ctx.out.line(format!(
        "export NKEY_AUTH_SOCK={};",
        shell_word(&socket.display().to_string())
    ))?;
    ctx.out.line(format!("echo agent pid {};", status.pid))?;
    for warning in &status.warnings {
        ctx.out.note(format!("warning: {warning}"));
    }
    match status.locked_stores()[..] {
        [] => {}
        ["vault"] => ctx.out.note("the vault is locked\ntype: nkey agent unlock"),
        ref stores => ctx.out.note(format!(
            "locked: {}\ntype: nkey agent unlock",
            stores.join(", ")
        )),
    }
    Ok(())
}

fn absolute_path(path: &Path) -> Result<PathBuf, Error> {
    absolute(path).map_err(|error| Error::usage(format!("{}: {error}", path.display())))
}

/// Where the agent keeps the vault when nothing is said: contract of `nkey-agent --vault`.
fn vault_dir(flag: Option<&Path>) -> Result<PathBuf, Error> {
    let set = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    flag.map(Path::to_owned)
        .or_else(|| set("XDG_DATA_HOME").map(|dir| dir.join("nkey-agent/vault")))
        .or_else(|| set("HOME").map(|dir| dir.join(".local/share/nkey-agent/vault")))
        .ok_or_else(|| Error::usage("no place for the vault: set HOME, or name one with --vault"))
}

/// The passphrase to hand over; none starts an existing vault locked.
fn passphrase(args: &Args, vault: &Path) -> Result<Option<Zeroizing<String>>, Error> {
    if let Some(file) = &args.passphrase_file {
        return source::read(file, MAX_PASSPHRASE).map(Some);
    }
    let exists = ["identity.age", "plugin-identity.txt"]
        .iter()
        .any(|file| vault.join(file).exists());
    if exists || args.plugin.is_some() {
        return Ok(None);
    }
    if !io::stderr().is_terminal() {
        return Err(Error::usage(format!(
            "there is no vault at {} and no terminal to ask for a passphrase: give one by --passphrase-file",
            vault.display()
        ))
        .next("nkey agent start --passphrase-file FILE"));
    }
    eprintln!(
        "a new vault is made at {}",
        clean_inline(&vault.display().to_string())
    );
    prompt::new_passphrase("the vault").map(Some)
}

/// The agent next to this program, else the one that PATH finds.
fn program() -> PathBuf {
    let beside = env::current_exe()
        .ok()
        .map(|exe| exe.with_file_name("nkey-agent"));
    beside
        .filter(|path| path.is_file())
        .unwrap_or_else(|| "nkey-agent".into())
}

fn spawn(
    args: &Args,
    socket: &Path,
    vault: &Path,
    log: &Path,
    with_passphrase: bool,
) -> Result<Child, Error> {
    close_at_exec().map_err(|error| {
        Error::failed(format!("cannot keep open files from the agent: {error}"))
    })?;
    let mut command = Command::new(program());
    command
        .arg("--socket")
        .arg(socket)
        .arg("--vault")
        .arg(vault)
        .arg("--log")
        .arg(log);
    if with_passphrase {
        command
            .arg("--passphrase-file")
            .arg("-")
            .stdin(Stdio::piped());
    } else {
        command.stdin(Stdio::null());
    }
    if let Some(holders) = &args.holders {
        // The agent runs in another directory.
        command.arg("--holders").arg(absolute_path(holders)?);
    }
    if let Some(plugin) = &args.plugin {
        command.arg("--plugin").arg(plugin);
    }
    command
        .current_dir("/")
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    // SAFETY: setsid is async-signal-safe and allocates nothing, so it may run between fork and exec.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
    command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::failed(
            "nkey-agent is neither beside nkey nor in PATH: install it in one of these places",
        ),
        _ => Error::failed(format!("cannot start nkey-agent: {error}")),
    })
}

/// Marks what this process inherited as not for the agent, which would keep it open for good:
/// a lock, or the pipe that somebody reads to its end.
fn close_at_exec() -> io::Result<()> {
    for entry in fs::read_dir("/proc/self/fd")? {
        let Some(number) = entry?
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        if number <= 2 {
            continue;
        }
        // SAFETY: borrowed for this one call; a number that is closed by now is answered EBADF.
        let file = unsafe { BorrowedFd::borrow_raw(number) };
        match fcntl_setfd(file, FdFlags::CLOEXEC) {
            Ok(()) | Err(rustix::io::Errno::BADF) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Waits until the child answers at `socket`, or has ended.
fn wait(child: &mut Child, socket: &Path) -> Result<AgentStatus, Error> {
    let started = Instant::now();
    loop {
        if let Ok(status) = Client::connect(socket).and_then(|mut client| client.status())
            && status.pid == child.id()
        {
            return Ok(status);
        }
        let ended = child
            .try_wait()
            .map_err(|error| Error::failed(format!("lost the agent: {error}")))?;
        if let Some(exit) = ended {
            let message = said(child).unwrap_or_else(|| exit.to_string());
            return Err(Error::failed(format!("the agent did not start: {message}")));
        }
        if started.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            let message = said(child).unwrap_or_else(|| "it said nothing".to_owned());
            return Err(Error::failed(format!(
                "the agent did not answer within {} s and was ended: {message}",
                PATIENCE.as_secs()
            )));
        }
        sleep(PAUSE);
    }
}

/// What the agent said before it ended.
fn said(child: &mut Child) -> Option<String> {
    let pipe = child.stderr.take()?;
    // A plugin that outlives the agent may hold the other end.
    fcntl_setfl(&pipe, OFlags::NONBLOCK).ok()?;
    let mut bytes = Vec::new();
    // What was there until nothing was is what it said.
    let _ = pipe.take(MAX_MESSAGE).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.strip_prefix("nkey-agent: ").unwrap_or(line).trim())
        .filter(|line| !line.is_empty())
        .collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}
