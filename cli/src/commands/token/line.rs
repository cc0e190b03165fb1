//! The line to a token: its port, or the agent that holds it.

use super::ask::{Person, PinFlag};
use super::reach::{LineFlags, Reach, stores};
use super::{device, words};
use crate::context::Context;
use crate::error::Error;
use crate::output::{clean, clean_inline};
use crate::prompt;
use crate::store::keys::interruption;
use nkey_agent::client::Client;
use nkey_agent::token::{About, Hand, Token, TokenError, unlock};
use nkey_core::token::{Answer, Command, Press, Session, State, TRIES, VIRTUAL};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use zeroize::Zeroizing;

/// What carries requests to a token.
enum Way {
    /// Its port; what waits for the button is taken back when the flag is raised.
    Port(Box<Token>, Arc<AtomicBool>),
    /// The agent, which adds the session that it holds.
    Agent(Box<Client>),
}

/// A token that answers.
pub struct Line {
    way: Way,
    about: About,
    session: Option<Session>,
    /// Whether it has stopped answering.
    dead: bool,
}

impl Line {
    /// Connects to a token.
    ///
    /// # Errors
    /// If it is not there, several are and none is named, or it is not what it should be.
    pub fn open(ctx: &mut Context, serial: Option<&str>, flags: &LineFlags) -> Result<Line, Error> {
        let line = Line::connect(ctx, serial, flags)?;
        if line.about.capabilities & VIRTUAL != 0 {
            ctx.out.note(virtual_note(&line.about.serial));
        }
        Ok(line)
    }

    fn connect(ctx: &mut Context, serial: Option<&str>, flags: &LineFlags) -> Result<Line, Error> {
        let (opened, serial) = match flags.reach(ctx, serial)? {
            Reach::Port(place) => (Token::open(&place), None),
            Reach::Usb(serial) => {
                let allowed = flags.allow_virtual.as_ref() == Some(&serial);
                let roots = (flags.sysfs.as_path(), flags.dev.as_path());
                (Token::open_serial(&serial, roots, allowed), Some(serial))
            }
            Reach::Agent(serial) => return Line::by_agent(ctx, &serial),
        };
        let token = match opened {
            Err(error @ TokenError::InUse(_)) => {
                // The agent may have opened it a moment ago.
                return match serial {
                    Some(serial) if stores(ctx)?.iter().any(|store| store.serial == serial) => {
                        Line::by_agent(ctx, &serial)
                    }
                    _ => Err(Error::from(error).next("nkey agent status")),
                };
            }
            opened => opened?,
        };
        let about = token.about().clone();
        Ok(Line {
            way: Way::Port(Box::new(token), interruption()?),
            about,
            session: None,
            dead: false,
        })
    }

    /// The token that the agent has. Ctrl-C ends the program, and with it what waits.
    ///
    /// # Errors
    /// What the agent says.
    pub fn by_agent(ctx: &mut Context, serial: &str) -> Result<Line, Error> {
        let mut client = Client::connect(&ctx.socket()?)?;
        client.on_notice(|text| eprintln!("{}", clean(text)));
        let about = about(&mut client, serial)?;
        Ok(Line {
            way: Way::Agent(Box::new(client)),
            about,
            session: None,
            dead: false,
        })
    }

    /// What it says of itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Its serial number.
    pub fn serial(&self) -> &str {
        &self.about.serial
    }

    /// Whether the agent carries what is asked.
    pub fn is_held(&self) -> bool {
        matches!(self.way, Way::Agent(_))
    }

    /// The agent, if it carries what is asked.
    pub fn agent(&mut self) -> Option<&mut Client> {
        match &mut self.way {
            Way::Port(..) => None,
            Way::Agent(client) => Some(client),
        }
    }

    /// Asks again who it is and in which state.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn refresh(&mut self) -> Result<(), Error> {
        self.about = match &mut self.way {
            Way::Port(token, _) => token.refresh()?.clone(),
            Way::Agent(client) => about(client, &self.about.serial)?,
        };
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
        let serial = &self.about.serial;
        let found = match &mut self.way {
            Way::Port(token, interrupted) => {
                let mut person = Person {
                    serial,
                    interrupted,
                };
                let called = token.call(self.session, command, &mut person);
                let answer = called.inspect_err(|error| {
                    self.dead = !matches!(error, TokenError::Refused(..));
                })?;
                read(answer)
            }
            Way::Agent(client) => passed(client, serial, command, read)?,
        };
        found.ok_or_else(|| TokenError::Nonsense(serial.clone()).into())
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
        let about = &self.about;
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

