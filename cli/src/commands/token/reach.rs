//! Which token is meant, and how it is reached.

use super::line::Line;
use crate::context::Context;
use crate::error::{Error, Exit};
use crate::output::clean_inline;
use nkey_agent::client::StoreInfo;
use nkey_agent::message::condition;
use nkey_agent::token::{Found, Place, find};
use std::path::{Path, PathBuf};

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
pub enum Reach {
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
    /// How the token is reached.
    ///
    /// # Errors
    /// If it is not there, or several are and none is named.
    pub fn reach(&self, ctx: &mut Context, serial: Option<&str>) -> Result<Reach, Error> {
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
