//! Adding, opening, renaming and removing keys: the order of writes that a kill cannot break.
//!
//! A key exists when `PUB.age` does. Adding writes both halves and then puts both in place;
//! removing takes `PUB.json` away last. A power cut may leave one half of a key whose making was
//! not answered: a public one goes at the next start, a sealed one is a whole key, whose public
//! half is written anew when it is opened, from what is sealed with it. Renaming needs two replacements: the new public half waits as
//! `.PUB.json.next`, then `PUB.age` is replaced (from here on the new name holds), then the
//! waiting half takes its place. Killed in between, the key opens all the same: when sealed and
//! public half differ but the waiting one agrees with the sealed, it takes its place then.

use super::Vault;
use super::entry::{MAX_PUBLIC, MAX_SEALED, Marks, seal, unseal};
use super::layout::{Entry, MAX_KEYS, next_name, public_name, sealed_name};
use super::seal::kept;
use crate::store::held::Held;
use crate::store::{Flags, StoreError, admit};
use nkey_core::nkey::{PublicKey, Seed};
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// A key, its marks, and the bytes of its public and its sealed half.
type Prepared = (PublicKey, Marks, (Vec<u8>, Vec<u8>));

impl Vault {
    pub(super) fn add_key(
        &self,
        seed: &Seed,
        name: &str,
        flags: Flags,
    ) -> Result<PublicKey, StoreError> {
        let _turn = self.changing();
        let (key, marks, (public, sealed)) = self.prepare(seed, name, flags, &BTreeMap::new())?;
        let files = [(public_name(&key), public), (sealed_name(&key), sealed)];
        if let Err(error) = self.keys.write_many(&files) {
            // Not acknowledged, so it must not come back. Where this fails too, a public half
            // alone goes at the next start, and a whole key is harmless.
            let _ = self.keys.remove(&sealed_name(&key));
            let _ = self.keys.remove(&public_name(&key));
            return Err(error);
        }
        self.list(key, marks);
        Ok(key)
    }

    /// Adds keys together: two flushes of the disk for all of them, instead of three for each. If
    /// it fails, none of them is added, and each says why.
    pub(super) fn add_keys(
        &self,
        keys: &[(Seed, &str)],
        flags: Flags,
    ) -> Vec<Result<PublicKey, StoreError>> {
        let _turn = self.changing();
        let mut results = Vec::with_capacity(keys.len());
        let mut files = Vec::with_capacity(2 * keys.len());
        let mut new = BTreeMap::new();
        for (seed, name) in keys {
            let made = self.prepare(seed, name, flags, &new);
            results.push(made.map(|(key, marks, halves)| {
                files.push((public_name(&key), halves.0));
                files.push((sealed_name(&key), halves.1));
                new.insert(key, marks);
                key
            }));
        }
        match self.keys.write_many(&files) {
            Ok(()) => new
                .into_iter()
                .for_each(|(key, marks)| self.list(key, marks)),
            Err(error) => {
                // As for one: not acknowledged, so they must not come back.
                for (name, _) in files.iter().rev() {
                    let _ = self.keys.remove(name);
                }
                for result in results.iter_mut().filter(|result| result.is_ok()) {
                    let error = std::io::Error::other(error.to_string());
                    *result = Err(StoreError::Io("the keys were not added".into(), error));
                }
            }
        }
        results
    }

    /// What the files of a new key will hold; `new` are keys that come with it.
    fn prepare(
        &self,
        seed: &Seed,
        name: &str,
        flags: Flags,
        new: &BTreeMap<PublicKey, Marks>,
    ) -> Result<Prepared, StoreError> {
        admit::seed(seed)?;
        admit::name(name)?;
        let key = seed.public_key();
        {
            let entries = self.entries();
            admit::new_bytes(&key, |found| {
                entries.contains_key(found) || new.contains_key(found)
            })?;
            if entries.len() + new.len() >= MAX_KEYS {
                return Err(StoreError::Unsupported("hold more than 65,536 keys"));
            }
        }
        let marks = Marks::new(name, flags);
        let sealed = self.seal_key(&key, &marks, seed)?;
        let public = self.encode(&marks, &key)?;
        Ok((key, marks, (public, sealed)))
    }

    pub(super) fn remove_key(&self, key: &PublicKey) -> Result<(), StoreError> {
        let _turn = self.changing();
        if !self.entries().contains_key(key) {
            return Err(StoreError::Unknown(*key));
        }
        self.keys.remove(&sealed_name(key))?;
        let synced = self.keys.sync();
        self.write_entries().remove(key);
        if let Some(unlocked) = self.write().as_mut() {
            unlocked.held.remove(key);
        }
        if let Err(StoreError::Io(what, error)) = synced {
            let what = format!("{key} is removed, but a power cut may bring it back: {what}");
            return Err(StoreError::Io(what, error));
        }
        // The key is gone for good; halves that stay are removed at the next start.
        let _ = self.keys.remove(&public_name(key));
        let _ = self.keys.remove(&next_name(key));
        Ok(())
    }

