//! One `nkey-holder` process and the socketpair to it.

use crate::device::{self, Ask, Failure};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::io;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A running holder process. Dropped, it is killed.
pub struct Child {
    process: Option<std::process::Child>,
    stream: UnixStream,
}

/// Why a request to the process failed.
pub enum Failed {
    /// It said so.
    Said(Failure),
    /// It is dead, hung, or talks nonsense: how. It must not be used again.
    Broken(String),
}

/// `nkey-holder` beside this program, else the one that PATH finds.
pub fn program() -> PathBuf {
    let beside = std::env::current_exe()
        .ok()
        .map(|exe| exe.with_file_name("nkey-holder"));
    beside
        .filter(|path| path.is_file())
        .unwrap_or_else(|| "nkey-holder".into())
}

impl Child {
    /// Starts a process.
    ///
    /// # Errors
    /// If it cannot be started: why and what to do.
    pub fn start(program: &Path) -> Result<Child, String> {
        let pair = socketpair(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        );
        let (ours, theirs) = pair.map_err(|error| format!("no socketpair: {error}"))?;
        let process = Command::new(program)
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .current_dir("/")
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => {
                    "nkey-holder is neither beside this program nor in PATH: install it in one of these places".to_owned()
                }
                _ => format!("cannot start nkey-holder: {error}"),
            })?;
        Ok(Child {
            process: Some(process),
            stream: UnixStream::from(ours),
        })
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        let process = self.process.as_mut();
        process.is_some_and(|process| matches!(process.try_wait(), Ok(None)))
    }

    /// Asks and waits for the answer, at most `patience` without a byte of it.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn ask(&mut self, ask: &Ask<'_>, patience: Duration) -> Result<Vec<u8>, Failed> {
        self.ask_waiting(ask, patience, || {})
    }

    /// The same; `waits` is called when the device waits for a finger.
    ///
    /// # Errors
    /// [`Failed`].
    pub fn ask_waiting(
        &mut self,
        ask: &Ask<'_>,
        patience: Duration,
        waits: impl Fn(),
    ) -> Result<Vec<u8>, Failed> {
        let asked = self
            .stream
            .set_read_timeout(Some(patience))
            .and_then(|()| self.stream.set_write_timeout(Some(patience)))
            .and_then(|()| device::send(&mut self.stream, |frame| ask.write(frame)));
        let mut received = asked.and_then(|()| device::receive(&mut self.stream));
        while received
            .as_ref()
            .is_ok_and(|bytes| device::is_waiting(bytes))
        {
            waits();
            received = device::receive(&mut self.stream);
        }
        let answer = received.map_err(|error| Failed::Broken(self.broken(&error, patience)))?;
        match device::read_answer(&answer) {
            Ok(Ok(body)) => Ok(body.to_vec()),
            Ok(Err(failure)) => Err(Failed::Said(failure)),
            Err(malformed) => Err(Failed::Broken(malformed.to_string())),
        }
    }

    fn broken(&mut self, error: &io::Error, patience: Duration) -> String {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => format!(
                "no answer within {} s; its process is ended and started anew at the next request",
                patience.as_secs_f32()
            ),
            io::ErrorKind::InvalidData => "its process answers nonsense".to_owned(),
            _ => format!("its process {}", self.end()),
        }
    }

    /// How a process that closed its socket ended.
    fn end(&mut self) -> String {
        let Some(process) = self.process.as_mut() else {
            return "has ended".to_owned();
        };
        // A process that closes its socket is ending: this is no long wait.
        for _ in 0..100 {
            if let Ok(Some(status)) = process.try_wait() {
                return match status.signal() {
                    Some(signal) => format!("crashed (signal {signal})"),
                    // The loader's own status.
                    None if status.code() == Some(127) => {
                        "does not start: a library is missing, as libpcsclite (package libpcsclite1)".to_owned()
                    }
                    None => format!("ended by itself ({status})"),
                };
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        "closed its socket".to_owned()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            if matches!(process.try_wait(), Ok(Some(_))) {
                return;
            }
            // One that is stuck in the kernel must not hold up anybody.
            let _ = std::thread::Builder::new()
                .name("reap".to_owned())
                .spawn(move || process.wait());
        }
    }
}
