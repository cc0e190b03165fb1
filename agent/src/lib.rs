//! A signing agent for NATS.
//!
//! NKey seeds stay with the agent; whoever needs a signature asks over a unix socket, as
//! ssh asks ssh-agent (RFC 9987). The agent reads the claims before it signs them.
//! `docs/protocol.md` has every message. Applications use the feature `client` alone.

#[cfg(feature = "holder")]
pub mod cards;
#[cfg(feature = "holder")]
pub mod child;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "holder")]
pub mod device;
#[cfg(feature = "daemon")]
pub mod gate;
#[cfg(feature = "holder")]
pub mod manage;
#[cfg(feature = "client")]
pub mod message;
#[cfg(feature = "holder")]
pub mod openpgp;
#[cfg(feature = "daemon")]
pub mod server;
#[cfg(feature = "daemon")]
pub mod store;
#[cfg(feature = "token")]
pub mod token;
#[cfg(feature = "holder")]
pub mod uri;
#[cfg(feature = "client")]
pub mod wire;
