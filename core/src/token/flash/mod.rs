//! What lies in flash: logs, each of two sectors.

mod layout;
mod log;

pub(super) use layout::{Place, SLOTS, reset};
pub(super) use log::{Found, Log};

pub use layout::storage_len;

/// Flash failed, or does not hold what was just written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;