    /// Opens a session with the PIN, for what needs one. The agent has its own.
    ///
    /// # Errors
    /// Exit 3 if the PIN is wrong.
    pub fn unlock(&mut self, ctx: &mut Context, pin: &PinFlag) -> Result<(), Error> {
        if self.is_held() {
            return self.require_usable();
        }
        let pin = self.pin(ctx, pin)?;
        self.unlock_with(ctx, pin.as_bytes())
    }

    /// The PIN for this token, if it can be unlocked and is the one that the agent knows.
    ///
    /// # Errors
    /// Exit 2 if there is nobody to ask.
    pub fn pin(&mut self, ctx: &mut Context, pin: &PinFlag) -> Result<Zeroizing<String>, Error> {
        self.require_usable()?;
        self.require_known(ctx, pin)?;
        let left = Some(self.tries()?).filter(|left| *left < TRIES);
        pin.read(self.serial(), left)
    }

    /// A board with another device key than the agent's keys were pinned with gets no PIN unasked.
    fn require_known(&self, ctx: &mut Context, pin: &PinFlag) -> Result<(), Error> {
        let device = self.about.device;
        let pinned = stores(ctx)?
            .into_iter()
            .find(|store| store.serial == self.about.serial)
            .and_then(|store| store.device)
            .filter(|pinned| *pinned != device);
        let Some(pinned) = pinned else {
            return Ok(());
        };
        let what = format!(
            "{}: its device key is {}, the agent's keys were pinned with {}: it was reset, or is another board",
            clean_inline(&self.about.serial),
            device::fingerprint(&device),
            device::fingerprint(&pinned)
        );
        if pin.pin_file.is_none() {
            eprintln!("{what}");
            if prompt::confirm("Give it the PIN all the same?")? {
                return Ok(());
            }
        }
        Err(Error::failed(format!("{what}; no PIN was given to it")))
    }

    /// Opens a session with this PIN.
    ///
    /// # Errors
    /// Exit 3 if it is wrong.
    pub fn unlock_with(&mut self, ctx: &Context, pin: &[u8]) -> Result<(), Error> {
        let Way::Port(token, interrupted) = &mut self.way else {
            return Ok(());
        };
        let serial = &self.about.serial;
        let mut person = Person {
            serial,
            interrupted,
        };
        let unlocked = unlock(token, pin, now(ctx), &mut person).inspect_err(|error| {
            self.dead = !matches!(error, TokenError::Refused(..));
        })?;
        self.session = Some(unlocked.session);
        if let Some(remark) = unlocked.remark(&clean_inline(serial)) {
            eprintln!("{remark}");
        }
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

    /// Sends it to its bootloader, with which the line ends, perhaps before its answer was read.
    ///
    /// # Errors
    /// What the token says.
    pub fn leave(&mut self) -> Result<(), Error> {
        if let Way::Port(token, interrupted) = &mut self.way {
            let mut person = Pressed {
                person: Person {
                    serial: &self.about.serial,
                    interrupted,
                },
                was_wanted: false,
            };
            match token.call(self.session, Command::Bootloader, &mut person) {
                Ok(Answer::Done) => {}
                Err(TokenError::Gone(_)) if person.was_wanted => {}
                Ok(_) => return Err(TokenError::Nonsense(self.about.serial.clone()).into()),
                Err(error) => return Err(error.into()),
            }
        } else {
            self.done(Command::Bootloader)?;
        }
        self.session = None;
        Ok(())
    }
}

/// A person who may have pressed the button.
struct Pressed<'a> {
    person: Person<'a>,
    was_wanted: bool,
}

impl Hand for Pressed<'_> {
    fn wanted(&mut self, press: Press) {
        self.was_wanted = true;
        self.person.wanted(press);
    }

    fn is_cancelled(&mut self) -> bool {
        self.person.is_cancelled()
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

/// Has the agent ask a token who it is.
fn about(client: &mut Client, serial: &str) -> Result<About, Error> {
    let about = passed(client, serial, Command::Hello, |answer| match answer {
        Answer::Hello(hello) => Some(About::from(hello)),
        _ => None,
    })?;
    about.ok_or_else(|| TokenError::Nonsense(serial.to_owned()).into())
}

/// Has the agent pass a command on.
fn passed<T>(
    client: &mut Client,
    serial: &str,
    command: Command<'_>,
    read: impl FnOnce(Answer<'_>) -> Option<T>,
) -> Result<Option<T>, Error> {
    // Commands hold PINs and seeds on the way.
    let bytes = postcard::to_allocvec(&command)
        .map(Zeroizing::new)
        .map_err(|_| Error::failed("a command has no bytes"))?;
    let answer = Zeroizing::new(client.token(serial, &bytes)?);
    Ok(postcard::from_bytes(&answer).ok().and_then(read))
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
