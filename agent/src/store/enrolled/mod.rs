//! Keys that others hold: tokens, cards, PKCS#11 modules, another agent.
//!
//! A holder has slots with keys. Enrolling one proves that the holder has the private key and
//! pins it: from then on the agent signs with this key, or says that it has changed.

pub mod config;
pub mod device;
pub mod explain;
mod holder;
mod record;
pub mod ssh;
pub mod token;

pub use crate::device::Slot;
pub use holder::{About, Condition, Holder};
pub use record::{Record, Records};

use super::{Check, Flags, KeyInfo, Nobody, Person, Prompt, State, Store, StoreError, admit};
use nkey_core::Signature;
use nkey_core::nkey::{Kind, PublicKey, Secret, Seed};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The longest text that is taken from a holder, in characters.
const MAX_TEXT: usize = 200;

/// A holder's error.
pub(crate) fn failed(holder: &str, what: impl Into<String>) -> StoreError {
    StoreError::Holder(holder.to_owned(), what.into())
}

/// A text of a holder, cut to a length that fits a line.
pub(crate) fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().take(MAX_TEXT).collect()
}

/// What is to be enrolled.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The slot's id, or its label if no other slot has it.
    pub slot: &'a str,
    /// The kind that the key shall have.
    pub kind: Kind,
    /// The key, for a slot that does not show it.
    pub key: Option<PublicKey>,
    /// The key's name in the agent.
    pub name: &'a str,
    /// Whether `iat` may be any time.
    pub any_iat: bool,
}

/// The store of one holder: its enrolled keys.
pub struct Enrolled {
    holder: Box<dyn Holder>,
    records: Arc<Records>,
    locked: AtomicBool,
    /// Counts lockings: one that falls into an unlocking wins.
    locks: AtomicU64,
}

impl Enrolled {
    /// The keys of `holder` that `records` pin.
    pub fn new(holder: Box<dyn Holder>, records: Arc<Records>) -> Enrolled {
        Enrolled {
            holder,
            records,
            locked: AtomicBool::new(false),
            locks: AtomicU64::new(0),
        }
    }

    /// The holder.
    pub fn holder(&self) -> &dyn Holder {
        self.holder.as_ref()
    }

    /// What the holder says of itself.
    pub fn about(&self) -> About {
        let mut about = self.holder.about();
        if about.condition == Condition::Ready && self.state() == State::Locked {
            about.condition = Condition::Locked;
        }
        about
    }

    /// The key that is enrolled from a slot.
    pub fn enrolled(&self, slot: &Slot) -> Option<PublicKey> {
        let mine = |record: &Record| record.holder == self.holder.id() && record.slot == slot.id;
        self.records.find_where(mine).map(|record| record.key)
    }

    /// Has the holder prove that it holds the key of a slot. Nothing is written yet:
    /// [`Enrolled::pin`] does it.
    ///
    /// # Errors
    /// If there is no such slot, it cannot be enrolled, or the proof is wrong.
    pub fn prove(&self, wanted: &Wanted<'_>, person: &dyn Person) -> Result<Record, StoreError> {
        admit::name(wanted.name)?;
        if !matches!(wanted.kind, Kind::Operator | Kind::Account | Kind::User) {
            return Err(StoreError::Kind(wanted.kind));
        }
        if self.state() == State::Locked {
            return Err(self.locked());
        }
        let slot = self.slot(wanted.slot)?;
        let failed = |what: String| failed(self.holder.name(), what);
        if let Some(trouble) = &slot.trouble {
            return Err(failed(format!(
                "slot {} cannot be enrolled: {trouble}",
                slot.id
            )));
        }
        let key = match (
            slot.key.map(|key| PublicKey::from_bytes(wanted.kind, key)),
            wanted.key,
        ) {
            (Some(found), Some(given)) if found != given => {
                return Err(failed(format!(
                    "slot {} holds {found}, not {given}",
                    slot.id
                )));
            }
            (Some(key), _) => key,
            (None, Some(given)) if given.kind() == wanted.kind => given,
            (None, Some(given)) => return Err(StoreError::Kind(given.kind())),
            (None, None) => {
                return Err(failed(format!(
                    "slot {} does not show its public key: give it with --key",
                    slot.id
                )));
            }
        };
        let device = self.holder.prove(&slot, &key, person)?;
        if let Some(found) = device
            && let Some(pinned) = self.devices().iter().find(|pinned| **pinned != found)
        {
            return Err(failed(format!(
                "its device key is {}, but its enrolled keys were pinned with {}: remove those first if it was reset",
                device_key(&found),
                device_key(pinned)
            )));
        }
        Ok(Record {
            key,
            name: wanted.name.to_owned(),
            any_iat: wanted.any_iat,
            holder: self.holder.id().to_owned(),
            slot: slot.id,
            device,
        })
    }

    /// Has the holder make a key. Nothing is pinned yet: [`Enrolled::prove`] and
    /// [`Enrolled::pin`] follow.
    ///
    /// # Errors
    /// If it is locked, makes no keys, or fails.
    pub fn generate(&self, label: &str, kind: Kind) -> Result<Slot, StoreError> {
        admit::name(label)?;
        if self.state() == State::Locked {
            return Err(self.locked());
        }
        self.holder.generate_as(label, kind)
    }

    /// Pins a proven key; when this returns it survives a power cut.
    ///
    /// # Errors
    /// If it is pinned already, or the file cannot be written.
    pub fn pin(&self, record: Record) -> Result<PublicKey, StoreError> {
        self.records.add(record)
    }

