//! `nkey adopt --store piv:NAME` and `openpgp:NAME`: bringing seeds into a card.

use super::prove;
use crate::card::openpgp;
use crate::commands::piv::card::Plugged;
use crate::commands::piv::flags::{AccessFlags, PinPolicy, Secrets, TouchPolicy};
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::inventory::Known;
use nkey_agent::client::Enrol;
use nkey_agent::manage::{Order, Place};
use nkey_core::nkey::Seed;

/// What the names of stores of PIV cards begin with.
const PIV: &str = "piv:";

/// Whether a store is a card that takes seeds.
pub fn is_one(store: &str) -> bool {
    store.starts_with(PIV) || store.starts_with(openpgp::PREFIX)
}

/// A card that takes seeds.
pub struct Card {
    store: String,
    way: Way,
}

enum Way {
    Piv(Plugged, Secrets),
    OpenPgp(openpgp::Opened),
}

impl Card {
    /// The card of a store; its PIN is asked for once.
    ///
    /// # Errors
    /// If there is no such store, or nobody to ask.
    pub fn open(
        store: &str,
        flags: &AccessFlags,
        admin_pin_file: Option<&str>,
        ctx: &mut Context,
    ) -> Result<Card, Error> {
        if store.starts_with(openpgp::PREFIX) {
            let opened = openpgp::Opened::new(store, admin_pin_file, ctx)?;
            return Ok(Card {
                store: opened.store().to_owned(),
                way: Way::OpenPgp(opened),
            });
        }
        let mut plugged = Plugged::open(store, ctx)?;
        let secrets = flags.secrets(&mut plugged, false)?;
        Ok(Card {
            store: store.to_owned(),
            way: Way::Piv(plugged, secrets),
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
        let slots = ctx.agent()?.slots(&self.store)?;
        let there = slots
            .into_iter()
            .find(|slot| slot.key == Some(*known.key.as_bytes()));
        let slot = match there {
            Some(slot) => slot.id,
            None => self.import(seed)?,
        };
        let name = known.name();
        ctx.agent()?.enrol(&Enrol {
            store: &self.store,
            slot: &slot,
            kind: known.key.kind(),
            name: &name,
            flags: 0,
            key: None,
        })?;
        Ok("imported, proved")
    }

    fn import(&mut self, seed: &Seed) -> Result<String, Error> {
        let (plugged, secrets) = match &mut self.way {
            Way::OpenPgp(opened) => return opened.import(seed).map(str::to_owned),
            Way::Piv(plugged, secrets) => (plugged, secrets),
        };
        let place = Place {
            slot: 0,
            kind: seed.kind(),
            pin: PinPolicy::Always as u8,
            touch: TouchPolicy::Never as u8,
            replace: "",
        };
        let order = Order::Import(place, secrets.access(), seed.as_bytes());
        let (slot, key) = plugged.key_of(&order, seed.kind())?;
        if key != seed.public_key() {
            return Err(Error::failed(format!(
                "slot {slot:02x} holds {key} now: do not use this card"
            )));
        }
        Ok(format!("{slot:02x}"))
    }
}
