//! What holds keys, behind one trait.

mod admit;
pub mod enrolled;
mod held;
pub mod locked;
pub mod vault;
pub mod volatile;

use nkey_core::nkey::{Kind, PublicKey, Secret, Seed};
use nkey_core::{Signature, nkey};
use std::fmt;

pub use crate::client::Prompt;
use enrolled::Enrolled;

/// Marks of a key; the bits are those of `list-v1` and `add-v1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// The seed may leave by `export-v1`.
    pub exportable: bool,
    /// The key lives in this process only, for the connection that added it.
    pub volatile: bool,
    /// `iat` need not lie within five minutes of the clock.
    pub any_iat: bool,
    /// The key is in the files of a virtual token.
    pub is_virtual: bool,
}

/// A key in a store; nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// The public key.
    pub key: PublicKey,
    /// What the person calls it; may be empty.
    pub name: String,
    /// Its marks.
    pub flags: Flags,
}

/// Whether a store can sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It can.
    Unlocked,
    /// It must be unlocked first.
    Locked,
}

/// How the gate checks a signature of a store before it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Verify it against the public key.
    Verify,
    /// The store computed it twice, independently, and compared.
    Recomputed,
}

/// Why a store did not do what was asked. No variant holds a secret.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The store is locked.
    Locked,
    /// The store is locked, and what unlocks it.
    LockedUntil(String),
    /// The store has no such key.
    Unknown(PublicKey),
    /// The store has this key already, perhaps as another kind: one key must not speak two languages.
    Exists(PublicKey),
    /// The key is not marked exportable.
    NotExportable(PublicKey),
    /// The passphrase or the plugin's answer is wrong.
    WrongPassphrase,
    /// The person did not answer.
    Cancelled,
    /// Keys of this kind are not held here.
    Kind(Kind),
    /// A name that is too long or has control characters: why.
    Name(&'static str),
    /// The store does not do this.
    Unsupported(&'static str),
    /// A seed is damaged.
    Seed(nkey::Error),
    /// A file is damaged: its path and what is wrong.
    Damaged(String, String),
    /// The operating system refused: what was being done, and its reason.
    Io(String, std::io::Error),
    /// Another agent has the store open: its path and that agent's process id, if it is known.
    InUse(String, Option<u32>),
    /// An age plugin did not do its part: the plugin's binary and what it said.
    Plugin(String, String),
    /// The store cannot be used as it is: what is wrong and what to do.
    Refused(String),
    /// What holds a key outside the agent did not do its part: its name and what is wrong.
    Holder(String, String),
    /// What holds a key read the request and refused: its name and why.
    Declined(String, String),
    /// The PIN of what holds a key is wrong: its name and what it said. It is not tried again.
    WrongPin(String, String),
    /// A second computation gave another signature: the hardware is faulty. Nothing left.
    Mismatch,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Locked => f.write_str("the store is locked: type `nkey agent unlock`"),
            StoreError::LockedUntil(what) => f.write_str(what),
            StoreError::Unknown(key) => write!(f, "the agent does not hold {key}"),
            StoreError::Exists(key) => write!(f, "the agent holds {key} already"),
            StoreError::NotExportable(key) => {
                write!(
                    f,
                    "{key} was not added as exportable, so its seed stays in the agent"
                )
            }
            StoreError::WrongPassphrase => f.write_str("the passphrase is wrong"),
            StoreError::Cancelled => f.write_str("no answer: nothing was changed"),
            StoreError::Kind(kind) => write!(f, "keys of kind {kind} are not held here"),
            StoreError::Name(why) => write!(f, "the name {why}"),
            StoreError::Unsupported(what) => write!(f, "this store does not {what}"),
            StoreError::Seed(error) => write!(f, "the seed is damaged: {error}"),
            StoreError::Damaged(path, why) => write!(f, "{path} is damaged: {why}"),
            StoreError::Io(what, error) => write!(f, "{what}: {error}"),
            StoreError::InUse(path, Some(pid)) => write!(
                f,
                "another agent (process {pid}) has {path} open: stop it with `nkey agent stop`"
            ),
            StoreError::InUse(path, None) => write!(
                f,
                "another agent has {path} open: stop it with `nkey agent stop`"
            ),
            StoreError::Plugin(binary, what) => write!(f, "the age plugin {binary}: {what}"),
            StoreError::Refused(why) => f.write_str(why),
            StoreError::Holder(name, what)
            | StoreError::Declined(name, what)
            | StoreError::WrongPin(name, what) => {
                write!(f, "{name}: {what}")
            }
            StoreError::Mismatch => {
                f.write_str("two computations of one signature differ: the hardware is faulty")
            }
        }
    }
}

