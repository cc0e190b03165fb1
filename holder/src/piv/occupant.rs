//! Slots, and what lies in them.

use super::manage::{caught, told};
use super::places;
use nkey_agent::device::Failure;
use nkey_core::nkey::{Kind, PublicKey};
use sha2::{Digest, Sha256};
use std::str::FromStr;
use yubikey::piv::{self, AlgorithmId, SlotAlgorithmId, SlotId};
use yubikey::{Error, YubiKey};

/// The slot, if keys of people go there.
pub fn slot_id(slot: u8) -> Result<SlotId, Failure> {
    places()
        .any(|place| place == slot)
        .then_some(slot)
        .and_then(|slot| SlotId::try_from(slot).ok())
        .ok_or_else(|| {
            Failure::other(format!(
                "{slot:02x} is no slot for a key: there are 9a, 9c, 9d, 9e and 82 to 95"
            ))
        })
}

/// The object that holds the slot's certificate.
pub fn object(slot: u8) -> u32 {
    match slot {
        0x9a => 0x005f_c105,
        0x9c => 0x005f_c10a,
        0x9d => 0x005f_c10b,
        0x9e => 0x005f_c101,
        retired => 0x005f_c10d + u32::from(retired.saturating_sub(0x82)),
    }
}

/// What lies in a slot.
pub enum Occupant {
    Ed25519([u8; 32]),
    /// Another key, or a certificate alone: what it is, and its name.
    Other(&'static str, String),
}

impl Occupant {
    pub fn is_named(&self, text: &str) -> bool {
        match self {
            Occupant::Ed25519(bytes) => {
                PublicKey::from_str(text).is_ok_and(|key| key.as_bytes() == bytes)
            }
            Occupant::Other(_, name) => name == text,
        }
    }

    pub fn describe(&self, kind: Kind) -> String {
        match self {
            Occupant::Ed25519(bytes) => {
                format!("the key {}", PublicKey::from_bytes(kind, *bytes))
            }
            Occupant::Other(what, name) => format!("{what}, {name}"),
        }
    }
}

fn fingerprint(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

pub fn occupant(key: &mut YubiKey, slot: u8) -> Result<Option<Occupant>, Failure> {
    let doing = "reading the slot";
    let id = slot_id(slot)?;
    match caught(|| piv::metadata(key, id)) {
        Ok(metadata) => {
            let public = metadata
                .public
                .map(|public| public.subject_public_key.raw_bytes().to_vec())
                .unwrap_or_default();
            let is_ours = metadata.algorithm == SlotAlgorithmId::Asymmetric(AlgorithmId::Ed25519);
            return Ok(Some(match <[u8; 32]>::try_from(public.as_slice()) {
                Ok(bytes) if is_ours => Occupant::Ed25519(bytes),
                _ => Occupant::Other("another kind of key", fingerprint(&public)),
            }));
        }
        Err(Error::NotFound) => {}
        Err(error) => return Err(told(doing, error)),
    }
    match caught(|| key.fetch_object(object(slot))) {
        Ok(object) if !object.is_empty() => Ok(Some(Occupant::Other(
            "a certificate without a key",
            fingerprint(&object),
        ))),
        Ok(_) | Err(Error::NotFound) => Ok(None),
        Err(error) => Err(told(doing, error)),
    }
}

/// The Ed25519 key that a slot shows now.
pub fn shown(key: &mut YubiKey, slot: u8) -> Result<[u8; 32], Failure> {
    match occupant(key, slot)? {
        Some(Occupant::Ed25519(bytes)) => Ok(bytes),
        _ => Err(Failure::other(format!(
            "slot {slot:02x} shows no Ed25519 key after it was told to take one"
        ))),
    }
}

/// The retired slots come first: other software uses the others by their names.
pub fn free(key: &mut YubiKey) -> Result<u8, Failure> {
    for slot in (0x82..=0x95).chain([0x9a, 0x9c, 0x9d, 0x9e]) {
        if occupant(key, slot)?.is_none() {
            return Ok(slot);
        }
    }
    Err(Failure::other("all its slots hold keys or certificates"))
}
