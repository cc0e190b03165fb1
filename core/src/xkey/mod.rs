//! Sealed boxes between curve keys, in the form `xkv1`.
//!
//! `xkv1` (4 bytes), a random nonce (24 bytes), and the NaCl box of the plaintext: a tag of 16
//! bytes and as many bytes as the plaintext has. The box proves to the recipient who sealed it,
//! and either of the two opens it. Source: nats-io/nkeys `xkeys.go`.

mod error;

pub use error::Error;

use crate::nkey::{Kind, PublicKey, Seed};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use crypto_box::aead::AeadInPlace;
use crypto_box::{Nonce, SalsaBox, SecretKey, Tag};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The first bytes of a sealed box.
pub const VERSION: &[u8; 4] = b"xkv1";

/// Bytes of the nonce.
pub const NONCE_LEN: usize = 24;

const TAG_LEN: usize = 16;
const HEAD_LEN: usize = VERSION.len() + NONCE_LEN;

/// Bytes that a sealed box is longer than its plaintext.
pub const OVERHEAD: usize = HEAD_LEN + TAG_LEN;

/// Longest sealed box in bytes: the largest message that a nats-server can be set to carry.
pub const MAX_SEALED: usize = 64 * 1024 * 1024;

/// A curve key pair, wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct CurvePair {
    secret: [u8; 32],
    #[zeroize(skip)]
    public: PublicKey,
}

impl CurvePair {
    /// The pair that a curve seed (`SX`) makes.
    ///
    /// # Errors
    /// [`Error::Seed`] for a seed of another kind.
    pub fn from_seed(seed: &Seed) -> Result<CurvePair, Error> {
        let public = seed
            .public_key()
            .expect_kind(Kind::Curve)
            .map_err(Error::Seed)?;
        Ok(CurvePair {
            secret: *seed.as_bytes(),
            public,
        })
    }

    /// The public key (`X`).
    pub const fn public_key(&self) -> PublicKey {
        self.public
    }

    /// Seals `plaintext` to `recipient`, [`OVERHEAD`] bytes longer. `random` fills the nonce or
    /// fails; it must be a cryptographic generator, since a nonce may never be used twice.
    ///
    /// # Errors
    /// [`Error::Recipient`] unless `recipient` is a curve key, [`Error::TooLong`] for more than
    /// [`MAX_SEALED`] bytes, [`Error::Random`] if the generator fails.
    pub fn seal<E>(
        &self,
        recipient: &PublicKey,
        plaintext: &[u8],
        random: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Vec<u8>, Error> {
        let agreed = self.agree(recipient).map_err(Error::Recipient)?;
        let length = plaintext.len().saturating_add(OVERHEAD);
        if length > MAX_SEALED {
            return Err(Error::TooLong(length));
        }
        let mut nonce = Nonce::default();
        random(&mut nonce).map_err(|_| Error::Random)?;
        let mut sealed = vec![0; length];
        sealed[OVERHEAD..].copy_from_slice(plaintext);
        let tag = agreed.encrypt_in_place_detached(&nonce, b"", &mut sealed[OVERHEAD..]);
        let Ok(tag) = tag else {
            // Never hand out what may still be plaintext.
            sealed.zeroize();
            return Err(Error::TooLong(length));
        };
        sealed[..VERSION.len()].copy_from_slice(VERSION);
        sealed[VERSION.len()..HEAD_LEN].copy_from_slice(&nonce);
        sealed[HEAD_LEN..OVERHEAD].copy_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens what `sender` sealed to this key. The plaintext is wiped when dropped.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::TooShort`] and [`Error::Version`] for what is no box,
    /// [`Error::Sender`] unless `sender` is a curve key, and [`Error::Open`] if `sender` did not
    /// seal this to this key.
    pub fn open(&self, sender: &PublicKey, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        if sealed.len() > MAX_SEALED {
            return Err(Error::TooLong(sealed.len()));
        }
        if sealed.len() < OVERHEAD {
            return Err(Error::TooShort(sealed.len()));
        }
        if !sealed.starts_with(VERSION) {
            return Err(Error::Version);
        }
        let agreed = self.agree(sender).map_err(Error::Sender)?;
        let nonce = Nonce::from_slice(&sealed[VERSION.len()..HEAD_LEN]);
        let tag = Tag::from_slice(&sealed[HEAD_LEN..OVERHEAD]);
        let mut plaintext = Zeroizing::new(sealed[OVERHEAD..].to_vec());
        agreed
            .decrypt_in_place_detached(nonce, b"", &mut plaintext, tag)
            .map_err(|_| Error::Open)?;
        Ok(plaintext)
    }

    /// The key that the two have in common. Unlike nkeys this refuses points of small order:
    /// what is agreed with them, everybody knows.
    fn agree(&self, other: &PublicKey) -> Result<SalsaBox, crate::nkey::Error> {
        let other = other.expect_kind(Kind::Curve)?;
        ed25519_compact::x25519::PublicKey::new(*other.as_bytes())
            .clear_cofactor()
            .map_err(|_| crate::nkey::Error::SmallOrder)?;
        let secret = Wiped(SecretKey::from_bytes(self.secret));
        Ok(SalsaBox::new(&(*other.as_bytes()).into(), &secret.0))
    }
}

impl fmt::Debug for CurvePair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CurvePair({}, S…redacted)", self.public)
    }
}

/// A secret of `crypto_box`, which wipes the clamped half of it only.
struct Wiped(SecretKey);

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0 = SecretKey::from_bytes([0; 32]);
        core::hint::black_box(&self.0);
    }
}

#[cfg(test)]
mod tests;
