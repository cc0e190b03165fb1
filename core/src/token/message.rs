//! The messages, as postcard writes them.

use super::code::{Code, Fault, State};
use crate::policy::Policy;
use serde::{Deserialize, Serialize};

/// The id of a session, 16 random bytes.
pub type Session = [u8; 16];

/// What the host sends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request<'a> {
    /// Comes back in the response.
    pub id: u32,
    /// The open session, for commands that need one.
    pub session: Option<Session>,
    /// What to do.
    #[serde(borrow)]
    pub command: Command<'a>,
}

/// Commands that this version knows: the number of the first unknown one.
pub const COMMANDS: u32 = 23;

/// What to do. A kind of key is its prefix byte ([`crate::nkey::Kind::prefix`]).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command<'a> {
    /// Who are you.
    Hello,
    /// Which slots have keys.
    List,
    /// About one slot.
    Slot {
        /// From 0.
        slot: u8,
    },
    /// How many tries of the PIN are left.
    Tries,
    /// The counters.
    Counters,
    /// Take back the request that waits for the button.
    Cancel,
    /// Set a PIN and what is fixed with it.
    Init(#[serde(borrow)] Init<'a>),
    /// Open a session.
    Unlock {
        /// The PIN.
        pin: &'a [u8],
        /// Unix seconds. Only the first after power-up is heard.
        time: u64,
    },
    /// End the session.
    Lock,
    /// Sign.
    Sign {
        /// From 0.
        slot: u8,
        /// A JWT's signing input, or a server's nonce.
        message: &'a [u8],
    },
    /// Make a key in the first free slot.
    Generate {
        /// The kind of key.
        kind: u8,
        /// Its name.
        name: &'a str,
        /// Whether it may ever leave, sealed to the backup peer.
        exportable: bool,
    },
    /// Name a key.
    Name {
        /// From 0.
        slot: u8,
        /// The new name.
        name: &'a str,
    },
    /// State what this token holds, signed by its device key.
    Attest {
        /// From 0.
        slot: u8,
        /// Chosen by whoever wants to know.
        challenge: [u8; 32],
    },
    /// Random bytes.
    Random {
        /// How many.
        len: u16,
    },
    /// Change the PIN.
    ChangePin {
        /// The PIN until now.
        old: &'a [u8],
        /// The PIN from now on.
        new: &'a [u8],
    },
    /// Replace a policy by one that allows nothing more.
    Tighten {
        /// From 0.
        slot: u8,
        /// The new policy.
        #[serde(borrow)]
        policy: Policy<'a>,
    },
    /// Replace a policy by any other.
    Loosen {
        /// From 0.
        slot: u8,
        /// The new policy.
        #[serde(borrow)]
        policy: Policy<'a>,
    },
    /// Take a key from outside, where `Init` allowed it.
    Import {
        /// The kind of key.
        kind: u8,
        /// Its secret bytes.
        seed: [u8; 32],
        /// Its name.
        name: &'a str,
    },
    /// Wipe a key.
    Erase {
        /// From 0.
        slot: u8,
    },
    /// Seal an exportable key to the backup peer.
    Export {
        /// From 0.
        slot: u8,
        /// The PIN once more.
        pin: &'a [u8],
    },
    /// Take a key that the backup peer exported to this token.
    Receive {
        /// What `Export` answered there.
        sealed: &'a [u8],
    },
    /// Restart in the bootloader.
    Bootloader,
    /// Wipe everything and become another device.
    Reset,
}

impl Command<'_> {
    /// Whether it is done only in the open session.
    pub const fn needs_session(&self) -> bool {
        !matches!(
            self,
            Command::Hello
                | Command::List
                | Command::Slot { .. }
                | Command::Tries
                | Command::Counters
                | Command::Cancel
                | Command::Init(_)
                | Command::Unlock { .. }
                | Command::Reset
        )
    }
}

/// The first PIN and what can only be changed by a factory reset.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Init<'a> {
    /// The PIN.
    pub pin: &'a [u8],
    /// Unix seconds.
    pub time: u64,
    /// Iterations of PBKDF2.
    pub iterations: u32,
    /// Whether keys may be imported.
    pub importable: bool,
    /// The device key of the token with which keys may be exchanged.
    pub peer: Option<[u8; 32]>,
    /// How many days time may run ahead of the last press.
    pub drift_days: u16,
    /// After how many idle seconds a session ends.
    pub idle_seconds: u32,
}

/// What the token sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Response<'a> {
    /// The request's; 0 if it could not be read.
    pub id: u32,
    /// The answer.
    #[serde(borrow)]
    pub answer: Answer<'a>,
}

