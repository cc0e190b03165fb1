//! Talking to servers.

pub mod account_server;
pub mod address;
pub mod claims;
pub mod connect;
pub mod reply;
pub mod request;
pub mod system_user;
pub mod tls;
pub mod update;
