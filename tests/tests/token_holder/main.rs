//! Tokens as key holders of a real agent: virtual ones, at a configured port.

mod bench;
mod button;
mod identity;
mod sessions;
mod signing;
mod time;
