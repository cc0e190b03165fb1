//! A key held in locked memory: signs twice, by two libraries, and compares.

use super::StoreError;
use super::locked::Secret;
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign};
use nkey_core::Signature;
use nkey_core::nkey::{KeyPair, PublicKey, Seed};
use sha2::{Digest, Sha512};
use zeroize::{Zeroize, Zeroizing};

const PAIR: usize = 64;
const WHOLE: usize = 128;

/// A key and its public half.
///
/// An Ed25519 key is kept twice, once for each computation: seed and public key (RFC 8032) for
/// ed25519-compact, and the SHA-512 of the seed with a decompressed public key for ed25519-dalek.
/// Memory that flips a bit in one of them makes the two signatures differ, and none leaves.
pub(super) struct Held {
    secret: Secret,
    key: PublicKey,
    second: Option<VerifyingKey>,
}

impl Held {
    /// Holds the key of `seed`. Both public halves are derived from it here, each by the library
    /// that uses it: one from elsewhere would leak the key (two public keys, one nonce).
    pub(super) fn new(seed: &Seed) -> Result<Held, StoreError> {
        super::admit::seed(seed)?;
        let key = seed.public_key();
        let cannot_hold = |error| StoreError::Io("no memory for a key".into(), error);
        if !key.kind().can_sign() {
            let secret = Secret::fill(32, |bytes| bytes.copy_from_slice(seed.as_bytes()));
            return Ok(Held {
                secret: secret.map_err(cannot_hold)?,
                key,
                second: None,
            });
        }
        let pair = KeyPair::from_seed(seed).map_err(StoreError::Seed)?;
        let mut expanded = Sha512::digest(seed.as_bytes());
        let secret = Secret::fill(WHOLE, |bytes| {
            bytes[..PAIR].copy_from_slice(pair.expanded());
            bytes[PAIR..].copy_from_slice(&expanded);
        });
        let second = VerifyingKey::from(&ExpandedSecretKey::from_bytes(expanded.as_ref()));
        expanded.as_mut_slice().zeroize();
        if second.as_bytes() != key.as_bytes() {
            return Err(StoreError::Mismatch);
        }
        Ok(Held {
            secret: secret.map_err(cannot_hold)?,
            key,
            second: Some(second),
        })
    }

    pub(super) fn key(&self) -> PublicKey {
        self.key
    }

    /// Signs, if two independent computations agree.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Signature, StoreError> {
        let (Some((pair, expanded)), Some(second)) = (
            self.secret.expose().split_first_chunk::<PAIR>(),
            self.second,
        ) else {
            return Err(StoreError::Unsupported("sign with a curve key"));
        };
        let expanded = expanded.first_chunk::<PAIR>().ok_or(StoreError::Mismatch)?;
        let first = KeyPair::from_expanded(self.key.kind(), *pair).sign(message);
        let expanded = ExpandedSecretKey::from_bytes(expanded);
        let second = raw_sign::<Sha512>(&expanded, message, &second);
        if *first.as_bytes() == second.to_bytes() {
            Ok(first)
        } else {
            Err(StoreError::Mismatch)
        }
    }

    pub(super) fn seed(&self) -> Seed {
        let mut bytes = Zeroizing::new([0; 32]);
        if let Some(seed) = self.secret.expose().first_chunk::<32>() {
            *bytes = *seed;
        }
        Seed::from_bytes(self.key.kind(), *bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nkey_core::nkey::Kind;

    #[test]
    fn signatures_are_those_of_the_pair() {
        for length in [0, 1, 600, 20_000] {
            let seed = Seed::from_bytes(Kind::Account, [length as u8 + 1; 32]);
            let held = Held::new(&seed).unwrap();
            let message = vec![b'm'; length];
            let signature = held.sign(&message).unwrap();
            assert_eq!(signature, KeyPair::from_seed(&seed).unwrap().sign(&message));
            assert!(held.key().verify(&message, &signature));
            assert_eq!(held.seed().as_bytes(), seed.as_bytes());
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_in_memory_lets_no_signature_out() {
        let seed = Seed::from_bytes(Kind::User, [7; 32]);
        // Clamping clears the lowest bit of the scalar whatever it was.
        for index in (0..WHOLE).filter(|index| *index != PAIR) {
            let mut held = Held::new(&seed).unwrap();
            held.secret.corrupt(index);
            assert!(
                matches!(held.sign(b"nonce"), Err(StoreError::Mismatch)),
                "byte {index}"
            );
        }
        let mut held = Held::new(&seed).unwrap();
        held.second = Held::new(&Seed::from_bytes(Kind::User, [8; 32]))
            .unwrap()
            .second;
        assert!(matches!(held.sign(b"nonce"), Err(StoreError::Mismatch)));
    }

    #[test]
    fn curve_keys_are_held_but_never_sign_and_a_zero_seed_is_refused() {
        let held = Held::new(&Seed::from_bytes(Kind::Curve, [7; 32])).unwrap();
        assert!(matches!(
            held.sign(b"nonce"),
            Err(StoreError::Unsupported(_))
        ));
        assert_eq!(held.seed().as_bytes(), &[7; 32]);
        assert_eq!(held.key().kind(), Kind::Curve);
        for kind in Kind::ALL {
            let zero = Seed::from_bytes(kind, [0; 32]);
            assert!(matches!(Held::new(&zero), Err(StoreError::Seed(_))));
        }
    }
}
