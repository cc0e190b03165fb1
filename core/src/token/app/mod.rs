//! The application: bytes in, bytes out, and a button in between.

// Without alloc the words of a refusal lie on the stack.
#![allow(clippy::result_large_err)]

mod gate;
mod inner;
mod keys;
mod link;
mod pin;
mod refusal;
mod sign;

pub use link::{Action, App, Memory};
