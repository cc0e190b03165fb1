//! Errors of commands: what failed, what to type next, and the exit code.

use crate::output::clean;
use nkey_agent::client;
use nkey_agent::message::Status;
use nkey_agent::token::TokenError;
use nkey_core::token::Code;
use std::fmt;
use std::process::ExitCode;

/// How a command that failed ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 1: it was not done.
    Failed = 1,
    /// 2: it was asked for wrongly.
    Usage = 2,
    /// 3: the agent refused.
    Refused = 3,
    /// 4: there is no agent, or it is locked.
    NoAgent = 4,
}

/// Why a command failed.
#[derive(Debug)]
pub enum Error {
    /// A message, the exit code and what to type next.
    Command {
        /// The exit code.
        exit: Exit,
        /// What failed, with which value.
        message: String,
        /// The command to type.
        next: Option<String>,
    },
    /// What clap says of the arguments; `--help` and `--version` come as errors as well.
    Arguments(clap::Error),
    /// Whoever read our output has gone; there is nobody to tell.
    Pipe,
}

impl Error {
    fn new(exit: Exit, message: impl fmt::Display) -> Error {
        Error::Command {
            exit,
            message: message.to_string(),
            next: None,
        }
    }

    /// It was not done (1).
    pub fn failed(message: impl fmt::Display) -> Error {
        Error::new(Exit::Failed, message)
    }

    /// It was asked for wrongly (2).
    pub fn usage(message: impl fmt::Display) -> Error {
        Error::new(Exit::Usage, message)
    }

    /// The agent refused (3).
    pub fn refused(message: impl fmt::Display) -> Error {
        Error::new(Exit::Refused, message)
    }

    /// There is no agent, or it is locked (4).
    pub fn no_agent(message: impl fmt::Display) -> Error {
        Error::new(Exit::NoAgent, message)
    }

    /// The same, with the command to type next.
    #[must_use]
    pub fn next(mut self, command: impl fmt::Display) -> Error {
        if let Error::Command { next, .. } = &mut self {
            *next = Some(command.to_string());
        }
        self
    }

    /// The same, with where it happened before it.
    #[must_use]
    pub fn within(mut self, place: &str) -> Error {
        if let Error::Command { message, .. } = &mut self {
            *message = format!("{place}: {message}");
        }
        self
    }

    /// The message without what to type next, for one that is told among others.
    pub fn message(&self) -> String {
        match self {
            Error::Command { message, .. } => clean(message).into_owned(),
            other => other.to_string(),
        }
    }

    /// The exit code of the process.
    pub fn code(&self) -> u8 {
        match self {
            Error::Command { exit, .. } => *exit as u8,
            Error::Arguments(error) => u8::from(error.use_stderr()) * Exit::Usage as u8,
            Error::Pipe => 0,
        }
    }

    /// Tells the person, and gives the exit code.
    pub fn report(&self) -> ExitCode {
        match self {
            // Nothing can be done if the terminal is gone.
            Error::Arguments(error) => drop(error.print()),
            Error::Command { .. } => eprintln!("error: {self}"),
            Error::Pipe => {}
        }
        ExitCode::from(self.code())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Command { message, next, .. } => {
                f.write_str(&clean(message))?;
                match next {
                    Some(next) => write!(f, "\ntype: {}", clean(next)),
                    None => Ok(()),
                }
            }
            Error::Arguments(error) => error.fmt(f),
            Error::Pipe => f.write_str("the output was closed"),
        }
    }
}

impl std::error::Error for Error {}

impl From<client::Error> for Error {
    fn from(error: client::Error) -> Error {
        let exit = match &error {
            client::Error::NoPath | client::Error::NoAgent(..) => Exit::NoAgent,
            client::Error::Refused { status, .. } => match status {
                Status::Refused => Exit::Refused,
                Status::Locked => Exit::NoAgent,
                _ => Exit::Failed,
            },
            _ => Exit::Failed,
        };
        Error::new(exit, error)
    }
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Error {
        let exit = match &error {
            TokenError::Refused(Code::Locked | Code::Session, _) => Exit::NoAgent,
            // These say how the token is, the others what it does not do.
            TokenError::Refused(Code::Empty | Code::Blocked | Code::Initialised, _) => Exit::Failed,
            TokenError::Refused(..) | TokenError::Virtual(_) => Exit::Refused,
            _ => Exit::Failed,
        };
        match &error {
            TokenError::Virtual(serial) => Error::new(
                exit,
                format!(
                    "{serial} is a VIRTUAL token, whose keys are files: --allow-virtual {serial} takes it all the same"
                ),
            ),
            _ => Error::new(exit, error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agents_answers_have_the_exit_codes_of_the_contract() {
        let refused = |status| {
            let reason = "why".to_owned();
            Error::from(client::Error::Refused { status, reason }).code()
        };
        let codes = [
            (Status::Refused, 3),
            (Status::Locked, 4),
            (Status::UnknownKey, 1),
            (Status::Malformed, 1),
            (Status::StoreFailed, 1),
            (Status::TooLarge, 1),
        ];
        for (status, code) in codes {
            assert_eq!(refused(status), code, "{status:?}");
        }
        assert_eq!(Error::from(client::Error::NoPath).code(), 4);
    }

    #[test]
    fn the_next_step_stands_last_and_control_characters_are_visible() {
        let error = Error::failed("no \u{1b}[31m").next("nkey agent start");
        assert_eq!(error.to_string(), "no \\u{1b}[31m\ntype: nkey agent start");
    }
}
