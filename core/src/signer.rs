//! Whatever holds a key and signs.

use crate::nkey::PublicKey;
use core::fmt;

/// An Ed25519 signature, 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// A signature from its 64 bytes.
    pub const fn from_bytes(bytes: [u8; 64]) -> Signature {
        Signature(bytes)
    }

    /// The 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(")?;
        for byte in &self.0[..4] {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("…)")
    }
}

/// Why a signer did not sign. What holds the key has told the person more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignError {
    /// The holder has been asked and refused.
    Refused,
    /// The holder is locked or gone.
    Unavailable,
    /// The message is longer than the holder can sign: its limit in bytes.
    TooLarge(usize),
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SignError::Refused => f.write_str("the key holder refused to sign"),
            SignError::Unavailable => f.write_str("the key holder is locked or gone"),
            SignError::TooLarge(limit) => {
                write!(
                    f,
                    "the message is longer than the key holder's {limit} bytes"
                )
            }
        }
    }
}

impl core::error::Error for SignError {}

/// Something that holds one key and signs with it: a pair in memory, an agent, a device.
pub trait Signer {
    /// The key's public half.
    fn public_key(&self) -> PublicKey;

    /// The Ed25519 signature of `message` as it stands (no prehash).
    ///
    /// # Errors
    /// A [`SignError`] when the holder does not sign.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignError>;
}
