//! The token: a small board that signs only what it has read.
//!
//! [`App`] is the whole application, a state machine over a [`Board`]. Firmware, the virtual
//! token and the tests run this same code; a board brings flash, random bytes, a button, a
//! light and a tick, and carries bytes to and from the host. `docs/token-protocol.md` has
//! the messages and the design.

mod app;
mod attest;
mod board;
mod button;
mod code;
mod flash;
mod frame;
mod message;
mod seal;
mod store;
mod time;
mod transfer;
mod usb;

pub use app::{Action, App, Memory};
pub use attest::{ATTESTATION_LEN, Attested, policy_hash, read_attestation};
pub use board::{Board, Info, Light, RandomFailed};
pub use code::{Code, Fault, State};
pub use flash::storage_len;
pub use frame::{FRAME_LEN, decode, encode};
pub use message::{
    Answer, COMMANDS, Command, Counters, Details, Hello, Init, Key, Press, Request, Response, Row,
    Rows, Session, Signature64,
};

pub use time::nearest;
pub use usb::{PRODUCT, SERIAL_PREFIX, USB_ID};

/// The oldest and the newest version of the protocol that this code speaks.
pub const PROTOCOL: (u16, u16) = (1, 1);
/// The longest message that a token signs, in bytes.
pub const MAX_MESSAGE: usize = 32 * 1024;
/// Slots for keys.
pub const SLOTS: usize = flash::SLOTS;
/// Tries of the PIN before the token is blocked.
pub const TRIES: u8 = store::TRIES;
/// Fewest and most bytes of a PIN.
pub const PIN_LEN: core::ops::RangeInclusive<usize> = 6..=64;
/// Most bytes of a key's name.
pub const NAME_LEN: usize = 64;
/// Most random bytes at a time.
pub const RANDOM_LEN: usize = 256;
/// Fewest and most iterations of PBKDF2.
pub const ITERATIONS: core::ops::RangeInclusive<u32> = 1_000..=200_000;
/// How far `iat` may lie from the token's time, and the stated time before the latest one, in seconds.
pub const SKEW: u64 = 300;
/// How far one press may move time, in seconds: 400 days.
pub const LEAP: u64 = 400 * 86_400;
/// How long a request waits for the button, in milliseconds.
pub const PRESS_MS: u64 = 30_000;
/// How long a frame may pause before it is given up, in milliseconds.
pub const FRAME_MS: u64 = 1_000;
/// Bit of `Hello::capabilities`: not a board but a program, whose keys are files.
pub const VIRTUAL: u32 = 1;
/// Bit of `Hello::capabilities`: initialised so that keys can be imported.
pub const IMPORTABLE: u32 = 2;
/// Bit of `Hello::capabilities`: a backup peer was pinned by `Init`.
pub const PEER: u32 = 4;
