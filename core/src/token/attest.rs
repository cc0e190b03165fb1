//! The statement that a device key signs about a slot.

use super::message::Details;
use crate::Signature;
use crate::nkey::{Kind, PublicKey};
use crate::policy::Policy;
use serde::Serialize;
use sha2::{Digest, Sha256};

const LABEL: &[u8; 26] = b"nkey-token-attestation-v1\0";

/// Bytes of a statement.
pub const ATTESTATION_LEN: usize = LABEL.len() + 32 + 1 + 1 + 32 + 1 + 1 + 32 + 4 + 1 + 32 + 8 + 32;

/// What a token states about one of its slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attested {
    /// The token's device key.
    pub device: [u8; 32],
    /// The slot, from 0.
    pub slot: u8,
    /// The key there.
    pub key: PublicKey,
    /// Whether it was made elsewhere.
    pub imported: bool,
    /// Whether it may leave, sealed to the backup peer.
    pub exportable: bool,
    /// SHA-256 of its policy as the token stores it.
    pub policy: [u8; 32],
    /// How often its policy was changed.
    pub generation: u32,
    /// Whether its policy was ever loosened.
    pub loosened: bool,
    /// What the firmware says its own hash is.
    pub firmware: [u8; 32],
    /// The token's counter of signatures, this one included.
    pub counter: u64,
    /// What the asker sent.
    pub challenge: [u8; 32],
}

/// SHA-256 of something as the token stores it; zeros if it is too long to be stored.
pub(super) fn digest(value: &impl Serialize, scratch: &mut [u8]) -> [u8; 32] {
    postcard::to_slice(value, scratch).map_or([0; 32], |bytes| Sha256::digest(&*bytes).into())
}

/// SHA-256 of a policy, as statements have it.
pub fn policy_hash(policy: &Policy<'_>) -> [u8; 32] {
    digest(policy, &mut [0; 1024])
}

impl Attested {
    pub(super) fn kind_of(details: &Details<'_>) -> Option<PublicKey> {
        let kind = Kind::from_prefix(details.kind).ok()?;
        Some(PublicKey::from_bytes(kind, details.key))
    }

    pub(super) fn write(&self) -> [u8; ATTESTATION_LEN] {
        let mut statement = [0u8; ATTESTATION_LEN];
        let mut rest = &mut statement[..];
        let pieces: [&[u8]; 13] = [
            LABEL,
            &self.device,
            &[self.slot],
            &[self.key.kind().prefix()],
            self.key.as_bytes(),
            &[u8::from(self.imported)],
            &[u8::from(self.exportable)],
            &self.policy,
            &self.generation.to_le_bytes(),
            &[u8::from(self.loosened)],
            &self.firmware,
            &self.counter.to_le_bytes(),
            &self.challenge,
        ];
        for piece in pieces {
            let (front, back) = rest.split_at_mut(piece.len());
            front.copy_from_slice(piece);
            rest = back;
        }
        statement
    }
}

/// Reads a statement whose signature is that of the device key pinned before.
///
/// None: another form, another device's, or not signed by it. What it says is the word of
/// whoever holds the device key, and shows continuity with the board on which that key was
/// pinned, nothing more.
pub fn read_attestation(
    device: &[u8; 32],
    statement: &[u8],
    signature: &Signature,
) -> Option<Attested> {
    let key = PublicKey::from_bytes(Kind::Server, *device);
    if !key.verify(statement, signature) {
        return None;
    }
    let rest = statement.strip_prefix(LABEL)?;
    let (stated, rest) = rest.split_first_chunk::<32>()?;
    let (&[slot, kind], rest) = rest.split_first_chunk::<2>()?;
    let (public, rest) = rest.split_first_chunk::<32>()?;
    let (&[imported, exportable], rest) = rest.split_first_chunk::<2>()?;
    let (policy, rest) = rest.split_first_chunk::<32>()?;
    let (generation, rest) = rest.split_first_chunk::<4>()?;
    let (&[loosened], rest) = rest.split_first_chunk::<1>()?;
    let (firmware, rest) = rest.split_first_chunk::<32>()?;
    let (counter, rest) = rest.split_first_chunk::<8>()?;
    let challenge: &[u8; 32] = rest.try_into().ok()?;
    let flag = |byte| match byte {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    };
    (stated == device).then_some(())?;
    Some(Attested {
        device: *device,
        slot,
        key: PublicKey::from_bytes(Kind::from_prefix(kind).ok()?, *public),
        imported: flag(imported)?,
        exportable: flag(exportable)?,
        policy: *policy,
        generation: u32::from_le_bytes(*generation),
        loosened: flag(loosened)?,
        firmware: *firmware,
        counter: u64::from_le_bytes(*counter),
        challenge: *challenge,
    })
}
