//! One conversation with a running plugin: both of age's state machines.

use super::Plugin;
use super::wire::{Stanza, Wire};
use crate::store::{Prompt, StoreError};
use data_encoding::BASE64_NOPAD;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Read};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

/// Most characters of a plugin's text that a person is shown.
const MAX_TEXT: usize = 1000;
/// Longest that a plugin may take to end once it has nothing more to do, in steps of 10 ms.
const PATIENCE: u32 = 100;
/// Longest that a plugin may say nothing, in seconds: it may wait for a touch, but not for ever.
const SILENCE: i64 = 300;

/// How to answer a command that belongs to one state machine.
pub(super) enum Answer {
    Ok,
    Fail,
}

/// Runs the plugin: `first` sends what it needs, `command` handles its own commands and prompts
/// go to the person. Returns what the plugin complained about, if it did.
pub(super) fn converse(
    plugin: &Plugin,
    machine: &str,
    prompt: &mut dyn Prompt,
    first: impl FnOnce(&mut Pipes) -> io::Result<()>,
    mut command: impl FnMut(Stanza) -> Answer,
) -> Result<Complaint, StoreError> {
    let mut running = Running::start(plugin, machine)?;
    let mut complaint = Complaint::None;
    let pipes = running.pipes.as_mut().ok_or(StoreError::Cancelled)?;
    let talked = first(pipes).and_then(|()| {
        loop {
            let stanza = pipes.receive()?;
            match stanza.tag.as_str() {
                "done" => return Ok(()),
                "error" => {
                    if matches!(complaint, Complaint::None) {
                        complaint = Complaint::Said(readable(&stanza.body));
                    }
                    pipes.send("ok", &[], &[])?;
                }
                "msg" => {
                    prompt.message(&readable(&stanza.body));
                    pipes.send("ok", &[], &[])?;
                }
                "confirm" | "request-public" | "request-secret" => {
                    if !ask(pipes, prompt, &stanza)? {
                        complaint = Complaint::NoAnswer;
                    }
                }
                "file-key" | "recipient-stanza" | "labels" => match command(stanza) {
                    Answer::Ok => pipes.send("ok", &[], &[])?,
                    Answer::Fail => pipes.send("fail", &[], &[])?,
                },
                _ => pipes.send("unsupported", &[], &[])?,
            }
        }
    });
    match talked {
        Ok(()) => Ok(complaint),
        // A plugin that gives up may just go, and then what it said last is the reason.
        Err(_) if !matches!(complaint, Complaint::None) => Ok(complaint),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(plugin.failed(error)),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            Err(plugin.failed("it said nothing for five minutes"))
        }
        Err(_) => Err(plugin.failed("it ended before it answered")),
    }
}

/// Why a plugin did not do its part.
pub(super) enum Complaint {
    None,
    Said(String),
    NoAnswer,
}

impl Complaint {
    /// The error when the plugin gave no result.
    pub(super) fn error(self, plugin: &Plugin) -> StoreError {
        match self {
            Complaint::None => StoreError::WrongPassphrase,
            Complaint::Said(text) => plugin.failed(text),
            Complaint::NoAnswer => StoreError::Cancelled,
        }
    }
}

/// Passes a question on; false if nobody answered.
fn ask(pipes: &mut Pipes, prompt: &mut dyn Prompt, stanza: &Stanza) -> io::Result<bool> {
    let text = readable(&stanza.body);
    let answered = match stanza.tag.as_str() {
        "request-secret" => match prompt.secret(&text) {
            Some(answer) => pipes.send("ok", &[], answer.as_bytes()).map(|()| true),
            None => Ok(false),
        },
        "request-public" => match prompt.public(&text) {
            Some(answer) => pipes.send("ok", &[], answer.as_bytes()).map(|()| true),
            None => Ok(false),
        },
        _ => {
            let label = |arg: &String| BASE64_NOPAD.decode(arg.as_bytes()).ok();
            let mut labels = stanza.args.iter().take(2).filter_map(label);
            let yes = labels.next().map_or("yes".into(), |text| readable(&text));
            let no = labels.next().map_or("no".into(), |text| readable(&text));
            match prompt.confirm(&format!("{text} (yes: {yes}; no: {no})")) {
                Some(true) => pipes.send("ok", &["yes"], &[]).map(|()| true),
                Some(false) => pipes.send("ok", &["no"], &[]).map(|()| true),
                None => Ok(false),
            }
        }
    };
    if !matches!(answered, Ok(true)) {
        pipes.send("fail", &[], &[])?;
    }
    answered
}

/// A plugin's text made safe to show: bounded, no control characters.
fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .take(MAX_TEXT)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

pub(super) type Pipes = Wire<Patient, ChildStdin>;

/// What a plugin says; its silence is an error in the end.
pub(super) struct Patient {
    output: ChildStdout,
    seconds: i64,
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let timeout = Timespec {
            tv_sec: self.seconds,
            tv_nsec: 0,
        };
        match poll(
            &mut [PollFd::new(&self.output, PollFlags::IN)],
            Some(&timeout),
        )? {
            0 => Err(io::ErrorKind::TimedOut.into()),
            _ => self.output.read(buffer),
        }
    }
}

struct Running {
    child: Child,
    pipes: Option<Pipes>,
}

impl Running {
    fn start(plugin: &Plugin, machine: &str) -> Result<Running, StoreError> {
        plugin.check()?;
        let mut child = Command::new(&plugin.binary)
            .arg(format!("--age-plugin={machine}"))
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| plugin.failed(format!("it does not start: {error}")))?;
        let pipes = child
            .stdout
            .take()
            .zip(child.stdin.take())
            .map(|(output, input)| {
                let seconds = SILENCE;
                Wire::new(Patient { output, seconds }, input)
            });
        Ok(Running { child, pipes })
    }
}

impl Drop for Running {
    /// Closes the pipes, which ends a plugin, and waits for it: an agent must not collect zombies.
    fn drop(&mut self) {
        self.pipes = None;
        for _ in 0..PATIENCE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        // Whatever becomes of the signal, the wait below tells when the process is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_an_error_and_speech_is_not() {
        let mut child = Command::new("sh")
            .args(["-c", "echo hello; read -r line"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut patient = Patient {
            output: child.stdout.take().unwrap(),
            seconds: SILENCE,
        };
        let mut buffer = [0; 16];
        assert_eq!(patient.read(&mut buffer).unwrap(), 6);
        patient.seconds = 0;
        let error = patient.read(&mut buffer).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(child.stdin.take());
        patient.seconds = SILENCE;
        assert_eq!(patient.read(&mut buffer).unwrap(), 0);
        child.wait().unwrap();
    }
}
