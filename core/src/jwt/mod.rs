//! The compact form: `header.payload.signature`, base64url without padding.
//!
//! Source: nats-io/jwt `claims.go`, `header.go`, `decoder.go`.

mod error;
mod header;
mod peek;
mod sign;
mod verify;

pub use error::Error;
pub use header::Algorithm;
pub use sign::{finish, jti, prepare, sign, sign_checked, token_len};
#[cfg(feature = "alloc")]
pub(crate) use verify::rule;
pub use verify::{MAX_TOKEN, Parts, Verified, verify};

/// The header of every version 2 token: `{"typ":"JWT","alg":"ed25519-nkey"}`, 46 characters.
pub const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ";

/// Characters of a signature in base64url.
pub const SIGNATURE_LEN: usize = 86;

#[cfg(test)]
mod tests;
