//! A card that is plugged in here: `nkey-holder` alone talks with it, no agent does.

use super::FAMILY;
use crate::card::{ask, cards, nonsense, start};
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use nkey_agent::cards::Card;
use nkey_agent::child::Child;
use nkey_agent::device::Ask;
use nkey_agent::manage::{Order, State};
use nkey_agent::wire::{Malformed, Writer};
use nkey_core::nkey::{Kind, PublicKey};

/// What shows the cards that are there.
const LIST: &str = "nkey piv list --plugged";

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
        let wish = Ask::Manage {
            serial: &self.serial,
            order: bytes.as_bytes(),
        };
        ask(&mut self.child, &wish, LIST)
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
        .next(LIST)
    })
}

/// The cards that are plugged in.
///
/// # Errors
/// If nkey-holder cannot be started, or pcscd does not run.
pub fn plugged() -> Result<Vec<Card>, Error> {
    cards(&Ask::Cards, LIST)
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
