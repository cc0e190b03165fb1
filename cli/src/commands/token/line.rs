//! The line to a token: its port, or the agent that holds it.

use super::ask::{Person, PinFlag};
use super::words;
use crate::context::Context;
use crate::error::{Error, Exit};
use crate::output::{clean, clean_inline};
use crate::store::keys::interruption;
use nkey_agent::client::{Client, StoreInfo};
use nkey_agent::message::condition;
use nkey_agent::token::{About, Found, Hand, Place, Token, TokenError, find};
use nkey_core::token::{Answer, Command, Press, Session, State, TRIES, VIRTUAL};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use zeroize::Zeroizing;

/// What the names of tokens' stores begin with.
pub const PREFIX: &str = "token:";

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

    /// Their serial numbers.
    pub fn serials(&self) -> Vec<String> {
        self.find().into_iter().map(|found| found.serial).collect()
    }

    /// The place of a token at this port.
    pub fn place(&self, port: &Path, serial: Option<&str>) -> Place {
        Place {
            port: port.to_owned(),
            serial: serial.map(str::to_owned),
            allow_virtual: self.allow_virtual.clone(),
        }
    }
}

/// A token that can be reached.
enum Reach {
    /// At this port.
    Port(Place),
    /// At a port that USB names.
    Usb(String),
    /// The agent has it: its serial number.
    Agent(String),
}

/// The agent's stores that are tokens; none without an agent.
///
/// # Errors
/// If the agent does not answer as it should.
pub fn stores(ctx: &mut Context) -> Result<Vec<StoreInfo>, Error> {
    let agent = match ctx.agent() {
        Ok(agent) => agent,
        Err(error) if error.code() == Exit::NoAgent as u8 => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut stores = agent.stores()?;
    stores.retain(|store| store.name.starts_with(PREFIX));
    Ok(stores)
}

/// Which of these tokens is meant: the one that is named, or the only one.
///
/// # Errors
/// If it is not there, or several are and none is named.
pub fn choose(wanted: Option<&str>, serials: &[String]) -> Result<String, Error> {
    let all = clean_inline(&serials.join(", "));
    match (wanted, serials) {
        (Some(wanted), serials) if serials.iter().any(|serial| serial == wanted) => {
            Ok(wanted.to_owned())
        }
        (Some(wanted), serials) => {
            let wanted = clean_inline(wanted);
            Err(Error::failed(match serials {
                [] => format!("the token {wanted} is not plugged in, nor is any other"),
                _ => format!("the token {wanted} is not plugged in, but {all}"),
            }))
        }
        (None, []) => Err(Error::failed(
            "no token is plugged in; a bare board becomes one by `nkey token flash`",
        )),
        (None, [one]) => Ok(one.clone()),
        (None, _) => Err(Error::usage(format!(
            "several tokens are plugged in: name one of {all}"
        ))),
    }
}

impl LineFlags {
    fn reach(&self, ctx: &mut Context, serial: Option<&str>) -> Result<Reach, Error> {
        if let Some(port) = &self.port {
            return Ok(Reach::Port(self.place(port, serial)));
        }
        let stores = stores(ctx)?;
        let usb = self.serials();
        // The store's name stands for the token as well.
        let by_name = stores
            .iter()
            .find(|store| Some(store.name.as_str()) == serial);
        let serial = by_name.map(|store| store.serial.as_str()).or(serial);
        let mut serials = usb.clone();
        for store in &stores {
            let there =
                store.condition != condition::ABSENT || Some(store.serial.as_str()) == serial;
            if there && !serials.contains(&store.serial) {
                serials.push(store.serial.clone());
            }
        }
        serials.dedup();
        let serial = choose(serial, &serials)?;
        let held = stores
            .iter()
            .any(|store| store.serial == serial && store.condition == condition::READY);
        Ok(match !held && usb.contains(&serial) {
            true => Reach::Usb(serial),
            false => Reach::Agent(serial),
        })
    }
}

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
    pub fn unlock(&mut self, ctx: &Context, pin: &PinFlag) -> Result<(), Error> {
        self.require_usable()?;
        if self.is_held() {
            return Ok(());
        }
        let left = Some(self.tries()?).filter(|left| *left < TRIES);
        let pin = pin.read(self.serial(), left)?;
        self.unlock_with(ctx, pin.as_bytes())
    }

    /// Opens a session with this PIN.
    ///
    /// # Errors
    /// Exit 3 if it is wrong.
    pub fn unlock_with(&mut self, ctx: &Context, pin: &[u8]) -> Result<(), Error> {
        if self.is_held() {
            return Ok(());
        }
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