/// How the button is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Press {
    /// A short press; the light blinks slowly.
    Short,
    /// Held for 3 s; the light blinks fast.
    Held,
}

/// The 64 bytes of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature64([u8; 32], [u8; 32]);

impl From<crate::Signature> for Signature64 {
    fn from(signature: crate::Signature) -> Signature64 {
        let mut halves = Signature64([0; 32], [0; 32]);
        halves.0.copy_from_slice(&signature.as_bytes()[..32]);
        halves.1.copy_from_slice(&signature.as_bytes()[32..]);
        halves
    }
}

impl From<Signature64> for crate::Signature {
    fn from(halves: Signature64) -> crate::Signature {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&halves.0);
        bytes[32..].copy_from_slice(&halves.1);
        crate::Signature::from_bytes(bytes)
    }
}

/// An answer. All but `Waiting` end their request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer<'a> {
    /// It is done.
    Done,
    /// It is not done.
    Error {
        /// Why.
        code: Code,
        /// Why, with the values; may be empty.
        reason: &'a str,
    },
    /// Press the button; another answer follows.
    Waiting(Press),
    /// Who this is.
    Hello(#[serde(borrow)] Hello<'a>),
    /// The slots that are not free.
    List(Rows<'a>),
    /// About one slot.
    Slot(#[serde(borrow)] Details<'a>),
    /// Tries left.
    Tries(u8),
    /// The counters.
    Counters(Counters),
    /// A session is open.
    Session {
        /// Its id.
        session: Session,
        /// The token's time.
        time: u64,
    },
    /// A signature.
    Signature(Signature64),
    /// A new key.
    Key(Key),
    /// A statement and the device key's signature of it.
    Attestation {
        /// As [`super::read_attestation`] reads it.
        statement: &'a [u8],
        /// Of the statement.
        signature: Signature64,
    },
    /// Bytes: random ones, or a sealed key.
    Bytes(&'a [u8]),
}

/// Who a token is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello<'a> {
    /// The oldest version of the protocol.
    pub oldest: u16,
    /// The newest version of the protocol.
    pub newest: u16,
    /// The firmware's version.
    pub firmware: &'a str,
    /// SHA-256 of the firmware as it computed it itself.
    pub hash: [u8; 32],
    /// The serial number.
    pub serial: &'a str,
    /// The chip.
    pub chip: &'a str,
    /// The longest message that is signed.
    pub max_message: u32,
    /// [`super::VIRTUAL`], [`super::IMPORTABLE`], [`super::PEER`].
    pub capabilities: u32,
    /// The state.
    pub state: State,
    /// Why the state is `Error`.
    pub fault: Option<Fault>,
    /// The device key; zeros when it cannot be read.
    pub device: [u8; 32],
    /// Slots for keys.
    pub slots: u8,
}

/// The slots that are not free, 34 bytes for each: slot, kind, public key. A kind of 255
/// says that the record is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows<'a>(pub &'a [u8]);

impl Rows<'_> {
    /// Bytes of a row.
    pub const LEN: usize = 34;
    /// The kind of a damaged record, which no key has.
    pub const DAMAGED: u8 = 255;

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Row> {
        self.0.chunks_exact(Rows::LEN).map(|row| {
            let mut key = [0; 32];
            key.copy_from_slice(&row[2..]);
            let (slot, kind) = (row[0], row[1]);
            Row {
                slot,
                key: (kind != Rows::DAMAGED).then_some(Key { slot, kind, key }),
            }
        })
    }
}

/// A slot that is not free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// From 0.
    pub slot: u8,
    /// The key; none if its record is damaged.
    pub key: Option<Key>,
}

/// A public key and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// From 0.
    pub slot: u8,
    /// The kind.
    pub kind: u8,
    /// The 32 bytes.
    pub key: [u8; 32],
}

/// All about a key but its secret. Sealed with the key, so that none of it can be exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Details<'a> {
    /// The kind.
    pub kind: u8,
    /// The public key.
    pub key: [u8; 32],
    /// Its name.
    pub name: &'a str,
    /// Whether it was made elsewhere.
    pub imported: bool,
    /// Whether it may leave, sealed to the backup peer.
    pub exportable: bool,
    /// How often its policy was changed.
    pub generation: u32,
    /// Whether its policy was ever loosened.
    pub loosened: bool,
    /// Its policy.
    #[serde(borrow)]
    pub policy: Policy<'a>,
}

/// What only ever moves one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Signatures, attestations among them.
    pub signatures: u64,
    /// The highest time of the device, Unix seconds.
    pub latest: u64,
    /// The device's time at the last press, Unix seconds.
    pub witnessed: u64,
}