impl std::error::Error for StoreError {}

/// Whoever waits for an answer, and may have to do something first.
pub trait Person {
    /// Tells what to do, such as to press a button; at once.
    fn say(&self, text: &str);

    /// Whether nobody waits for the answer any more.
    fn is_gone(&self) -> bool;
}

/// Nobody who could be told anything.
pub struct Nobody;

impl Person for Nobody {
    fn say(&self, _text: &str) {}

    fn is_gone(&self) -> bool {
        false
    }
}

/// Something that holds keys. Used by many connections at once.
pub trait Store: Send + Sync {
    /// The name in listings: `vault`, `volatile`, `ssh:NAME`, ….
    fn name(&self) -> &str;

    /// Whether a person who says `name` means this store.
    fn answers_to(&self, name: &str) -> bool {
        self.name() == name
    }

    /// Whether it is worth listing: a token that was pulled out and has no keys is not.
    fn is_there(&self) -> bool {
        true
    }

    /// What a request that needs it unlocked is told.
    fn locked(&self) -> StoreError {
        StoreError::Locked
    }

    /// Whether it can sign.
    fn state(&self) -> State;

    /// The longest message it signs, in bytes.
    fn max_message(&self) -> usize;

    /// The longest message that one of its keys signs, in bytes.
    fn limit(&self, _key: &PublicKey) -> usize {
        self.max_message()
    }

    /// How its signatures are checked.
    fn check(&self) -> Check;

    /// How many signatures it makes at once, if making one takes long: each takes a thread then.
    fn lanes(&self) -> Option<usize> {
        None
    }

    /// The way to its slots, if its keys are enrolled.
    fn enrolment(&self) -> Option<&Enrolled> {
        None
    }

    /// What a signature that is not that of `key` over `message` is.
    fn explain(&self, key: &PublicKey, _message: &[u8], _signature: &Signature) -> String {
        format!(
            "the {} store gave a signature that is not that of {key}",
            self.name()
        )
    }

    /// Its keys, sorted by public key; works while locked.
    fn keys(&self) -> Vec<KeyInfo>;

    /// One of its keys; works while locked.
    fn find(&self, key: &PublicKey) -> Option<KeyInfo>;

    /// Opens a key for use: decrypts it if need be, and returns what is sealed with it.
    /// The gate trusts these marks only, never those of a listing.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::Unknown`], [`StoreError::Damaged`].
    fn open(&self, key: &PublicKey) -> Result<KeyInfo, StoreError>;

    /// The signature of `message`, which has passed the gate.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::Unknown`], and what the holder says.
    fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Signature, StoreError>;

    /// As [`Store::sign`], for somebody who can be told what to do meanwhile.
    ///
    /// # Errors
    /// As [`Store::sign`]'s.
    fn sign_for(
        &self,
        key: &PublicKey,
        message: &[u8],
        _person: &dyn Person,
    ) -> Result<Signature, StoreError> {
        self.sign(key, message)
    }

    /// Adds a key; when this returns it survives a power cut.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if it is there already, and what the holder says.
    fn add(&self, seed: &Seed, name: &str, flags: Flags) -> Result<PublicKey, StoreError>;

    /// Adds several keys with the same marks, each with its name; when this returns, those that
    /// were added survive a power cut.
    fn add_many(&self, keys: &[(Seed, &str)], flags: Flags) -> Vec<Result<PublicKey, StoreError>> {
        keys.iter()
            .map(|(seed, name)| self.add(seed, name, flags))
            .collect()
    }

    /// The seed of an exportable key.
    ///
    /// # Errors
    /// [`StoreError::NotExportable`], [`StoreError::Locked`], [`StoreError::Unknown`].
    fn export(&self, key: &PublicKey) -> Result<Secret, StoreError>;

    /// Removes a key for good.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], and what the holder says.
    fn remove(&self, key: &PublicKey) -> Result<(), StoreError>;

    /// Gives a key another name.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], and what the holder says.
    fn rename(&self, key: &PublicKey, name: &str) -> Result<(), StoreError>;

    /// Wipes every decrypted secret.
    fn lock(&self);

    /// Unlocks, asking through `prompt` what it needs.
    ///
    /// # Errors
    /// [`StoreError::WrongPassphrase`], [`StoreError::Cancelled`], and what the holder says.
    fn unlock(&self, prompt: &mut dyn Prompt) -> Result<(), StoreError>;
}
