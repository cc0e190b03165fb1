//! Tokens: finding them, talking with them. `docs/token-protocol.md` has the messages.
//!
//! Nothing is written to a port before it is known to be a token's: found in sysfs by its USB
//! ids, product and serial number, or named by a path that somebody configured.

mod error;
mod find;
mod port;
mod talk;
pub mod uf2;
mod unlock;

pub use error::TokenError;
pub use find::{Found, find};
pub use nkey_core::token::{PRODUCT, SERIAL_PREFIX, USB_ID};
pub use talk::{About, Hand, Place, Token};
pub use unlock::{Unlocked, unlock};
