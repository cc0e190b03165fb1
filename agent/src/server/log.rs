//! The log: lines on standard error.

use crate::message::{Refusal, Status};
use nkey_core::nkey::PublicKey;
use std::fmt;
use std::io::Write;

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
