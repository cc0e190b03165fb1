//! The log: lines on standard error, which `--log` leads into a file.
//!
//! One thread writes, and nobody waits for it: a pipe that is not read, or a full disk, must not
//! hold up a request. What does not fit is left out, and the log says so. A hostile server makes
//! a line at each nonce, so there are at most [`PER_SECOND`] on average.

use crate::message::{Refusal, Status};
use nkey_core::nkey::PublicKey;
use rustix::fs::OFlags;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// A log that is longer is set aside as `FILE.old`, in bytes.
const MAX_LENGTH: u64 = 1024 * 1024;
/// Lines that wait to be written.
const WAITING: usize = 256;
/// Lines a second that are written over time; as many as [`WAITING`] may come at once.
const PER_SECOND: f64 = 10.0;

static LOG: OnceLock<Log> = OnceLock::new();
static FILE: OnceLock<PathBuf> = OnceLock::new();

struct Log {
    sender: SyncSender<Message>,
    left_out: AtomicUsize,
}

enum Message {
    Line(String),
    /// Answered when everything before it is written.
    Flush(SyncSender<()>),
}

/// Leads standard error into `path`, mode 0600, after what is there already.
///
/// # Errors
/// If the file cannot be opened, or is a link.
pub fn to_file(path: &Path) -> io::Result<()> {
    if path
        .symlink_metadata()
        .is_ok_and(|log| log.len() > MAX_LENGTH)
    {
        let mut old = path.as_os_str().to_owned();
        old.push(".old");
        std::fs::rename(path, old)?;
    }
    let file = File::options()
        .append(true)
        .create(true)
        .mode(0o600)
        // Not through a link that somebody laid there.
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)?;
    rustix::stdio::dup2_stderr(file)?;
    FILE.get_or_init(|| path.to_owned());
    Ok(())
}

fn log() -> &'static Log {
    LOG.get_or_init(|| {
        let (sender, receiver) = sync_channel(WAITING);
        // Without the thread every line is left out, which ends nobody.
        let _ = std::thread::Builder::new()
            .name("log".into())
            .spawn(move || write(&receiver));
        Log {
            sender,
            left_out: AtomicUsize::new(0),
        }
    })
}

/// What may be written now: refilled over time.
struct Allowance {
    lines: f64,
    since: Instant,
}

impl Allowance {
    fn new(now: Instant) -> Allowance {
        Allowance {
            lines: WAITING as f64,
            since: now,
        }
    }

    fn takes(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        self.since = now;
        self.lines = (self.lines + passed * PER_SECOND).min(WAITING as f64);
        let some = self.lines >= 1.0;
        if some {
            self.lines -= 1.0;
        }
        some
    }
}

fn write(receiver: &Receiver<Message>) {
    let mut allowance = Allowance::new(Instant::now());
    let mut written = 0u64;
    while let Ok(message) = receiver.recv() {
        let text = match message {
            Message::Flush(done) => {
                let _ = done.send(());
                continue;
            }
            Message::Line(text) => text,
        };
        if !allowance.takes(Instant::now()) {
            log().left_out.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let mut lines = String::new();
        match log().left_out.swap(0, Ordering::Relaxed) {
            0 => {}
            count => lines = format!("nkey-agent: {count} messages are left out here\n"),
        }
        lines.push_str("nkey-agent: ");
        lines.push_str(&text);
        lines.push('\n');
        // A log that nobody reads any more does not end the agent.
        let _ = io::stderr().write_all(lines.as_bytes());
        written += lines.len() as u64;
        if written > MAX_LENGTH
            && let Some(path) = FILE.get()
        {
            written = 0;
            // If it fails, the file that is open goes on.
            let _ = to_file(path);
        }
    }
}

/// Writes a line soon.
pub fn line(text: fmt::Arguments<'_>) {
    let log = log();
    if log
        .sender
        .try_send(Message::Line(text.to_string()))
        .is_err()
    {
        log.left_out.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits until all is written, a second at most.
pub fn flush() {
    let (done, finished) = sync_channel(1);
    if log().sender.try_send(Message::Flush(done)).is_ok() {
        let _ = finished.recv_timeout(Duration::from_secs(1));
    }
}

/// Says what was done with a key that cannot be undone, for which process.
pub fn done(what: &str, key: &str, pid: Option<i32>) {
    let pid = pid.unwrap_or(0);
    line(format_args!("{what}: {key} for process {pid}"));
}

/// Says what was refused, of which key, to which process, and why.
pub fn refused(what: &str, key: Option<&PublicKey>, pid: Option<i32>, refusal: &Refusal) {
    // A reason for malformed claims may quote them, and what is no claim may be a secret.
    let reason = match refusal.status {
        Status::Malformed => "it is malformed",
        _ => &refusal.reason,
    };
    let pid = pid.unwrap_or(0);
    match key {
        Some(key) => line(format_args!(
            "refused: {what} with {key} for process {pid}: {reason}"
        )),
        None => line(format_args!("refused: {what} for process {pid}: {reason}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_lines_at_once_and_few_over_time() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(
            (0..1000).filter(|_| allowance.takes(start)).count(),
            WAITING
        );
        assert_eq!((0..1000).filter(|_| allowance.takes(at(3))).count(), 30);
        assert_eq!(
            (0..1000).filter(|_| allowance.takes(at(9999))).count(),
            WAITING
        );
    }
}
