//! Keys that are made in a store of the agent.

use super::openpgp::{Opened, PREFIX};
use crate::context::Context;
use crate::error::Error;
use nkey_core::nkey::{Kind, PublicKey};
use std::collections::BTreeMap;

/// Makes keys where a person wants them. The admin PIN of a card is asked for once.
#[derive(Default)]
pub struct Maker {
    cards: BTreeMap<String, Opened>,
}

impl Maker {
    /// Makes a key in a store and has it enrolled.
    ///
    /// # Errors
    /// What the card and the agent say.
    pub fn generate(
        &mut self,
        ctx: &mut Context,
        store: &str,
        kind: Kind,
        name: &str,
        flags: u32,
    ) -> Result<PublicKey, Error> {
        if !store.starts_with(PREFIX) {
            return Ok(ctx.agent()?.generate_in(store, kind, name, flags)?);
        }
        if !self.cards.contains_key(store) {
            let opened = Opened::new(store, None, ctx)?;
            self.cards.insert(store.to_owned(), opened);
        }
        match self.cards.get_mut(store) {
            Some(card) => card.generate(kind, name, flags, ctx),
            None => Err(Error::failed("the card is not there")),
        }
    }
}
