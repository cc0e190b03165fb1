//! What the agent asks of a holder.

use super::{Record, Slot, explain, failed};
use crate::store::{Person, Prompt, StoreError};
use nkey_core::Signature;
use nkey_core::language::POSSESSION;
use nkey_core::nkey::{Kind, PublicKey};

/// Whether a holder can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It answers.
    Ready,
    /// It needs a PIN first.
    Locked,
    /// It does not answer: why, and what to do.
    Absent(String),
}

/// What a holder says of itself; nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Whether it can be used.
    pub condition: Condition,
    /// Its serial number, or nothing.
    pub serial: String,
    /// What it asks for before it signs, for people.
    pub policy: String,
    /// Whether other software can use its keys without this agent.
    pub shared: bool,
}

/// Something outside the agent that keeps private keys and signs with them.
pub trait Holder: Send + Sync {
    /// Its name: what it is, a colon, and its name in the configuration.
    fn name(&self) -> &str;

    /// What its keys' records call it: the name, unless something lasts longer.
    fn id(&self) -> &str {
        self.name()
    }

    /// Whether a person who says `name` means it.
    fn answers_to(&self, name: &str) -> bool {
        self.name() == name || self.id() == name
    }

    /// Whether it is there, or the configuration names it; answers at once.
    fn is_there(&self) -> bool {
        true
    }

    /// Where it is, for people.
    fn place(&self) -> String;

    /// What it says of itself. May take long.
    fn about(&self) -> About;

    /// The longest message it signs, in bytes.
    fn max_message(&self) -> usize;

    /// The longest message that the key of a slot signs, in bytes.
    fn limit(&self, _slot: &str) -> usize {
        self.max_message()
    }

    /// How many signatures it may be asked for at once.
    fn lanes(&self) -> usize;

    /// Its slots. May take long.
    ///
    /// # Errors
    /// What it says.
    fn slots(&self) -> Result<Vec<Slot>, StoreError>;

    /// Whether a person who says `wanted` means this slot.
    ///
    /// # Errors
    /// If `wanted` is nothing that names a slot.
    fn is_named(&self, slot: &Slot, wanted: &str) -> Result<bool, StoreError> {
        Ok(slot.id == wanted || slot.label == wanted)
    }

    /// Makes a key.
    ///
    /// # Errors
    /// If it makes none.
    fn generate(&self, _label: &str) -> Result<Slot, StoreError> {
        Err(StoreError::Unsupported(
            "make keys: make one with its own tools, then type `nkey store enrol`",
        ))
    }

    /// As [`Holder::generate`], for holders that know kinds of keys.
    ///
    /// # Errors
    /// If it makes none.
    fn generate_as(&self, label: &str, _kind: Kind) -> Result<Slot, StoreError> {
        self.generate(label)
    }

    /// Proves that the key of a slot is there; the device key to pin with it, if it has one.
    ///
    /// # Errors
    /// What it says, and if the proof is wrong.
    fn prove(
        &self,
        slot: &Slot,
        key: &PublicKey,
        person: &dyn Person,
    ) -> Result<Option<[u8; 32]>, StoreError> {
        let challenge = challenge(key)?;
        let unpinned = Record {
            key: *key,
            name: String::new(),
            any_iat: false,
            holder: self.id().to_owned(),
            slot: slot.id.clone(),
            device: None,
        };
        let signature = self.sign_for(&unpinned, &challenge, person)?;
        if key.verify(&challenge, &signature) {
            return Ok(None);
        }
        let why = explain::signature(key, &challenge, &signature, &[]);
        Err(failed(self.name(), why))
    }

    /// What `slot` signs. Whether it is the signature of `key` is for the caller to check.
    ///
    /// # Errors
    /// What it says.
    fn sign(&self, slot: &str, key: &PublicKey, message: &[u8]) -> Result<Signature, StoreError>;

    /// As [`Holder::sign`], for an enrolled key and somebody who can be told what to do.
    ///
    /// # Errors
    /// What it says.
    fn sign_for(
        &self,
        record: &Record,
        message: &[u8],
        _person: &dyn Person,
    ) -> Result<Signature, StoreError> {
        self.sign(&record.slot, &record.key, message)
    }

    /// Passes on a command of the token protocol; the answer.
    ///
    /// # Errors
    /// If it is no token, and what the token says.
    fn pass(&self, _command: &[u8], _person: &dyn Person) -> Result<Vec<u8>, StoreError> {
        Err(StoreError::Unsupported("take commands: it is no token"))
    }

    /// What a request that needs it unlocked is told.
    fn locked(&self) -> StoreError {
        StoreError::Locked
    }

    /// Whether its keys are files after all.
    fn is_virtual(&self) -> bool {
        false
    }

    /// Notices that it has locked itself. May take long.
    fn check(&self) {}

    /// Whether it needs a PIN before it signs; answers at once.
    fn is_locked(&self) -> bool {
        false
    }

    /// Forgets the PIN; answers at once.
    fn lock(&self) {}

    /// Asks for the PIN and gives it to the holder, if it needs one.
    ///
    /// # Errors
    /// [`StoreError::WrongPassphrase`], [`StoreError::Cancelled`], and what the holder says.
    fn unlock(&self, _: &mut dyn Prompt) -> Result<(), StoreError> {
        Ok(())
    }

    /// As [`Holder::unlock`]; `pinned` are the device keys that were pinned with its keys.
    ///
    /// # Errors
    /// As [`Holder::unlock`]'s.
    fn unlock_for(&self, _pinned: &[[u8; 32]], prompt: &mut dyn Prompt) -> Result<(), StoreError> {
        self.unlock(prompt)
    }
}

/// Language E: nothing that a key signs on a request starts like this.
fn challenge(key: &PublicKey) -> Result<[u8; 83], StoreError> {
    let mut message = [0u8; 83];
    message[..19].copy_from_slice(POSSESSION);
    message[19..51].copy_from_slice(key.as_bytes());
    getrandom::fill(&mut message[51..])
        .map_err(|error| StoreError::Io("no randomness".into(), std::io::Error::other(error)))?;
    Ok(message)
}
