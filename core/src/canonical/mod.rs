//! The strict reader: what it accepts is the byte-exact encoding of what it read.
//!
//! nats-server reads claims with Go's encoding/json, which matches keys without regard
//! to letter case, lets the last duplicate win and passes over unknown members. A
//! signer that reads otherwise signs what it has not read. So a payload is accepted
//! only in the one spelling that Go's library writes, and everything else is refused
//! with the place and the reason. One pass, fixed memory, no recursion deeper than the
//! shapes of the claims (generic claims: [`MAX_DEPTH`]).

mod cursor;
mod object;
mod read;
mod refusal;
mod visit;

#[cfg(feature = "alloc")]
pub(crate) use object::fold;
pub(crate) use object::same_fold;
pub(crate) use read::hash;
pub use read::{Reading, read};
pub use refusal::{Refusal, Why};
pub use visit::{Value, Visit};

/// Most levels of arrays and objects in the free members of a generic claim.
pub const MAX_DEPTH: usize = 16;

#[cfg(all(test, feature = "alloc"))]
mod tests;
#[cfg(all(test, feature = "alloc"))]
mod tricks;
