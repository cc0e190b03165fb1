//! JSON as Go's encoding/json writes it, into a caller's buffer.
//!
//! The bytes must equal Go's: `jti` hashes them and reference tokens are compared
//! with them. Source: `appendString` of Go's encoding/json with HTML escaping on.

mod escape;
mod float;
mod writer;

#[cfg(feature = "alloc")]
mod node;

pub use escape::{Decoded, escape_len, is_plain};
pub(crate) use escape::{escape_at, has_go_escapes, plain_len};
pub use float::go_float;
#[cfg(feature = "alloc")]
pub use node::{Node, NodeError};
pub use writer::{Full, Map, Write, Writer};
