//! `nkey adopt --store piv:NAME`: bringing seeds into a card.

use super::prove;
use crate::commands::piv::card::Plugged;
use crate::commands::piv::flags::{AccessFlags, PinPolicy, Secrets, TouchPolicy};
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::inventory::Known;
use nkey_agent::client::Enrol;
use nkey_agent::manage::{Order, Place};
use nkey_core::nkey::Seed;

/// What the names of its stores begin with.
pub const PREFIX: &str = "piv:";

/// A card that takes seeds.
pub struct Card<'a> {
    store: &'a str,
    plugged: Plugged,
    secrets: Secrets,
}

impl<'a> Card<'a> {
    /// The card of a store; its PIN is asked for once.
    ///
    /// # Errors
    /// If there is no such store, or nobody to ask.
    pub fn open(store: &'a str, flags: &AccessFlags, ctx: &mut Context) -> Result<Card<'a>, Error> {
        let mut plugged = Plugged::open(store, ctx)?;
        let secrets = flags.secrets(&mut plugged, false)?;
        Ok(Card {
            store,
            plugged,
            secrets,
        })
    }

    /// Puts a seed into the first slot that is free, if it is in none, and has the agent enrol it,
    /// for which the card proves that it has it.
    ///
    /// # Errors
    /// If another store of the agent has the key; what the card says.
    pub fn adopt(
        &mut self,
        known: &Known,
        seed: &Seed,
        ctx: &mut Context,
    ) -> Result<&'static str, Error> {
        if let Some(info) = &known.agent {
            if info.store != self.store {
                let store = clean_inline(&info.store);
                return Err(Error::failed(format!(
                    "the agent has it in {store} already"
                )));
            }
            prove::held(ctx, &known.key)?;
            return Ok("already there, proved");
        }
        let slots = ctx.agent()?.slots(self.store)?;
        let there = slots
            .into_iter()
            .find(|slot| slot.key == Some(*known.key.as_bytes()));
        let slot = match there {
            Some(slot) => slot.id,
            None => self.import(seed)?,
        };
        let name = known.name();
        ctx.agent()?.enrol(&Enrol {
            store: self.store,
            slot: &slot,
            kind: known.key.kind(),
            name: &name,
            flags: 0,
            key: None,
        })?;
        Ok("imported, proved")
    }

    fn import(&mut self, seed: &Seed) -> Result<String, Error> {
        let place = Place {
            slot: 0,
            kind: seed.kind(),
            pin: PinPolicy::Always as u8,
            touch: TouchPolicy::Never as u8,
            replace: "",
        };
        let order = Order::Import(place, self.secrets.access(), seed.as_bytes());
        let (slot, key) = self.plugged.key_of(&order, seed.kind())?;
        if key != seed.public_key() {
            return Err(Error::failed(format!(
                "slot {slot:02x} holds {key} now: do not use this card"
            )));
        }
        Ok(format!("{slot:02x}"))
    }
}
