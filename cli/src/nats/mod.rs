//! Talking to servers.
