//! Keys of one connection: in memory only, gone when it ends.

use super::{Check, Flags, KeyInfo, Prompt, State, Store, StoreError};
use nkey_core::Signature;
use nkey_core::nkey::{KeyPair, PublicKey, Secret, Seed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most keys of one connection.
const MOST: usize = 64;

/// A store in memory.
#[derive(Default)]
pub struct Volatile(Mutex<Vec<Entry>>);

struct Entry {
    info: KeyInfo,
    pair: KeyPair,
}

impl Volatile {
    /// An empty store; takes no memory until a key is added.
    pub const fn new() -> Volatile {
        Volatile(Mutex::new(Vec::new()))
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        key: &PublicKey,
        work: impl FnOnce(&mut Entry) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut entries = self.entries();
        let entry = entries
            .iter_mut()
            .find(|entry| entry.info.key == *key)
            .ok_or(StoreError::Unknown(*key))?;
        work(entry)
    }
}

impl Store for Volatile {
    fn name(&self) -> &'static str {
        "volatile"
    }

    fn state(&self) -> State {
        State::Unlocked
    }

    fn max_message(&self) -> usize {
        crate::message::MAX_SIGNING_INPUT
    }

    fn check(&self) -> Check {
        Check::Verify
    }

    fn keys(&self) -> Vec<KeyInfo> {
        let mut keys: Vec<KeyInfo> = self.entries().iter().map(|entry| entry.info.clone()).collect();
        keys.sort_by_key(|info| info.key);
        keys
    }

    fn find(&self, key: &PublicKey) -> Option<KeyInfo> {
        self.with(key, |entry| Ok(entry.info.clone())).ok()
    }

    fn open(&self, key: &PublicKey) -> Result<KeyInfo, StoreError> {
        self.with(key, |entry| Ok(entry.info.clone()))
    }

    fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Signature, StoreError> {
        self.with(key, |entry| Ok(entry.pair.sign(message)))
    }

    fn add(&self, seed: &Seed, name: &str, flags: Flags) -> Result<PublicKey, StoreError> {
        let pair = KeyPair::from_seed(seed).map_err(|_| StoreError::Kind(seed.kind()))?;
        let key = pair.public_key();
        let mut entries = self.entries();
        if let Some(held) = entries
            .iter()
            .find(|entry| entry.info.key.as_bytes() == key.as_bytes())
        {
            return Err(StoreError::Exists(held.info.key));
        }
        if entries.len() >= MOST {
            return Err(StoreError::Unsupported("hold more than 64 keys of one connection"));
        }
        let info = KeyInfo {
            key,
            name: name.to_owned(),
            flags,
        };
        entries.push(Entry { info, pair });
        Ok(key)
    }

    fn export(&self, key: &PublicKey) -> Result<Secret, StoreError> {
        self.with(key, |entry| {
            if entry.info.flags.exportable {
                Ok(entry.pair.seed().encode())
            } else {
                Err(StoreError::NotExportable(*key))
            }
        })
    }

    fn remove(&self, key: &PublicKey) -> Result<(), StoreError> {
        self.with(key, |_| Ok(()))?;
        self.entries().retain(|entry| entry.info.key != *key);
        Ok(())
    }

    fn rename(&self, key: &PublicKey, name: &str) -> Result<(), StoreError> {
        self.with(key, |entry| {
            name.clone_into(&mut entry.info.name);
            Ok(())
        })
    }

    /// Nothing: what cannot be decrypted again would be lost. The keys end with their connection.
    fn lock(&self) {}

    fn unlock(&self, _prompt: &mut dyn Prompt) -> Result<(), StoreError> {
        Ok(())
    }
}
