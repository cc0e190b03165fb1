//! What can go wrong with a token, and what to do then.

use nkey_core::token::{Code, Fault};
use std::fmt;
use std::io;

/// Why a token did not do what was asked. No variant holds a secret.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenError {
    /// The path is no terminal.
    NoTerminal(String),
    /// The port could not be opened or used: its path and the reason.
    Port(String, io::Error),
    /// Another program has the port: its path.
    InUse(String),
    /// The token is not there any more: its serial number or path.
    Gone(String),
    /// No token of this serial number is plugged in.
    Absent(String),
    /// Two tokens have this serial number.
    Twice(String),
    /// It did not answer in time.
    Silent(String),
    /// It answered something that no token answers.
    Nonsense(String),
    /// It speaks only these versions of the protocol.
    Protocol {
        /// Its serial number.
        serial: String,
        /// The oldest and the newest.
        versions: (u16, u16),
    },
    /// Another token than the wanted one: found, wanted.
    Other(String, String),
    /// A virtual token, which nobody allowed.
    Virtual(String),
    /// The message is longer than the token takes: its bytes, the most.
    TooLarge(usize, usize),
    /// The token refused: why, and the values.
    Refused(Code, String),
    /// The token is broken.
    Broken(Option<Fault>),
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenError::NoTerminal(path) => {
                write!(
                    f,
                    "{path} is no serial port: name the token's, such as /dev/ttyACM0"
                )
            }
            TokenError::Port(path, error) if error.kind() == io::ErrorKind::PermissionDenied => {
                write!(
                    f,
                    "{path}: {error}: install the udev rule of docs/token.md, or join the group of the port"
                )
            }
            TokenError::Port(path, error) => write!(f, "{path}: {error}"),
            TokenError::InUse(path) => write!(
                f,
                "another program has {path} open: end it, or type `nkey agent stop` if it is an agent"
            ),
            TokenError::Gone(token) => {
                write!(
                    f,
                    "the token {token} is gone: plug it in again and type `nkey token unlock`"
                )
            }
            TokenError::Absent(serial) => write!(
                f,
                "the token {serial} is not plugged in: `nkey token list` shows those that are"
            ),
            TokenError::Twice(serial) => write!(
                f,
                "two tokens say that they are {serial}: unplug the one that is not yours"
            ),
            TokenError::Silent(token) => {
                write!(
                    f,
                    "the token {token} does not answer: unplug it and plug it in again"
                )
            }
            TokenError::Nonsense(token) => {
                write!(f, "{token} does not answer as a token does: is it one?")
            }
            TokenError::Protocol { serial, versions } => write!(
                f,
                "the token {serial} speaks versions {} to {} of the protocol, this program {}: update the older of the two",
                versions.0,
                versions.1,
                nkey_core::token::PROTOCOL.1
            ),
            TokenError::Other(found, wanted) => {
                write!(
                    f,
                    "this is the token {found}, not {wanted}: plug that one in"
                )
            }
            TokenError::Virtual(serial) => write!(
                f,
                "{serial} is a VIRTUAL token, whose keys are files: allow it by name in the configuration if you mean it"
            ),
            TokenError::TooLarge(found, most) => {
                write!(
                    f,
                    "{found} bytes are to be signed, the token signs at most {most}"
                )
            }
            TokenError::Refused(code, reason) => {
                write!(f, "{code}")?;
                if !reason.is_empty() {
                    write!(f, ": {reason}")?;
                }
                match code {
                    Code::Locked | Code::Session => f.write_str(": type `nkey token unlock`"),
                    Code::Blocked => f.write_str(": only `nkey token reset` remains"),
                    Code::Empty => f.write_str(": type `nkey token init`"),
                    Code::NoPress => f.write_str(": press it while its light blinks"),
                    _ => Ok(()),
                }
            }
            TokenError::Broken(Some(fault)) => {
                write!(
                    f,
                    "the token is broken ({fault:?}): plug it in again; if that does not help, `nkey token reset` wipes it"
                )
            }
            TokenError::Broken(None) => f.write_str("the token is broken: plug it in again"),
        }
    }
}

impl std::error::Error for TokenError {}
