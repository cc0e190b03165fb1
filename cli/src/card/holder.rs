//! A process of `nkey-holder` of our own.

use crate::error::Error;
use crate::output::clean_inline;
use nkey_agent::cards::{self, Card};
use nkey_agent::child::{self, Child, Failed};
use nkey_agent::device::{Ask, Fault};
use nkey_agent::wire::Malformed;
use std::time::Duration;

/// How long a card may take; it may wait for a finger.
const PATIENCE: Duration = Duration::from_secs(120);

/// Starts one.
///
/// # Errors
/// If it is not there.
pub fn start() -> Result<Child, Error> {
    Child::start(&child::program()).map_err(Error::failed)
}

/// What it answers; `list` is the command that shows the cards that are there.
///
/// # Errors
/// What the card says; exit 3 for a wrong PIN.
pub fn ask(child: &mut Child, ask: &Ask<'_>, list: &str) -> Result<Vec<u8>, Error> {
    child.ask(ask, PATIENCE).map_err(|failed| match failed {
        Failed::Said(failure) => {
            let text = clean_inline(&failure.text);
            match failure.fault {
                Fault::WrongPin | Fault::Blocked => Error::refused(text),
                Fault::Absent => Error::failed(text).next(list),
                _ => Error::failed(text),
            }
        }
        Failed::Broken(why) => Error::failed(format!("nkey-holder: {}", clean_inline(&why))),
    })
}

/// The cards that are there, as `wish` lists them.
///
/// # Errors
/// If pcscd does not run.
pub fn cards(wish: &Ask<'_>, list: &str) -> Result<Vec<Card>, Error> {
    cards::read(&ask(&mut start()?, wish, list)?).map_err(nonsense)
}

/// An answer that is none.
pub fn nonsense(Malformed(why): Malformed) -> Error {
    Error::failed(format!("nkey-holder answers nonsense: {why}"))
}
