//! A card that is plugged in here: `nkey-holder` alone talks with it, no agent does.

use super::FAMILY;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::prompt;
use crate::source;
use clap::ValueEnum;
use nkey_agent::child::{self, Child, Failed};
use nkey_agent::device::{Ask, Fault};
use nkey_agent::manage::{self, Access, Management, Order, State};
use nkey_agent::wire::{Malformed, Reader, Writer};
use nkey_core::nkey::{Kind, PublicKey};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a card may take; it may wait for a finger.
const PATIENCE: Duration = Duration::from_secs(120);
/// The longest file with a PIN or management key, in bytes.
const MAX_SECRET: usize = 4096;
/// Most cards that are listed.
const MAX_CARDS: u32 = 64;

/// When a card asks for the PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PinPolicy {
    /// For no signature
    Never = 1,
    /// Once, until the card forgets it
    Once = 2,
    /// For each signature
    Always = 3,
}

/// When a card waits for a finger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TouchPolicy {
    /// For no signature
    Never = 1,
    /// For each signature
    Always = 2,
    /// For a signature, and not again for 15 seconds
    Cached = 3,
}

/// Where a new key goes.
#[derive(clap::Args)]
pub struct PlaceFlags {
    /// When the card asks for the PIN; the agent has it, so nobody types more
    #[arg(long, value_enum, default_value = "always")]
    pub pin_policy: PinPolicy,
    /// When the card waits for a touch
    #[arg(long, value_enum, default_value = "never")]
    pub touch_policy: TouchPolicy,
    /// Replace the key that the slot holds, which is this one; it is lost for good
    #[arg(long, value_name = "PUBLIC KEY")]
    pub overwrite: Option<String>,
}

impl PlaceFlags {
    /// The place in `slot` for a key of this kind.
    pub fn place(&self, slot: u8, kind: Kind) -> manage::Place<'_> {
        manage::Place {
            slot,
            kind,
            pin: self.pin_policy as u8,
            touch: self.touch_policy as u8,
            replace: self.overwrite.as_deref().unwrap_or_default(),
        }
    }
}

/// What opens a card for changes.
#[derive(clap::Args)]
pub struct AccessFlags {
    /// A file with the card's PIN, or - for standard input; else it is asked for if it is needed
    #[arg(long, value_name = "FILE")]
    pub pin_file: Option<String>,
    /// A file with the management key in hexadecimal, if it is not stored under the PIN
    #[arg(long, value_name = "FILE")]
    pub management_key_file: Option<String>,
}

/// A PIN and a management key, as far as they are needed.
pub struct Secrets {
    pin: Zeroizing<String>,
    management: Zeroizing<Vec<u8>>,
}

impl Secrets {
    /// What goes to the card.
    pub fn access(&self) -> Access<'_> {
        Access {
            pin: &self.pin,
            management: &self.management,
        }
    }
}

impl AccessFlags {
    /// Gets what this card needs. With `pin` the PIN is needed in any case.
    ///
    /// # Errors
    /// If a file cannot be read, or there is nobody to ask.
    pub fn secrets(&self, card: &mut Plugged, pin: bool) -> Result<Secrets, Error> {
        let management = match &self.management_key_file {
            None => Zeroizing::default(),
            Some(file) => hex(&secret_file(file)?)?,
        };
        let stored = management.is_empty() && card.state()?.management == Management::UnderPin;
        let pin = match (&self.pin_file, pin || stored) {
            (Some(file), _) => secret_file(file)?,
            (None, true) => prompt::secret(&format!("PIN of the card {}", card.serial))?,
            (None, false) => Zeroizing::default(),
        };
        Ok(Secrets { pin, management })
    }
}

fn hex(text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let text = text.trim();
    let bytes = (0..text.len()).step_by(2).map(|at| {
        let pair = text.get(at..at + 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    let wrong = || Error::usage("--management-key-file: it holds no key in hexadecimal");
    let bytes = bytes.collect::<Option<Vec<u8>>>().ok_or_else(wrong)?;
    match bytes.len() {
        16 | 24 | 32 => Ok(Zeroizing::new(bytes)),
        _ => Err(wrong()),
    }
}

/// The secret in a file; one last newline is no part of it.
///
/// # Errors
/// If it cannot be read.
pub fn secret_file(file: &str) -> Result<Zeroizing<String>, Error> {
    let text = source::read(file, MAX_SECRET)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Zeroizing::new(text.to_owned()))
}

/// A secret from a file, or asked for.
///
/// # Errors
/// If the file cannot be read, or there is nobody to ask.
pub fn secret(file: Option<&str>, question: &str) -> Result<Zeroizing<String>, Error> {
    match file {
        Some(file) => secret_file(file),
        None => prompt::secret(question),
    }
}

/// A new secret from a file, or asked for twice.
///
/// # Errors
/// If the file cannot be read, the two differ, or there is nobody to ask.
pub fn new_secret(file: Option<&str>, what: &str) -> Result<Zeroizing<String>, Error> {
    match file {
        Some(file) => secret_file(file),
        None => prompt::new_secret(what),
    }
}

/// The number of a slot.
///
/// # Errors
/// Exit 2 if it is none for keys.
pub fn slot(text: &str) -> Result<u8, Error> {
    let number = u8::from_str_radix(text, 16).ok();
    number
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
    fn slots_and_keys_are_read_strictly() {
        for good in ["9a", "9C", "9d", "9e", "82", "95"] {
            assert!(slot(good).is_ok(), "{good}");
        }
        for bad in ["9b", "f9", "96", "81", "", "9", "0x9a", "+9a"] {
            assert!(slot(bad).is_err(), "{bad}");
        }
        assert_eq!(hex(&"0a".repeat(24)).unwrap()[..], [10; 24]);
        for bad in ["", "0a", "zz", "é0", &"0a".repeat(25), &"0".repeat(47)] {
            assert!(hex(bad).is_err(), "{bad}");
        }
    }
}