    fn slot(&self, wanted: &str) -> Result<Slot, StoreError> {
        let failed = |what: String| failed(self.holder.name(), what);
        let mut slots = self.holder.slots()?;
        if let Some(at) = slots.iter().position(|slot| slot.id == wanted) {
            return Ok(slots.swap_remove(at));
        }
        let mut named = Vec::new();
        for slot in slots {
            if self.holder.is_named(&slot, wanted)? {
                named.push(slot);
            }
        }
        let count = named.len();
        match named.pop() {
            Some(slot) if count == 1 => Ok(slot),
            Some(_) => Err(failed(format!(
                "{wanted} names {count} slots: name one by its id"
            ))),
            None => Err(failed(format!(
                "it has no slot {wanted}: `nkey store list {}` shows those it has",
                self.holder.name()
            ))),
        }
    }

    fn record(&self, key: &PublicKey) -> Option<Record> {
        let record = self.records.find(key)?;
        (record.holder == self.holder.id()).then_some(record)
    }

    /// The device keys that are pinned with its keys.
    pub fn devices(&self) -> Vec<[u8; 32]> {
        self.records.devices_of(self.holder.id())
    }
}

/// A device key for people: as the NKey of a server, which has a checksum.
pub(crate) fn device_key(bytes: &[u8; 32]) -> PublicKey {
    PublicKey::from_bytes(Kind::Server, *bytes)
}

impl Store for Enrolled {
    fn name(&self) -> &str {
        self.holder.name()
    }

    fn answers_to(&self, name: &str) -> bool {
        self.holder.answers_to(name)
    }

    fn is_there(&self) -> bool {
        self.holder.is_there() || !self.keys().is_empty()
    }

    fn locked(&self) -> StoreError {
        self.holder.locked()
    }

    fn state(&self) -> State {
        if self.locked.load(Ordering::SeqCst) || self.holder.is_locked() {
            State::Locked
        } else {
            State::Unlocked
        }
    }

    fn max_message(&self) -> usize {
        self.holder.max_message()
    }

    fn limit(&self, key: &PublicKey) -> usize {
        match self.record(key) {
            Some(record) => self.holder.limit(&record.slot),
            None => self.max_message(),
        }
    }

    fn check(&self) -> Check {
        Check::Verify
    }

    fn lanes(&self) -> Option<usize> {
        Some(self.holder.lanes())
    }

    fn enrolment(&self) -> Option<&Enrolled> {
        Some(self)
    }

    fn explain(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> String {
        let others: Vec<PublicKey> = self.keys().into_iter().map(|info| info.key).collect();
        let why = explain::signature(key, message, signature, &others);
        format!("{}: {why}", self.holder.name())
    }

    fn keys(&self) -> Vec<KeyInfo> {
        let mut infos = self.records.infos_of(self.holder.id());
        infos
            .iter_mut()
            .for_each(|info| info.flags.is_virtual = self.holder.is_virtual());
        infos
    }

    fn find(&self, key: &PublicKey) -> Option<KeyInfo> {
        self.record(key).map(|record| record.info())
    }

    fn open(&self, key: &PublicKey) -> Result<KeyInfo, StoreError> {
        if self.state() == State::Locked {
            return Err(self.locked());
        }
        self.find(key).ok_or(StoreError::Unknown(*key))
    }

    fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Signature, StoreError> {
        self.sign_for(key, message, &Nobody)
    }

    fn sign_for(
        &self,
        key: &PublicKey,
        message: &[u8],
        person: &dyn Person,
    ) -> Result<Signature, StoreError> {
        if self.state() == State::Locked {
            return Err(self.locked());
        }
        let record = self.record(key).ok_or(StoreError::Unknown(*key))?;
        self.holder.sign_for(&record, message, person)
    }

    fn add(&self, _: &Seed, _: &str, _: Flags) -> Result<PublicKey, StoreError> {
        Err(StoreError::Unsupported(
            "take seeds: its keys are enrolled with `nkey store enrol`",
        ))
    }

    fn export(&self, key: &PublicKey) -> Result<Secret, StoreError> {
        match self.find(key) {
            Some(_) => Err(StoreError::NotExportable(*key)),
            None => Err(StoreError::Unknown(*key)),
        }
    }

    fn remove(&self, key: &PublicKey) -> Result<(), StoreError> {
        self.record(key).ok_or(StoreError::Unknown(*key))?;
        self.records.remove(key)
    }

    fn rename(&self, key: &PublicKey, name: &str) -> Result<(), StoreError> {
        self.record(key).ok_or(StoreError::Unknown(*key))?;
        self.records.rename(key, name)
    }

    fn lock(&self) {
        self.locks.fetch_add(1, Ordering::SeqCst);
        self.locked.store(true, Ordering::SeqCst);
        self.holder.lock();
    }

    fn unlock(&self, prompt: &mut dyn Prompt) -> Result<(), StoreError> {
        let locks = self.locks.load(Ordering::SeqCst);
        if self.holder.is_locked() {
            self.holder.unlock_for(&self.devices(), prompt)?;
        }
        self.locked.store(false, Ordering::SeqCst);
        if self.locks.load(Ordering::SeqCst) != locks {
            self.lock();
            return Err(failed(
                self.holder.name(),
                "it was locked while it was being unlocked",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
