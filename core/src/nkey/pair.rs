//! Ed25519 key pairs held in memory.

use super::{Error, Kind, PublicKey, Seed};
use crate::{SignError, Signature, Signer};
use core::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// An Ed25519 key pair, wiped when dropped. Deriving it costs as much as a signature, so keep it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct KeyPair {
    #[zeroize(skip)]
    kind: Kind,
    /// Seed and public key: what RFC 8032 implementations call the secret key.
    expanded: [u8; 64],
}

impl KeyPair {
    /// The pair that a seed makes.
    ///
    /// # Errors
    /// [`Error::CannotSign`] for a curve seed, [`Error::ZeroSeed`] for one of zeros.
    pub fn from_seed(seed: &Seed) -> Result<KeyPair, Error> {
        if !seed.kind().can_sign() {
            return Err(Error::CannotSign);
        }
        // from_seed would panic on zeros.
        let pair =
            ed25519_compact::KeyPair::try_from_seed(ed25519_compact::Seed::new(*seed.as_bytes()))
                .map_err(|_| Error::ZeroSeed)?;
        Ok(KeyPair {
            kind: seed.kind(),
            expanded: *pair.sk,
        })
    }

    /// The pair whose 64 bytes (32 of the seed, 32 of the public key) an earlier
    /// [`KeyPair::expanded`] gave. Nothing is checked: a public half that is not the
    /// seed's would sign wrongly and leak the key, so never pass bytes from outside.
    pub const fn from_expanded(kind: Kind, expanded: [u8; 64]) -> KeyPair {
        KeyPair { kind, expanded }
    }

    /// The 64 secret bytes: seed, then public key.
    pub const fn expanded(&self) -> &[u8; 64] {
        &self.expanded
    }

    /// The seed of this pair.
    pub fn seed(&self) -> Seed {
        let mut seed = Seed::from_bytes(self.kind, [0; 32]);
        if let Some(bytes) = self.expanded.first_chunk::<32>() {
            seed = Seed::from_bytes(self.kind, *bytes);
        }
        seed
    }

    /// Signs `message` with Ed25519 (RFC 8032, deterministic).
    pub fn sign(&self, message: &[u8]) -> Signature {
        let secret = ed25519_compact::SecretKey::new(self.expanded);
        Signature::from_bytes(*secret.sign(message, None))
    }

    /// The public key.
    pub fn public_key(&self) -> PublicKey {
        let mut key = [0u8; 32];
        key.copy_from_slice(&self.expanded[32..]);
        PublicKey::from_bytes(self.kind, key)
    }
}

impl Signer for KeyPair {
    fn public_key(&self) -> PublicKey {
        KeyPair::public_key(self)
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        Ok(KeyPair::sign(self, message))
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({}, S…redacted)", self.public_key())
    }
}
