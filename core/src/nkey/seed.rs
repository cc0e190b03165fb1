//! Seeds and private keys: the secrets.

use super::codec::{self, Form, MAX_TEXT, PREFIX_PRIVATE, PREFIX_SEED, PRIVATE_LEN, SEED_LEN};
use super::{Error, Kind};
use core::fmt;
use core::str::FromStr;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A seed: the kind of its key and 32 secret bytes, wiped when dropped.
///
/// `Debug` prints `S…redacted`; there is no `Display`. The text leaves only by [`Seed::encode`].
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Seed {
    #[zeroize(skip)]
    kind: Kind,
    bytes: [u8; 32],
}

/// Secret text (a seed or a private key), wiped when dropped, redacted in `Debug`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret {
    text: [u8; MAX_TEXT],
    len: usize,
}

impl Secret {
    /// The secret text. Whoever calls this answers for where it goes.
    pub fn reveal(&self) -> &str {
        core::str::from_utf8(&self.text[..self.len]).unwrap_or_default()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("S…redacted")
    }
}

impl Seed {
    /// A seed from its 32 secret bytes.
    pub const fn from_bytes(kind: Kind, bytes: [u8; 32]) -> Seed {
        Seed { kind, bytes }
    }

    /// A fresh seed from the caller's random number generator, which fills a slice or fails.
    ///
    /// # Errors
    /// [`Error::Random`] if the generator fails.
    pub fn generate<E>(
        kind: Kind,
        random: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Seed, Error> {
        let mut seed = Seed::from_bytes(kind, [0; 32]);
        random(&mut seed.bytes).map_err(|_| Error::Random)?;
        Ok(seed)
    }

    /// The kind of the key that the seed makes.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The 32 secret bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The public key of this seed: Ed25519 (RFC 8032), or X25519 (RFC 7748) for a curve key.
    /// A seed of zeros, which no text gives, has the public key of zeros.
    pub fn public_key(&self) -> super::PublicKey {
        let key = if self.kind.can_sign() {
            ed25519_compact::KeyPair::try_from_seed(ed25519_compact::Seed::new(self.bytes))
                .map_or([0; 32], |pair| *pair.pk)
        } else {
            let secret = ed25519_compact::x25519::SecretKey::new(self.bytes);
            secret.recover_public_key().map_or([0; 32], |key| *key)
        };
        super::PublicKey::from_bytes(self.kind, key)
    }

    /// The 58 secret characters of the seed.
    pub fn encode(&self) -> Secret {
        let prefix = self.kind.prefix();
        let mut text = [0u8; MAX_TEXT];
        codec::encode(
            &[PREFIX_SEED | (prefix >> 5), (prefix & 31) << 3],
            &self.bytes,
            &mut text[..SEED_LEN],
        );
        Secret {
            text,
            len: SEED_LEN,
        }
    }

    /// The 108 secret characters of the private key (`P`): seed and public key.
    ///
    /// # Errors
    /// [`Error::CannotSign`] for a curve key, whose private form is another one.
    pub fn encode_private(&self) -> Result<Secret, Error> {
        let pair = super::KeyPair::from_seed(self)?;
        let mut text = [0u8; MAX_TEXT];
        codec::encode(&[PREFIX_PRIVATE], pair.expanded(), &mut text[..PRIVATE_LEN]);
        Ok(Secret {
            text,
            len: PRIVATE_LEN,
        })
    }

    /// A seed from the private key form (`P`), which does not say the kind of its key.
    ///
    /// # Errors
    /// As for a seed; [`Error::Checksum`] also when the public half is not the seed's.
    pub fn from_private(kind: Kind, text: &str) -> Result<Seed, Error> {
        let raw = codec::decode::<67>(text)?;
        if raw[0] != PREFIX_PRIVATE {
            return Err(Error::UnknownPrefix(raw[0]));
        }
        let mut seed = Seed::from_bytes(kind, [0; 32]);
        seed.bytes.copy_from_slice(&raw[1..33]);
        let pair = super::KeyPair::from_seed(&seed)?;
        if pair.expanded()[32..] != raw[33..65] {
            return Err(Error::Checksum);
        }
        Ok(seed)
    }

    /// This seed, if its key is of the kind `wanted`.
    ///
    /// # Errors
    /// [`Error::WrongKind`] names both kinds.
    pub fn expect_kind(self, wanted: Kind) -> Result<Seed, Error> {
        if self.kind == wanted {
            Ok(self)
        } else {
            Err(Error::WrongKind {
                found: self.kind,
                wanted,
            })
        }
    }
}

impl FromStr for Seed {
    type Err = Error;

    /// Reads 58 characters of upper-case base32. A text around it must be trimmed first.
    /// Zeros are refused: Go's library takes them, but they are no secret.
    fn from_str(text: &str) -> Result<Seed, Error> {
        if let Form::Public(kind) = codec::form(text) {
            return Err(Error::IsPublic(kind));
        }
        let raw = codec::decode::<36>(text)?;
        if raw[0] & 0xF8 != PREFIX_SEED {
            return Err(Error::UnknownPrefix(raw[0]));
        }
        // The three low bits of the second byte belong to nobody; set, they would be a second spelling.
        if raw[1] & 7 != 0 {
            return Err(Error::UnknownPrefix(raw[1]));
        }
        let kind = Kind::from_prefix(((raw[0] & 7) << 5) | (raw[1] >> 3))?;
        let mut seed = Seed::from_bytes(kind, [0; 32]);
        seed.bytes.copy_from_slice(&raw[2..34]);
        if seed.bytes == [0; 32] {
            return Err(Error::ZeroSeed);
        }
        Ok(seed)
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("S…redacted")
    }
}