    pub(super) fn rename_key(&self, key: &PublicKey, name: &str) -> Result<(), StoreError> {
        admit::name(name)?;
        let _turn = self.changing();
        let (mut marks, seed) = self.load(key)?;
        marks.name = name.to_owned();
        let sealed = self.seal_key(key, &marks, &seed)?;
        let public = self.encode(&marks, key)?;
        let renamed = self.replace_pair(key, &public, &sealed);
        // Decrypted anew at its next use: after an error only the files say which name holds.
        if let Some(unlocked) = self.write().as_mut() {
            unlocked.held.remove(key);
        }
        match renamed {
            Ok(()) => self.list(*key, marks),
            Err(error) => {
                if let Ok((marks, _)) = self.load(key) {
                    self.list(*key, marks);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    fn replace_pair(
        &self,
        key: &PublicKey,
        public: &[u8],
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        self.keys.write(&next_name(key), public)?;
        self.keys.write(&sealed_name(key), sealed)?;
        self.keys.rename(&next_name(key), &public_name(key))
    }

    /// Decrypts a key for use.
    pub(super) fn bring_in(&self, key: &PublicKey) -> Result<(), StoreError> {
        let _turn = self.changing();
        // Whoever had the turn before may have brought in the same key.
        if matches!(self.read().as_ref(), Some(unlocked) if unlocked.held.contains_key(key)) {
            return Ok(());
        }
        let begun = self.locks.load(Ordering::SeqCst);
        let (marks, seed) = self.load(key)?;
        let held = Held::new(&seed)?;
        let mut unlocked = self.write();
        match unlocked.as_mut() {
            Some(unlocked) if self.locks.load(Ordering::SeqCst) == begun => {
                unlocked.held.insert(*key, (marks.info(*key), held));
                Ok(())
            }
            _ => Err(StoreError::Locked),
        }
    }

    /// Reads a key from disk, compares its halves, finishes a rename that was cut short and
    /// replaces a public half that is missing. The caller holds `changing`.
    fn load(&self, key: &PublicKey) -> Result<(Marks, Seed), StoreError> {
        match self.entries().get(key) {
            None => return Err(StoreError::Unknown(*key)),
            Some(Entry {
                trouble: Some((path, why)),
                ..
            }) => return Err(StoreError::Damaged(path.clone(), why.clone())),
            Some(_) => {}
        }
        let identity = match self.read().as_ref() {
            Some(unlocked) => kept(&unlocked.identity)?,
            None => return Err(StoreError::Locked),
        };
        let damaged =
            |name: &str, why: &str| Err(StoreError::Damaged(self.keys.path_of(name), why.into()));
        let name = sealed_name(key);
        let Some(bytes) = self.keys.read(&name, MAX_SEALED)? else {
            return damaged(&name, "it is missing: restore it from a backup");
        };
        let (marks, seed) = match unseal(&identity, key, &bytes) {
            Ok(opened) => opened,
            Err(why) => return damaged(&name, &format!("{why}: restore it from a backup")),
        };
        let (public, next) = (public_name(key), next_name(key));
        let written = |name: &str| -> Result<Option<Marks>, StoreError> {
            let bytes = self.keys.read(name, MAX_PUBLIC)?;
            Ok(bytes.and_then(|bytes| Marks::decode(&bytes).ok()))
        };
        let agrees = written(&public)?.as_ref() == Some(&marks);
        if self.keys.has(&next)? {
            if agrees {
                self.keys.remove(&next)?;
            } else if written(&next)?.as_ref() == Some(&marks) {
                self.keys.rename(&next, &public)?;
                self.list(*key, marks.clone());
                return Ok((marks, seed));
            }
        }
        if !agrees && !self.keys.has(&public)? {
            // Where nothing can be written the key is good all the same.
            let _ = self.keys.write(&public, &self.encode(&marks, key)?);
            self.list(*key, marks.clone());
            return Ok((marks, seed));
        }
        if !agrees {
            return damaged(
                &public,
                "it differs from what is sealed with the key: restore both files from a backup",
            );
        }
        Ok((marks, seed))
    }

    fn seal_key(&self, key: &PublicKey, marks: &Marks, seed: &Seed) -> Result<Vec<u8>, StoreError> {
        let recipient = self.trusted.get().ok_or(StoreError::Locked)?;
        seal(recipient, key, marks, seed)
            .map_err(|why| StoreError::Refused(format!("{key} could not be sealed: {why}")))
    }

    fn encode(&self, marks: &Marks, key: &PublicKey) -> Result<Vec<u8>, StoreError> {
        marks
            .encode()
            .map_err(|why| StoreError::Refused(format!("{key} could not be written: {why}")))
    }

    fn list(&self, key: PublicKey, marks: Marks) {
        let entry = Entry {
            info: marks.info(key),
            trouble: None,
        };
        self.write_entries().insert(key, entry);
    }

    fn write_entries(
        &self,
    ) -> std::sync::RwLockWriteGuard<'_, std::collections::BTreeMap<PublicKey, Entry>> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}
