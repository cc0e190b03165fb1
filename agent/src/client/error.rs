//! What can go wrong between a client and its agent.

use crate::message::{MAX_FRAME, Status};
use crate::wire::Malformed;
use nkey_core::nkey;
use std::fmt;
use std::path::PathBuf;

/// Why a request was not done.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Neither a socket was named nor do the variables say where one is.
    NoPath,
    /// Nothing listens at this socket.
    NoAgent(PathBuf, std::io::Error),
    /// The agent at this socket belongs to another user, the user id.
    Stranger(PathBuf, u32),
    /// The connection broke.
    Broken(PathBuf, std::io::Error),
    /// The agent read the request and did not do it.
    Refused {
        /// How it went; never [`Status::Ok`].
        status: Status,
        /// The agent's reason.
        reason: String,
    },
    /// The request is longer than an agent reads: its bytes.
    TooLarge(usize),
    /// What listens there does not know this extension.
    Foreign(&'static str),
    /// An answer without the form of its type.
    Answer(&'static str),
    /// The agent's signature is not that of the key.
    Signature(nkey::PublicKey),
    /// A key in an answer is damaged.
    Key(nkey::Error),
    /// The person did not answer.
    Cancelled,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoPath => f.write_str(
                "no place for the agent's socket: set HOME, XDG_RUNTIME_DIR or NKEY_AUTH_SOCK, or name one with --socket",
            ),
            Error::TooLarge(bytes) => write!(
                f,
                "a request of {bytes} bytes: agents read at most {MAX_FRAME}"
            ),
            Error::Stranger(path, uid) => write!(
                f,
                "what listens at {} belongs to user {uid}: nothing was sent to it",
                path.display()
            ),
            Error::NoAgent(path, error) => write!(
                f,
                "no agent at {} ({error}): start one with `nkey agent start`",
                path.display()
            ),
            Error::Broken(path, error) => {
                write!(
                    f,
                    "the agent at {} does not answer: {error}",
                    path.display()
                )
            }
            Error::Refused { status, reason } => match status {
                Status::Locked => write!(f, "{reason}"),
                Status::Refused => write!(f, "the agent refused: {reason}"),
                Status::UnknownKey => {
                    write!(f, "{reason}: `nkey list keys` shows the keys that it holds")
                }
                Status::Malformed => write!(f, "the agent could not read the request: {reason}"),
                Status::TooLarge => write!(f, "too large: {reason}"),
                Status::StoreFailed | Status::Ok | Status::Prompt => {
                    write!(f, "the agent's store failed: {reason}")
                }
            },
            Error::Foreign(name) => write!(
                f,
                "what listens there does not know {name}: is NKEY_AUTH_SOCK the socket of an ssh-agent?"
            ),
            Error::Answer(what) => write!(f, "the agent's answer is wrong: {what}"),
            Error::Signature(key) => write!(
                f,
                "the agent's signature is not that of {key}: do not use this agent"
            ),
            Error::Key(error) => write!(f, "the agent's answer holds no key: {error}"),
            Error::Cancelled => f.write_str("no answer was given: nothing was changed"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Malformed> for Error {
    fn from(malformed: Malformed) -> Error {
        Error::Answer(malformed.0)
    }
}

impl From<nkey::Error> for Error {
    fn from(error: nkey::Error) -> Error {
        Error::Key(error)
    }
}
