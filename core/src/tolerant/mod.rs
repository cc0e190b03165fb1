//! The tolerant reader, for what others made: decode, verify and describe.
//!
//! It reads as Go's encoding/json does: members in any order and letter case, the last of
//! repeated ones wins, `null` changes nothing, unknown members are kept and reported.
//! Nothing that it read is signed without passing the strict reader again.

mod decode;
mod effective;
mod old;
mod read;

pub use decode::{AnyClaims, DecodeError, Decoded, Generic, decode, read_claims};
pub(crate) use read::shortened;
pub use read::{Context, Notes, ReadError, ReadMembers, ReadNode};

#[cfg(test)]
mod tests;
