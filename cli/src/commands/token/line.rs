//! The line to a token: its port, or the agent that holds it.

use super::ask::{Person, PinFlag};
use super::words;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::keys::interruption;
use nkey_agent::token::{About, Found, Place, Token, TokenError, find};
use nkey_core::token::{Answer, Command, Session, State, TRIES, VIRTUAL};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How to reach a token.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct LineFlags {
    /// The token's port, instead of looking for it by USB
    #[arg(long, value_name = "PATH")]
    pub port: Option<PathBuf>,
    /// Take this VIRTUAL token, whose keys are files
    #[arg(long, value_name = "SERIAL")]
    pub allow_virtual: Option<String>,
    /// Another root of sysfs, for tests
    #[arg(long, value_name = "DIR", hide = true, default_value = "/sys")]
    pub sysfs: PathBuf,
    /// Another folder of devices, for tests
    #[arg(long, value_name = "DIR", hide = true, default_value = "/dev")]
    pub dev: PathBuf,
}

/// Which token a command is about.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct One {
    /// The token's serial number; not needed if only one is plugged in
    #[arg(value_name = "SERIAL")]
    pub serial: Option<String>,
    #[command(flatten)]
    pub flags: LineFlags,
}

/// Which token has the key that a command is about.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Of {
    /// The token's serial number; not needed if only one is plugged in
    #[arg(short = 't', long = "token", value_name = "SERIAL")]
    pub serial: Option<String>,
    #[command(flatten)]
    pub flags: LineFlags,
}

impl LineFlags {
    /// The tokens that are plugged in.
    pub fn find(&self) -> Vec<Found> {
        find(&self.sysfs, &self.dev)
    }

    /// The place of a token at this port.
    pub fn place(&self, port: &Path, serial: Option<&str>) -> Place {
        Place {
            port: port.to_owned(),
            serial: serial.map(str::to_owned),
            allow_virtual: self.allow_virtual.clone(),
        }
    }

    /// Where the token is; named by its serial number, or the only one.
    ///
    /// # Errors
    /// If it is not plugged in, or several are and none is named.
    fn choose(&self, serial: Option<&str>) -> Result<Place, Error> {
        if let Some(port) = &self.port {
            return Ok(self.place(port, serial));
        }
        let found = self.find();
        let serials: Vec<&str> = found.iter().map(|found| found.serial.as_str()).collect();
        let serials = serials.join(", ");
        let one = match (serial, &found[..]) {
            (Some(wanted), found) => found
                .iter()
                .find(|found| found.serial == wanted)
                .ok_or_else(|| {
                    let wanted = clean_inline(wanted);
                    Error::failed(match found {
                        [] => format!("the token {wanted} is not plugged in, nor is any other"),
                        _ => format!("the token {wanted} is not plugged in, but {serials}"),
                    })
                })?,
            (None, []) => {
                return Err(Error::failed(
                    "no token is plugged in; a bare board becomes one by `nkey token flash`",
                ));
            }
            (None, [one]) => one,
            (None, _) => {
                return Err(Error::usage(format!(
                    "several tokens are plugged in: name one of {serials}"
                )));
            }
        };
        Ok(self.place(&one.port, Some(&one.serial)))
    }
}

/// A token that answers.
pub struct Line {
    token: Token,
    session: Option<Session>,
    /// Whether it has stopped answering.
    dead: bool,
    interrupted: Arc<AtomicBool>,
}

impl One {
    /// Connects to it.
    ///
    /// # Errors
    /// As [`Line::open`].
    pub fn open(&self, ctx: &mut Context) -> Result<Line, Error> {
        Line::open(ctx, self.serial.as_deref(), &self.flags)
    }
}

impl Of {
    /// Connects to it.
    ///
    /// # Errors
    /// As [`Line::open`].
    pub fn open(&self, ctx: &mut Context) -> Result<Line, Error> {
        Line::open(ctx, self.serial.as_deref(), &self.flags)
    }
}

impl Line {
    /// Connects to a token.
    ///
    /// # Errors
    /// If it is not there, several are and none is named, or it is not what it should be.
    pub fn open(ctx: &mut Context, serial: Option<&str>, flags: &LineFlags) -> Result<Line, Error> {
        let token = Token::open(&flags.choose(serial)?)?;
        if token.about().capabilities & VIRTUAL != 0 {
            ctx.out.note(virtual_note(&token.about().serial));
        }
        Ok(Line {
            token,
            session: None,
            dead: false,
            interrupted: interruption()?,
        })
    }

