//! NATS NKeys and JWT v2 for firmware and hosts.
//!
//! Everything here works without `alloc`: the caller gives the buffers, and one
//! that is too small is an error that says how many bytes are needed. The
//! additive feature `alloc` brings owned claims and the tolerant reader for
//! tokens that others made; `host` brings a faster verification, `xkey` sealed boxes.
//!
//! The crate's one idea: whoever holds a seed *reads* what it signs. See
//! [`canonical`] for the strict reader and [`language`] for what each kind of key signs.
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod activation;
pub mod canonical;
pub mod claims;
pub mod creds;
pub mod json;
pub mod jwt;
pub mod language;
pub mod nkey;
pub mod policy;
#[cfg(feature = "alloc")]
pub mod revocation;
mod signer;
pub mod subject;
#[cfg(feature = "alloc")]
pub mod template;
#[cfg(feature = "token")]
pub mod token;
#[cfg(feature = "alloc")]
pub mod tolerant;
#[cfg(feature = "alloc")]
pub mod validate;
#[cfg(feature = "xkey")]
pub mod xkey;

pub use signer::{SignError, Signature, Signer};
