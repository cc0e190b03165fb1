//! Why a text is not the NKey that was wanted.

use super::Kind;
use core::fmt;

/// Why an NKey was refused. No variant holds the text itself: it may be a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The text has this many characters instead of that many.
    Length {
        /// Characters found.
        found: usize,
        /// Characters an NKey of the wanted form has.
        wanted: usize,
    },
    /// A character at this position is not upper-case base32 (RFC 4648, no padding).
    Base32 {
        /// Position of the first such character, from 0.
        position: usize,
    },
    /// The checksum does not match: a character was mistyped or lost.
    Checksum,
    /// The prefix byte names no kind of NKey.
    UnknownPrefix(u8),
    /// The key is of another kind than the one wanted.
    WrongKind {
        /// What the text is.
        found: Kind,
        /// What was wanted.
        wanted: Kind,
    },
    /// A public key was wanted and this is a seed.
    IsSeed,
    /// A public key was wanted and this is a private key (`P`).
    IsPrivate,
    /// A seed was wanted and this is a public key of this kind.
    IsPublic(Kind),
    /// The key is one of the eight points of small order, for which anyone can sign.
    SmallOrder,
    /// Every byte of the seed is zero: no random number generator gave it.
    ZeroSeed,
    /// Curve keys do not sign, and there is no key pair for them here.
    CannotSign,
    /// The random number generator failed.
    Random,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Length { found, wanted } => {
                write!(
                    f,
                    "an NKey of this form has {wanted} characters, this has {found}"
                )
            }
            Error::Base32 { position } => write!(
                f,
                "character {} is not upper-case base32 (A-Z, 2-7)",
                position + 1
            ),
            Error::Checksum => f.write_str("the checksum does not match: a character is wrong"),
            Error::UnknownPrefix(byte) => {
                write!(f, "prefix byte 0x{byte:02x} names no kind of NKey")
            }
            Error::WrongKind { found, wanted } => {
                write!(
                    f,
                    "wanted {} {wanted} key, this is {} {found} key",
                    article(*wanted),
                    article(*found)
                )
            }
            Error::IsSeed => f.write_str("wanted a public key, this is a seed"),
            Error::IsPrivate => f.write_str("wanted a public key, this is a private key"),
            Error::IsPublic(kind) => write!(
                f,
                "wanted a seed, this is {} {kind} public key",
                article(*kind)
            ),
            Error::SmallOrder => {
                f.write_str("this is not the public key of any seed: its point has a small order")
            }
            Error::ZeroSeed => f.write_str("the seed is all zeros, which is no secret"),
            Error::CannotSign => {
                f.write_str("a curve key (X) cannot sign, it only seals and opens")
            }
            Error::Random => f.write_str("the random number generator failed"),
        }
    }
}

fn article(kind: Kind) -> &'static str {
    match kind {
        Kind::Operator | Kind::Account => "an",
        _ => "a",
    }
}

impl core::error::Error for Error {}
