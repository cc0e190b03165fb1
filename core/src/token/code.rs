//! States, faults and the codes of errors.

use core::fmt;
use serde::{Deserialize, Serialize};

/// The state of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// No PIN yet, no keys.
    Empty,
    /// The PIN opens it.
    Locked,
    /// A session is open.
    Unlocked,
    /// No try is left: the keys are lost, only a factory reset remains.
    Blocked,
    /// Something is broken: see the fault.
    Error,
}

/// Why a token is in the state [`State::Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// Flash failed, or does not hold what was written.
    Flash,
    /// The record that makes this token this one is unreadable.
    Device,
    /// The record of the master key is unreadable: the keys are lost.
    Master,
    /// The tries of the PIN cannot be told.
    Tries,
    /// The counter of signatures cannot be told.
    Signatures,
    /// The times cannot be told.
    Time,
    /// The random number generator failed its tests.
    Random,
    /// A signature came out wrong. Powering up again clears this.
    Signature,
    /// The firmware panicked. Powering up again clears this.
    Panic,
}

/// Why a request was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Code {
    /// The frame is not COBS, its checksum is wrong, or it stopped half way.
    Frame,
    /// The frame is longer than any message.
    TooLarge,
    /// A command that this version does not know.
    Unknown,
    /// The message is not what its command needs.
    Malformed,
    /// Another request waits for the button.
    Busy,
    /// The token has no PIN yet.
    Empty,
    /// The token has a PIN already.
    Initialised,
    /// The PIN is needed.
    Locked,
    /// No try is left.
    Blocked,
    /// The token is broken; `Hello` says how.
    Fault,
    /// The session is not, or no longer, the open one.
    Session,
    /// The PIN is wrong. One try less.
    Pin,
    /// Nobody pressed the button in time.
    NoPress,
    /// The host took the request back.
    Cancelled,
    /// The stated time is further away than one press can move it.
    Time,
    /// No key is in this slot, or its record is damaged.
    Slot,
    /// All slots are taken.
    Full,
    /// The key is in another slot already.
    Exists,
    /// Not a message that this key signs.
    Language,
    /// The key's policy does not allow it.
    Policy,
    /// `iat` is too far from the token's time.
    Iat,
    /// The policy is not provably narrower.
    Wider,
    /// Fixed otherwise by `Init`, or when the key was made.
    NotAllowed,
    /// A value out of its bounds.
    Value,
    /// The random number generator failed.
    Random,
}

impl Code {
    /// The code in words.
    pub const fn text(self) -> &'static str {
        match self {
            Code::Frame => "the frame was damaged on its way",
            Code::TooLarge => "the frame is too long",
            Code::Unknown => "this firmware does not know the command",
            Code::Malformed => "the message is malformed",
            Code::Busy => "another request waits for the button",
            Code::Empty => "the token has no PIN yet",
            Code::Initialised => "the token has a PIN already",
            Code::Locked => "the token is locked",
            Code::Blocked => "the token is blocked, its keys are lost",
            Code::Fault => "the token is broken",
            Code::Session => "the session has ended",
            Code::Pin => "the PIN is wrong",
            Code::NoPress => "nobody pressed the button",
            Code::Cancelled => "the request was taken back",
            Code::Time => "the stated time is too far from the token's",
            Code::Slot => "no readable key is in this slot",
            Code::Full => "all slots are taken",
            Code::Exists => "the key is in another slot",
            Code::Language => "the key does not sign this",
            Code::Policy => "the key's policy does not allow this",
            Code::Iat => "iat is too far from the token's time",
            Code::Wider => "the policy is not narrower",
            Code::NotAllowed => "this was ruled out when the token or the key was made",
            Code::Value => "a value is out of bounds",
            Code::Random => "the random number generator failed",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for Code {}
