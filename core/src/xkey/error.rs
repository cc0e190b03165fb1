//! Why a box was not sealed or not opened.

use super::{MAX_SEALED, OVERHEAD};
use crate::nkey;
use core::fmt;

/// Why a box was not sealed or not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The seed is not that of a curve key.
    Seed(nkey::Error),
    /// Nothing can be sealed to this key.
    Recipient(nkey::Error),
    /// Nothing can come from this key.
    Sender(nkey::Error),
    /// The sealed box would have, or has, this many bytes, more than [`MAX_SEALED`].
    TooLong(usize),
    /// The sealed box has this many bytes, fewer than that of an empty plaintext.
    TooShort(usize),
    /// The first four bytes are not `xkv1`.
    Version,
    /// Another key sealed it, or it was sealed to another key, or it was changed.
    Open,
    /// The random number generator failed.
    Random,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Seed(error) => write!(f, "boxes need the seed of a curve key: {error}"),
            Error::Recipient(error) => write!(f, "the recipient is not a curve key: {error}"),
            Error::Sender(error) => write!(f, "the sender is not a curve key: {error}"),
            Error::TooLong(length) => write!(
                f,
                "a sealed box of {length} bytes is longer than {MAX_SEALED} bytes"
            ),
            Error::TooShort(length) => write!(
                f,
                "a sealed box has at least {OVERHEAD} bytes, this has {length}"
            ),
            Error::Version => f.write_str("this is not a sealed box: it does not start with xkv1"),
            Error::Open => f.write_str(
                "the box does not open: the sender or the recipient is another, or it was changed",
            ),
            Error::Random => nkey::Error::Random.fmt(f),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Error::Seed(error) | Error::Recipient(error) | Error::Sender(error) => Some(error),
            _ => None,
        }
    }
}