    /// What it says of itself.
    pub fn about(&self) -> &About {
        self.token.about()
    }

    /// Its serial number.
    pub fn serial(&self) -> &str {
        &self.token.about().serial
    }

    /// Asks again who it is and in which state.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn refresh(&mut self) -> Result<(), Error> {
        self.token.refresh()?;
        Ok(())
    }

    /// Asks for something and reads the answer; `read` finds none in an answer to something else.
    ///
    /// # Errors
    /// What the token says.
    pub fn ask<T>(
        &mut self,
        command: Command<'_>,
        read: impl FnOnce(Answer<'_>) -> Option<T>,
    ) -> Result<T, Error> {
        let serial = self.token.about().serial.clone();
        let mut person = Person {
            serial: &serial,
            interrupted: &self.interrupted,
        };
        let called = self.token.call(self.session, command, &mut person);
        let answer = called.inspect_err(|error| {
            self.dead = !matches!(error, TokenError::Refused(..));
        })?;
        read(answer).ok_or_else(|| TokenError::Nonsense(serial.clone()).into())
    }

    /// Has something done.
    ///
    /// # Errors
    /// What the token says.
    pub fn done(&mut self, command: Command<'_>) -> Result<(), Error> {
        self.ask(command, |answer| {
            matches!(answer, Answer::Done).then_some(())
        })
    }

    /// Tries of the PIN that are left.
    ///
    /// # Errors
    /// What the token says.
    pub fn tries(&mut self) -> Result<u8, Error> {
        self.ask(Command::Tries, |answer| match answer {
            Answer::Tries(left) => Some(left),
            _ => None,
        })
    }

    /// That the token has a PIN and can be unlocked by it.
    ///
    /// # Errors
    /// Says what to do with one that has none, is blocked or broken.
    pub fn require_usable(&self) -> Result<(), Error> {
        let about = self.token.about();
        let serial = clean_inline(&about.serial);
        let message = match about.state {
            State::Locked | State::Unlocked => return Ok(()),
            State::Empty => format!("the token {serial} has no PIN yet"),
            State::Blocked => {
                format!(
                    "the token {serial} is blocked: no try of its PIN is left, its keys are lost"
                )
            }
            State::Error => match about.fault {
                Some(fault) => format!("the token {serial} is broken: {}", words::fault(fault)),
                None => format!("the token {serial} is broken"),
            },
        };
        let next = words::advice(about.state).unwrap_or_default();
        Err(Error::failed(message).next(format!("{next} {serial}")))
    }

    /// Opens a session with the PIN, for what needs one.
    ///
    /// # Errors
    /// Exit 3 if the PIN is wrong.
    pub fn unlock(&mut self, ctx: &Context, pin: &PinFlag) -> Result<(), Error> {
        self.require_usable()?;
        let left = Some(self.tries()?).filter(|left| *left < TRIES);
        let pin = pin.read(self.serial(), left)?;
        self.unlock_with(ctx, pin.as_bytes())
    }

    /// Opens a session with this PIN.
    ///
    /// # Errors
    /// Exit 3 if it is wrong.
    pub fn unlock_with(&mut self, ctx: &Context, pin: &[u8]) -> Result<(), Error> {
        let command = Command::Unlock {
            pin,
            time: now(ctx),
        };
        let session = self.ask(command, |answer| match answer {
            Answer::Session { session, .. } => Some(session),
            _ => None,
        })?;
        self.session = Some(session);
        Ok(())
    }

    /// Ends the session.
    ///
    /// # Errors
    /// If the token does not answer; the session ends with the line all the same.
    pub fn lock(&mut self) -> Result<(), Error> {
        if self.session.is_some() {
            self.done(Command::Lock)?;
            self.session = None;
        }
        Ok(())
    }

    /// Sends it to its bootloader, with which the line ends.
    ///
    /// # Errors
    /// What the token says.
    pub fn leave(&mut self) -> Result<(), Error> {
        self.done(Command::Bootloader)?;
        self.session = None;
        Ok(())
    }
}

impl Drop for Line {
    /// A command that failed leaves no session behind.
    fn drop(&mut self) {
        if !self.dead {
            let _ = self.lock();
        }
    }
}

/// Unix seconds, as tokens take them.
pub fn now(ctx: &Context) -> u64 {
    u64::try_from(ctx.now()).unwrap_or(0)
}

/// What is said of a virtual token wherever one is used.
pub fn virtual_note(serial: &str) -> String {
    format!(
        "warning: {} is a VIRTUAL token: its keys are files, and no secret is safe in it",
        clean_inline(serial)
    )
}
