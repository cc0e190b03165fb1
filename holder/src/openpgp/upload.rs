//! A key that is brought to a card.

use super::fingerprint::{ED25519, of_ed25519};
use nkey_agent::device::Failure;
use nkey_core::nkey::{Kind, Seed};
use openpgp_card::ocard::crypto::{CardUploadableKey, EccKey, EccType, PrivateKeyMaterial};
use openpgp_card::ocard::data::{Fingerprint, KeyGenerationTime};
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// An Ed25519 key, as one that was made now.
pub struct Upload {
    key: Pair,
    time: u32,
}

#[derive(Clone)]
struct Pair {
    seed: Zeroizing<[u8; 32]>,
    public: [u8; 32],
    /// As OpenPGP writes it.
    point: Vec<u8>,
}

impl Upload {
    /// The key of a seed.
    ///
    /// # Errors
    /// If it does not have 32 bytes.
    pub fn new(seed: &[u8]) -> Result<Upload, Failure> {
        let seed: [u8; 32] = seed
            .try_into()
            .map_err(|_| Failure::other("a seed has 32 bytes"))?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let time = since.ok().and_then(|since| since.as_secs().try_into().ok());
        // The kind is no part of the key.
        let public = Seed::from_bytes(Kind::User, seed).public_key();
        Ok(Upload {
            key: Pair {
                seed: Zeroizing::new(seed),
                public: *public.as_bytes(),
                point: [&[0x40][..], public.as_bytes()].concat(),
            },
            time: time.unwrap_or(0),
        })
    }
}

impl CardUploadableKey for Upload {
    fn private_key(&self) -> Result<PrivateKeyMaterial, openpgp_card::Error> {
        Ok(PrivateKeyMaterial::E(Box::new(self.key.clone())))
    }

    fn timestamp(&self) -> KeyGenerationTime {
        self.time.into()
    }

    fn fingerprint(&self) -> Result<Fingerprint, openpgp_card::Error> {
        of_ed25519(&self.key.public, self.time)
    }
}

impl EccKey for Pair {
    fn oid(&self) -> &[u8] {
        &ED25519
    }

    fn private(&self) -> &[u8] {
        &self.seed[..]
    }

    fn public(&self) -> &[u8] {
        &self.point
    }

    fn ecc_type(&self) -> EccType {
        EccType::EdDSA
    }
}
