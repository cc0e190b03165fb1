//! NKeys: Ed25519 and X25519 keys as NATS writes them.
//!
//! A public key is 56 characters of base32 (RFC 4648, no padding) over one
//! prefix byte, 32 key bytes and a CRC-16/XMODEM, little endian. A seed is 58
//! characters over two prefix bytes, 32 seed bytes and the CRC. Source:
//! nats-io/nkeys `strkey.go`, `keypair.go`.

mod codec;
mod error;
mod kind;
mod pair;
mod public;
mod seed;

pub use codec::{MAX_TEXT, PRIVATE_LEN, PUBLIC_LEN, SEED_LEN};
pub use error::Error;
pub use kind::Kind;
pub use pair::KeyPair;
pub use public::{PublicKey, PublicText};
pub use seed::{Secret, Seed};

#[cfg(test)]
mod tests;
