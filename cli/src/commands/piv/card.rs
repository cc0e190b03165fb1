//! A card that is plugged in here: `nkey-holder` alone talks with it, no agent does.

use super::FAMILY;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use nkey_agent::child::{self, Child, Failed};
use nkey_agent::device::{Ask, Fault};
use nkey_agent::manage::{self, Order, State};
use nkey_agent::wire::{Malformed, Reader, Writer};
use nkey_core::nkey::{Kind, PublicKey};
use std::time::Duration;

/// How long a card may take; it may wait for a finger.
const PATIENCE: Duration = Duration::from_secs(120);
/// Most cards that are listed.
const MAX_CARDS: u32 = 64;

/// The number of a slot.
///
/// # Errors
/// Exit 2 if it is none for keys.
pub fn slot(text: &str) -> Result<u8, Error> {
    let is_hex = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u8::from_str_radix(text, 16).ok();
    number
        .filter(|_| is_hex)
        .filter(|slot| matches!(slot, 0x9a | 0x9c | 0x9d | 0x9e | 0x82..=0x95))
        .ok_or_else(|| {
            Error::usage(format!(
                "{} is no slot for a key: there are 9a, 9c, 9d, 9e and 82 to 95",
                clean_inline(text)
            ))
        })
}

/// A kind that cards hold, of those asked for.
///
/// # Errors
/// Exit 2 if there is not exactly one.
pub fn kind(kinds: &[Kind]) -> Result<Kind, Error> {
    match kinds {
        [kind @ (Kind::Operator | Kind::Account | Kind::User)] => Ok(*kind),
        _ => Err(Error::usage(
            "say what kind of key it shall be: -o (operator), -a (account) or -u (user)",
        )),
    }
}

/// A card, by its serial number.
pub struct Plugged {
    serial: String,
    child: Child,
    state: Option<State>,
}

impl Plugged {
    /// The card with a serial number, or that holders.toml gives a name.
    ///
    /// # Errors
    /// If there is no such name, or nkey-holder cannot be started.
    pub fn open(card: &str, ctx: &mut Context) -> Result<Plugged, Error> {
        let serial = if !card.is_empty() && card.bytes().all(|byte| byte.is_ascii_digit()) {
            card.to_owned()
        } else {
            named(card, ctx)?
        };
        Ok(Plugged {
            serial,
            child: start()?,
            state: None,
        })
    }

    /// Its serial number.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// Has an order done: what the card tells.
    ///
    /// # Errors
    /// What the card says; exit 3 for a wrong PIN.
    pub fn order(&mut self, order: &Order<'_>) -> Result<Vec<u8>, Error> {
        let mut bytes = Writer::new();
        order.write(&mut bytes);
        let ask = Ask::Manage {
            serial: &self.serial,
            order: bytes.as_bytes(),
        };
        answer(self.child.ask(&ask, PATIENCE))
    }

    /// The order, with the slot and the key that it answers.
    ///
    /// # Errors
    /// As [`Plugged::order`].
    pub fn key_of(&mut self, order: &Order<'_>, kind: Kind) -> Result<(u8, PublicKey), Error> {
        let answer = self.order(order)?;
        let read = answer.split_first().and_then(|(slot, key)| {
            let key = PublicKey::from_bytes(kind, key.try_into().ok()?);
            Some((*slot, key))
        });
        read.ok_or_else(|| nonsense(Malformed("no key")))
    }

    /// What is at its default.
    ///
    /// # Errors
    /// As [`Plugged::order`].
    pub fn state(&mut self) -> Result<State, Error> {
        if let Some(state) = self.state {
            return Ok(state);
        }
        let state = State::read(&self.order(&Order::State)?).map_err(nonsense)?;
        Ok(*self.state.insert(state))
    }
}

fn named(card: &str, ctx: &mut Context) -> Result<String, Error> {
    let name = FAMILY.store(card);
    let stores = ctx.agent()?.stores()?;
    let place = stores.into_iter().find(|store| store.name == name);
    let serial = place.and_then(|store| store.place.strip_prefix("card ").map(str::to_owned));
    serial.ok_or_else(|| {
        Error::failed(format!(
            "holders.toml names no card {}, and it is no serial number",
            clean_inline(card)
        ))
        .next("nkey piv list --plugged")
    })
}

fn start() -> Result<Child, Error> {
    Child::start(&child::program()).map_err(Error::failed)
}

/// What nkey-holder said, as this program's error.
fn answer(answer: Result<Vec<u8>, Failed>) -> Result<Vec<u8>, Error> {
    answer.map_err(|failed| match failed {
        Failed::Said(failure) => match failure.fault {
            Fault::WrongPin | Fault::Blocked => Error::refused(failure.text),
            _ => Error::failed(failure.text),
        },
        Failed::Broken(why) => Error::failed(format!("nkey-holder: {why}")),
    })
}

/// An answer that is none.
pub fn nonsense(Malformed(why): Malformed) -> Error {
    Error::failed(format!("nkey-holder answers nonsense: {why}"))
}

/// The cards that are plugged in.
///
/// # Errors
/// If nkey-holder cannot be started, or pcscd does not run.
pub fn plugged() -> Result<Vec<manage::Card>, Error> {
    let body = answer(start()?.ask(&Ask::Cards, PATIENCE))?;
    let mut reader = Reader::new(&body);
    let count = reader.uint32().map_err(nonsense)?.min(MAX_CARDS);
    let cards = (0..count).map(|_| manage::Card::read(&mut reader));
    cards.collect::<Result<_, _>>().map_err(nonsense)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_read_strictly() {
        for good in ["9a", "9C", "9d", "9e", "82", "95"] {
            assert!(slot(good).is_ok(), "{good}");
        }
        for bad in ["9b", "f9", "96", "81", "", "9", "0x9a", "+9a"] {
            assert!(slot(bad).is_err(), "{bad}");
        }
    }
}
