//! Stores, the slots of key holders, and enrolling their keys.

use super::{Client, Error};
use crate::message::{Name, condition, mark};
use nkey_core::nkey::{Kind, PublicKey};
use std::str::FromStr;

/// A store and what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreInfo {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub place: String,
    /// One of [`condition`].
    pub condition: u8,
    /// Why it is absent; else empty.
    pub why: String,
    /// Its serial number; may be empty.
    pub serial: String,
    /// The longest message it signs, in bytes; 0 if it is absent.
    pub limit: u32,
    /// What it asks for before it signs; may be empty.
    pub policy: String,
    /// [`mark`] bits.
    pub marks: u32,
    /// How many keys of it the agent has.
    pub keys: u32,
    /// The device key that they were pinned with, if it has one.
    pub device: Option<[u8; 32]>,
}

impl StoreInfo {
    /// Its state in a word.
    pub const fn state(&self) -> &'static str {
        match self.condition {
            condition::READY => "ready",
            condition::LOCKED => "locked",
            _ => "absent",
        }
    }

    /// Whether other software can use its keys without the agent.
    pub const fn is_shared(&self) -> bool {
        self.marks & mark::SHARED != 0
    }
}

/// A slot of a key holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotInfo {
    /// What the holder calls it.
    pub id: String,
    /// What people call it; may be empty.
    pub label: String,
    /// Its Ed25519 key, if it shows one.
    pub key: Option<[u8; 32]>,
    /// Why it cannot be enrolled; else empty.
    pub trouble: String,
    /// The key that is enrolled from it.
    pub enrolled: Option<PublicKey>,
}

/// What to enrol.
#[derive(Clone, Copy, Debug)]
pub struct Enrol<'a> {
    /// The store.
    pub store: &'a str,
    /// The slot's id or label.
    pub slot: &'a str,
    /// The kind that the key shall have.
    pub kind: Kind,
    /// Its name in the agent.
    pub name: &'a str,
    /// [`crate::message::flag`] bits.
    pub flags: u32,
    /// The key, for a slot that does not show it.
    pub key: Option<PublicKey>,
}

/// A key of 32 bytes, or none.
fn bytes32(bytes: &[u8]) -> Result<Option<[u8; 32]>, Error> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let key = bytes.try_into();
    key.map(Some)
        .map_err(|_| Error::Answer("a key that is not 32 bytes"))
}

impl Client {
    /// The agent's stores.
    ///
    /// # Errors
    /// If the agent does not answer as it should.
    pub fn stores(&mut self) -> Result<Vec<StoreInfo>, Error> {
        let mut body = self.ask(Name::Stores, |_| {})?;
        let mut stores = Vec::new();
        for _ in 0..body.uint32()? {
            stores.push(StoreInfo {
                name: body.text()?.to_owned(),
                place: body.text()?.to_owned(),
                condition: body.byte()?,
                why: body.text()?.to_owned(),
                serial: body.text()?.to_owned(),
                limit: body.uint32()?,
                policy: body.text()?.to_owned(),
                marks: body.uint32()?,
                keys: body.uint32()?,
                device: bytes32(body.string()?)?,
            });
        }
        body.end()?;
        Ok(stores)
    }

    /// The slots of a store whose keys are enrolled.
    ///
    /// # Errors
    /// [`Error::Refused`] with the agent's reason.
    pub fn slots(&mut self, store: &str) -> Result<Vec<SlotInfo>, Error> {
        let mut body = self.ask(Name::Slots, |request| {
            request.string(store.as_bytes());
        })?;
        let mut slots = Vec::new();
        for _ in 0..body.uint32()? {
            slots.push(SlotInfo {
                id: body.text()?.to_owned(),
                label: body.text()?.to_owned(),
                key: bytes32(body.string()?)?,
                trouble: body.text()?.to_owned(),
                enrolled: match body.text()? {
                    "" => None,
                    text => Some(PublicKey::from_str(text)?),
                },
            });
        }
        body.end()?;
        Ok(slots)
    }

    /// Enrols a key: the holder proves that it has it, and the agent pins it.
    ///
    /// # Errors
    /// [`Error::Refused`] with the agent's reason.
    pub fn enrol(&mut self, wanted: &Enrol<'_>) -> Result<PublicKey, Error> {
        let key = wanted.key.map(|key| key.to_string()).unwrap_or_default();
        let mut body = self.ask(Name::Enrol, |request| {
            request
                .string(wanted.store.as_bytes())
                .string(wanted.slot.as_bytes())
                .string(wanted.kind.name().as_bytes())
                .string(wanted.name.as_bytes())
                .uint32(wanted.flags)
                .string(key.as_bytes());
        })?;
        let key = PublicKey::from_str(body.text()?)?.expect_kind(wanted.kind)?;
        body.end()?;
        Ok(key)
    }

    /// Makes a key that is born in a store.
    ///
    /// # Errors
    /// [`Error::Refused`] with the agent's reason.
    pub fn generate_in(
        &mut self,
        store: &str,
        kind: Kind,
        name: &str,
        flags: u32,
    ) -> Result<PublicKey, Error> {
        let mut body = self.ask(Name::GenerateIn, |request| {
            request
                .string(store.as_bytes())
                .string(kind.name().as_bytes())
                .string(name.as_bytes())
                .uint32(flags);
        })?;
        Ok(PublicKey::from_str(body.text()?)?.expect_kind(kind)?)
    }
}
