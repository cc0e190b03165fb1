//! Public keys.

use super::codec::{self, Form, PUBLIC_LEN};
use super::{Error, Kind};
use crate::Signature;
use core::fmt;
use core::str::FromStr;

/// A public key: its kind and 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey {
    kind: Kind,
    key: [u8; 32],
}

/// The 56 characters of a public key, without alloc.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicText([u8; PUBLIC_LEN]);

impl PublicText {
    /// The text, 56 characters.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl core::ops::Deref for PublicText {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PublicKey {
    /// A public key from its 32 bytes. They are not checked to be a curve point:
    /// a bad point verifies nothing.
    pub const fn from_bytes(kind: Kind, key: [u8; 32]) -> PublicKey {
        PublicKey { kind, key }
    }

    /// What the key identifies.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The 32 bytes of the key: Ed25519 (RFC 8032), or X25519 for curve keys.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.key
    }

    /// The 56 characters of the key.
    pub fn encode(&self) -> PublicText {
        let mut text = [0u8; PUBLIC_LEN];
        codec::encode(&[self.kind.prefix()], &self.key, &mut text);
        PublicText(text)
    }

    /// This key, if it is of the kind `wanted`.
    ///
    /// # Errors
    /// [`Error::WrongKind`] names both kinds.
    pub fn expect_kind(self, wanted: Kind) -> Result<PublicKey, Error> {
        if self.kind == wanted {
            Ok(self)
        } else {
            Err(Error::WrongKind {
                found: self.kind,
                wanted,
            })
        }
    }

    /// Whether `signature` is this key's Ed25519 signature of `message` (RFC 8032, no prehash).
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        self.kind.can_sign() && verify_ed25519(&self.key, message, signature)
    }
}

#[cfg(not(feature = "host"))]
fn verify_ed25519(key: &[u8; 32], message: &[u8], signature: &Signature) -> bool {
    let Ok(signature) = ed25519_compact::Signature::from_slice(signature.as_bytes()) else {
        return false;
    };
    ed25519_compact::PublicKey::new(*key)
        .verify(message, &signature)
        .is_ok()
}

#[cfg(feature = "host")]
fn verify_ed25519(key: &[u8; 32], message: &[u8], signature: &Signature) -> bool {
    let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(key) else {
        return false;
    };
    key.verify_strict(
        message,
        &ed25519_dalek::Signature::from_bytes(signature.as_bytes()),
    )
    .is_ok()
}

/// The y coordinates of the points of small order, low byte first, with their second spellings
/// y + p. The sign bit does not count. Source: nats-io/nkeys `strkey.go`, libsodium.
fn has_small_order(key: &[u8; 32]) -> bool {
    const ORDER_8: [[u8; 32]; 2] = [
        [
            38, 232, 149, 143, 194, 178, 39, 176, 69, 195, 244, 137, 242, 239, 152, 240, 213, 223,
            172, 5, 211, 198, 51, 57, 177, 56, 2, 136, 109, 83, 252, 5,
        ],
        [
            199, 23, 106, 112, 61, 77, 216, 79, 186, 60, 11, 118, 13, 16, 103, 15, 42, 32, 83, 250,
            44, 57, 204, 198, 78, 199, 253, 119, 146, 172, 3, 122,
        ],
    ];
    let (first, rest, last) = (key[0], &key[1..31], key[31] & 127);
    let zero_or_one = first <= 1 && last == 0 && rest.iter().all(|byte| *byte == 0);
    let near_p =
        (236..=238).contains(&first) && last == 127 && rest.iter().all(|byte| *byte == 255);
    let order_8 = |bad: &[u8; 32]| bad[..31] == key[..31] && bad[31] == last;
    zero_or_one || near_p || ORDER_8.iter().any(order_8)
}

impl FromStr for PublicKey {
    type Err = Error;

    /// Reads 56 characters of upper-case base32, the one spelling a key has. As in nats-io/nkeys,
    /// points of small order are refused.
    fn from_str(text: &str) -> Result<PublicKey, Error> {
        match codec::form(text) {
            Form::Seed => return Err(Error::IsSeed),
            Form::Private => return Err(Error::IsPrivate),
            Form::Public(_) | Form::Unknown => {}
        }
        let raw = codec::decode::<35>(text)?;
        let kind = Kind::from_prefix(raw[0])?;
        let mut key = [0u8; 32];
        key.copy_from_slice(&raw[1..33]);
        if kind.can_sign() && has_small_order(&key) {
            return Err(Error::SmallOrder);
        }
        Ok(PublicKey { kind, key })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.encode())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.encode())
    }
}
