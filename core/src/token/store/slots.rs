//! Keys: what is said about one, and its seed, sealed with all of that.

use super::{Fault, RECORD};
use crate::nkey::{Kind, PublicKey};
use crate::token::flash::Place;
use crate::token::message::Details;
use crate::token::seal::{self, Sealed, Secret32};
use embedded_storage::nor_flash::NorFlash;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A key as it is stored.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(in crate::token) struct Stored<'a> {
    #[serde(borrow)]
    pub(in crate::token) details: Details<'a>,
    sealed: Sealed,
}

/// What is in a slot.
pub(in crate::token) enum Slot<'a> {
    Free,
    /// A record was there and is unreadable: a key is lost.
    Damaged,
    Key(Stored<'a>),
}

impl<'a> Slot<'a> {
    pub(in crate::token) fn read<F: NorFlash>(
        flash: &mut F,
        slot: u8,
        buf: &'a mut [u8; RECORD],
    ) -> Result<Slot<'a>, Fault> {
        let Some(found) = Place::Slot(slot).log::<F>().newest(flash, buf)? else {
            return Ok(Slot::Damaged);
        };
        Ok(
            match postcard::from_bytes::<Option<Stored<'a>>>(&buf[..found.len]) {
                Ok(None) => Slot::Free,
                Ok(Some(stored)) if stored.public_key().is_some() => Slot::Key(stored),
                _ => Slot::Damaged,
            },
        )
    }

    /// Frees a slot; its seed is erased.
    pub(in crate::token) fn erase<F: NorFlash>(flash: &mut F, slot: u8) -> Result<(), Fault> {
        Ok(Place::Slot(slot).log::<F>().append(flash, &[0])?)
    }
}

impl<'a> Stored<'a> {
    /// Seals a seed with all that is said about it. None: that is longer than any record.
    pub(in crate::token) fn new(
        slot: u8,
        details: Details<'a>,
        master: &[u8; 32],
        nonce: [u8; 12],
        seed: &[u8; 32],
        scratch: &mut [u8],
    ) -> Option<Stored<'a>> {
        let about = about(slot, &details, scratch)?;
        Some(Stored {
            details,
            sealed: seal::seal(master, nonce, &about, seed)?,
        })
    }

    /// The seed, if nothing that is said about it was changed.
    pub(in crate::token) fn open(
        &self,
        slot: u8,
        master: &[u8; 32],
        scratch: &mut [u8],
    ) -> Option<Secret32> {
        seal::open(master, &about(slot, &self.details, scratch)?, &self.sealed)
    }

    /// The public key; operators, accounts and users only.
    pub(in crate::token) fn public_key(&self) -> Option<PublicKey> {
        let kind = Kind::from_prefix(self.details.kind).ok()?;
        matches!(kind, Kind::Operator | Kind::Account | Kind::User)
            .then_some(PublicKey::from_bytes(kind, self.details.key))
    }

    pub(in crate::token) fn write<F: NorFlash>(
        &self,
        flash: &mut F,
        slot: u8,
        scratch: &mut [u8],
    ) -> Result<(), Fault> {
        let payload = postcard::to_slice(&Some(self), scratch).map_err(|_| Fault::Flash)?;
        Ok(Place::Slot(slot).log::<F>().append(flash, payload)?)
    }
}

fn about(slot: u8, details: &Details<'_>, scratch: &mut [u8]) -> Option<[u8; 32]> {
    let details = postcard::to_slice(details, scratch).ok()?;
    let mut hasher = Sha256::new();
    hasher.update(b"nkey-token-slot-v1\0");
    hasher.update([slot]);
    hasher.update(&*details);
    Some(hasher.finalize().into())
}
