//! `nkey token unlock`.

use super::ask::PinFlag;
use super::reach::{choose, stores};
use crate::context::Context;
use crate::error::Error;
use crate::output::{clean, clean_inline};
use crate::prompt::Terminal;
use nkey_agent::client::{self, Prompt};
use nkey_agent::message::condition;
use serde_json::json;
use zeroize::Zeroizing;

#[derive(clap::Args)]
pub struct Args {
    /// The token's serial number; not needed if only one is plugged in
    #[arg(value_name = "SERIAL")]
    serial: Option<String>,
    #[command(flatten)]
    pin: PinFlag,
    /// Print JSON
    #[arg(long, short = 'J')]
    json: bool,
}

/// Opens a session that the agent holds, until it is locked, idle or unplugged. The agent gives
/// the PIN to the token once and forgets it.
///
/// # Errors
/// Exit 3 if the PIN is wrong, 4 if there is no agent.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let store = store(ctx, args.serial.as_deref())?;
    let mut given = Given {
        pin: args.pin.given()?,
        terminal: args.pin.pin_file.is_none().then(Terminal::default),
    };
    let unlocked = ctx.agent()?.unlock_store(&store, &mut given);
    let failure = given.terminal.and_then(|terminal| terminal.failure);
    if let (Err(client::Error::Cancelled), Some(failure)) = (&unlocked, failure) {
        return Err(failure);
    }
    unlocked?;
    if args.json {
        return ctx.out.json(&json!({ "store": store, "unlocked": true }));
    }
    ctx.out.note(format!("unlocked {}", clean_inline(&store)));
    Ok(())
}

/// The store that is the token: named by its serial number or the store's name, or the only one.
///
/// # Errors
/// Exit 4 if there is no agent, which alone keeps a session.
pub fn store(ctx: &mut Context, wanted: Option<&str>) -> Result<String, Error> {
    ctx.agent().map_err(|error| match error.code() {
        4 => Error::no_agent(
            "only an agent keeps a session, and none runs; commands that go to the token directly ask for its PIN",
        )
        .next("nkey agent start"),
        _ => error,
    })?;
    let stores = stores(ctx)?;
    if let Some(store) = stores
        .iter()
        .find(|store| Some(store.name.as_str()) == wanted)
    {
        return Ok(store.name.clone());
    }
    let there: Vec<String> = stores
        .iter()
        .filter(|store| {
            store.condition != condition::ABSENT || Some(store.serial.as_str()) == wanted
        })
        .map(|store| store.serial.clone())
        .collect();
    let serial = choose(wanted, &there)?;
    let found = stores.into_iter().find(|store| store.serial == serial);
    Ok(found.map_or(serial, |store| store.name))
}

/// The PIN of a file, else what is typed.
struct Given {
    pin: Option<Zeroizing<String>>,
    terminal: Option<Terminal>,
}

impl Prompt for Given {
    fn message(&mut self, text: &str) {
        eprintln!("{}", clean(text));
    }

    fn secret(&mut self, text: &str) -> Option<Zeroizing<String>> {
        match self.pin.take() {
            Some(pin) => Some(pin),
            None => self.terminal.as_mut()?.secret(text),
        }
    }

    fn public(&mut self, text: &str) -> Option<String> {
        self.terminal.as_mut()?.public(text)
    }

    fn confirm(&mut self, text: &str) -> Option<bool> {
        match &mut self.terminal {
            Some(terminal) => terminal.confirm(text),
            // A file agrees to nothing; whoever asked says what that means.
            None => Some(false),
        }
    }
}
