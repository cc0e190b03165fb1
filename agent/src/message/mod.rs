//! The messages: one table of numbers, one of extension names, one enum of requests.
//!
//! RFC 9987 and `docs/protocol.md`. A frame is `uint32 length` and that many bytes, of
//! which the first is the type.

mod read;
mod request;

pub use read::{Unreadable, parse};
pub use request::{Ours, Request};

use std::fmt;

/// Message types of RFC 9987 that are used here.
pub mod number {
    /// Answer: it was not done.
    pub const FAILURE: u8 = 5;
    /// Answer: it was done.
    pub const SUCCESS: u8 = 6;
    /// Request: list the keys.
    pub const REQUEST_IDENTITIES: u8 = 11;
    /// Answer: the keys.
    pub const IDENTITIES_ANSWER: u8 = 12;
    /// Request: sign.
    pub const SIGN_REQUEST: u8 = 13;
    /// Answer: a signature.
    pub const SIGN_RESPONSE: u8 = 14;
    /// Request: lock.
    pub const LOCK: u8 = 22;
    /// Request: unlock.
    pub const UNLOCK: u8 = 23;
    /// Request: an extension.
    pub const EXTENSION: u8 = 27;
    /// Answer: an extension's data.
    pub const EXTENSION_RESPONSE: u8 = 29;
}

/// The longest frame that the agent reads, in bytes.
pub const MAX_FRAME: usize = 2 * 1024 * 1024;

/// The longest signing input: that of a 1 MiB token.
pub const MAX_SIGNING_INPUT: usize = 1_048_489;

/// The longest name of a key, in bytes.
pub const MAX_NAME: usize = 255;

macro_rules! extensions {
    ($( $(#[$doc:meta])* $variant:ident = $name:literal ),* $(,)?) => {
        /// The extensions of this agent.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Name { $( $(#[$doc])* $variant ),* }

        impl Name {
            /// All of them.
            pub const ALL: &'static [Name] = &[$( Name::$variant ),*];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $( Name::$variant => $name ),* }
            }
        }
    };
}

extensions! {
    /// Sign, and say why not.
    Sign = "sign-v1@nkey-agent",
    /// Issue a token from claims.
    Issue = "issue-v1@nkey-agent",
    /// List all keys.
    List = "list-v1@nkey-agent",
    /// Add a key.
    Add = "add-v1@nkey-agent",
    /// Make a key.
    Generate = "generate-v1@nkey-agent",
    /// Give an exportable seed.
    Export = "export-v1@nkey-agent",
    /// Remove a key.
    Remove = "remove-v1@nkey-agent",
    /// Rename a key.
    Rename = "rename-v1@nkey-agent",
    /// Say the state.
    Status = "status-v1@nkey-agent",
    /// Unlock, with questions.
    Unlock = "unlock-v1@nkey-agent",
    /// List the stores.
    Stores = "stores-v1@nkey-agent",
    /// List the slots of a key holder.
    Slots = "slots-v1@nkey-agent",
    /// Enrol a key that a holder has.
    Enrol = "enrol-v1@nkey-agent",
    /// Make a key in a store.
    GenerateIn = "generate-v2@nkey-agent",
    /// Unlock one store, with questions.
    UnlockIn = "unlock-v2@nkey-agent",
    /// Lock one store.
    LockIn = "lock-v1@nkey-agent",
    /// Pass a command on to a token.
    Token = "token-v1@nkey-agent",
    /// Wait until what was made is on disk.
    Flush = "flush-v1@nkey-agent",
}

/// The other extensions that are answered.
pub const QUERY: &str = "query";
/// Marks a connection as forwarded.
pub const SESSION_BIND: &str = "session-bind@openssh.com";

/// How an extension went: the byte after its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// Read and refused.
    Refused = 1,
    /// The store is locked.
    Locked = 2,
    /// The agent has no such key.
    UnknownKey = 3,
    /// The request or the claims do not have their form.
    Malformed = 4,
    /// The store failed.
    StoreFailed = 5,
    /// Larger than the holder signs.
    TooLarge = 6,
    /// A question to the person, or a message to it while a holder waits.
    Prompt = 7,
}

impl Status {
    /// The status of this byte.
    pub const fn from_byte(byte: u8) -> Option<Status> {
        Some(match byte {
            0 => Status::Ok,
            1 => Status::Refused,
            2 => Status::Locked,
            3 => Status::UnknownKey,
            4 => Status::Malformed,
            5 => Status::StoreFailed,
            6 => Status::TooLarge,
            7 => Status::Prompt,
            _ => return None,
        })
    }
}

/// Why something was not done: a status and a sentence for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: Status,
    /// The reason; never a secret.
    pub reason: String,
}

/// The longest reason, in characters. It may quote what the client sent.
const MAX_REASON: usize = 500;

impl Refusal {
    /// A refusal. Control characters in the reason are replaced, since it is shown on terminals.
    pub fn new(status: Status, reason: impl fmt::Display) -> Refusal {
        let reason = reason.to_string();
        let shown = reason.chars().take(MAX_REASON);
        Refusal {
            status,
            reason: shown
                .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
                .collect(),
        }
    }
}

/// Bits of a key's marks.
pub mod flag {
    /// The seed may leave.
    pub const EXPORTABLE: u32 = 1;
    /// This connection only.
    pub const VOLATILE: u32 = 2;
    /// `iat` may be any time.
    pub const ANY_IAT: u32 = 4;
    /// Nobody gives this one: the key is in a VIRTUAL token's files.
    pub const VIRTUAL: u32 = 8;
    /// No mark, and for [`Name::Generate`](super::Name::Generate) only: answer before the key is
    /// on disk. [`Name::Flush`](super::Name::Flush) waits for that.
    pub const LATER: u32 = 16;
    /// All marks that can be given.
    pub const KNOWN: u32 = EXPORTABLE | VOLATILE | ANY_IAT;
}

/// Whether a store can be used: a byte of `stores-v1`.
pub mod condition {
    /// It can.
    pub const READY: u8 = 0;
    /// It must be unlocked first.
    pub const LOCKED: u8 = 1;
    /// It does not answer.
    pub const ABSENT: u8 = 2;
}

/// Bits of a store's marks in `stores-v1`.
pub mod mark {
    /// Other software can use its keys without the agent.
    pub const SHARED: u32 = 1;
    /// Its keys are enrolled.
    pub const ENROLS: u32 = 2;
}

/// What a question asks for: the byte of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Question {
    /// Nothing: a message to show.
    Message = 0,
    /// A secret.
    Secret = 1,
    /// Something public.
    Public = 2,
    /// `y` or `n`.
    Confirm = 3,
}

impl Question {
    /// The question of this byte.
    pub const fn from_byte(byte: u8) -> Option<Question> {
        Some(match byte {
            0 => Question::Message,
            1 => Question::Secret,
            2 => Question::Public,
            3 => Question::Confirm,
            _ => return None,
        })
    }
}
