//! Talking to servers.

pub mod address;
pub mod connect;
pub mod reply;
pub mod update;
