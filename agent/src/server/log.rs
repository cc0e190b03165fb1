//! The log: lines on standard error, which `--log` leads into a file.

use crate::message::{Refusal, Status};
use nkey_core::nkey::PublicKey;
use rustix::fs::OFlags;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// A log that is longer at a start is set aside as `FILE.old`, in bytes.
const MAX_LENGTH: u64 = 1024 * 1024;

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
    Ok(())
}

/// Writes a line. A log that nobody reads any more does not end the agent.
pub fn line(text: fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr().lock(), "nkey-agent: {text}");
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
