//! The store `vault`: a folder with one age file per key.
//!
//! ```text
//! identity.age         the vault's X25519 identity, sealed by a passphrase or a plugin
//! plugin-identity.txt  with a plugin: its identity, name and path
//! recipient.txt        the public half of the identity
//! lock                 held by the agent that has the vault open; its process id
//! keys/PUB.json        name, any_iat, exportable
//! keys/PUB.age         the same and the seed, sealed to the recipient; completes the key
//! ```
//!
//! A key is added with the recipient alone, and decrypted on first use. What is sealed wins: a
//! key whose public half says something else is refused. The files are plain age files, so
//! `age -d` opens them without this program.

mod change;
mod create;
mod entry;
pub(in crate::store) mod files;
mod layout;
mod lock;
mod plugin;
mod seal;
#[cfg(test)]
mod tests;

pub use seal::Sealing;

use super::held::Held;
use super::locked::{self, Secret};
use super::{Check, Flags, KeyInfo, Prompt, State, Store, StoreError};
use age::x25519::Recipient;
use files::Folder;
use layout::Entry;
use nkey_core::Signature;
use nkey_core::nkey::{self, PublicKey, Seed};
use seal::Seal;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::sync::{RwLockReadGuard, RwLockWriteGuard};

/// An open vault. It starts locked: keys are listed, and nothing more.
pub struct Vault {
    root: Folder,
    keys: Folder,
    seal: Seal,
    /// Known to belong to the identity since this process opened it; `recipient.txt` is not asked again.
    trusted: OnceLock<Recipient>,
    entries: RwLock<BTreeMap<PublicKey, Entry>>,
    unlocked: RwLock<Option<Unlocked>>,
    /// How often the vault was locked: what was begun before the last time must not end after it.
    locks: AtomicU64,
    /// Held while files change, and while a key is brought in for its first use.
    changing: Mutex<()>,
    _lock: lock::Lock,
}

/// What is in memory while the vault is unlocked; dropping it wipes all of it.
struct Unlocked {
    identity: Secret,
    held: HashMap<PublicKey, (KeyInfo, Held)>,
}

impl Unlocked {
    fn new(identity: Secret) -> Unlocked {
        Unlocked {
            identity,
            held: HashMap::new(),
        }
    }
}

impl Vault {
    /// Whether a vault is in `dir`.
    ///
    /// # Errors
    /// When the folder cannot be read, is open to others, or has keys and no identity.
    pub fn exists(dir: &Path) -> Result<bool, StoreError> {
        create::exists(dir)
    }

    /// Makes a vault in `dir`, which must be absent or empty, and leaves it unlocked. A plugin
    /// may ask through `prompt`; a passphrase costs a second and 256 MiB for that time.
    ///
    /// # Errors
    /// [`StoreError::Refused`], [`StoreError::InUse`], [`StoreError::Plugin`], [`StoreError::Io`].
    pub fn create(
        dir: &Path,
        sealing: &Sealing,
        prompt: &mut dyn Prompt,
    ) -> Result<Vault, StoreError> {
        create::create(dir, sealing, prompt, seal::WORK_FACTOR)
    }

    /// [`Vault::create`] with another scrypt work factor, so that tests need not wait.
    #[doc(hidden)]
    pub fn create_with_work_factor(
        dir: &Path,
        sealing: &Sealing,
        prompt: &mut dyn Prompt,
        work_factor: u8,
    ) -> Result<Vault, StoreError> {
        create::create(dir, sealing, prompt, work_factor)
    }

    /// Opens the vault in `dir`, locked, and removes what a killed process left half written.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another agent has it; [`StoreError::Refused`] when it is no
    /// vault or open to others; [`StoreError::Damaged`], [`StoreError::Plugin`], [`StoreError::Io`].
    pub fn open(dir: &Path) -> Result<Vault, StoreError> {
        if !create::exists(dir)? {
            return Err(StoreError::Refused(format!(
                "{} is not a vault: `nkey agent start` makes one in an absent or empty folder",
                dir.display()
            )));
        }
        let root = Folder::open(dir)?;
        let lock = lock::Lock::take(&root)?;
        Vault::over(root, lock)
    }

    fn over(root: Folder, lock: lock::Lock) -> Result<Vault, StoreError> {
        let keys = root.folder(layout::KEYS)?;
        layout::clean(&root, &keys)?;
        Ok(Vault {
            seal: Seal::of(&root)?,
            entries: RwLock::new(layout::scan(&keys)?),
            root,
            keys,
            trusted: OnceLock::new(),
            unlocked: RwLock::new(None),
            locks: AtomicU64::new(0),
            changing: Mutex::new(()),
            _lock: lock,
        })
    }

    /// Whether a plugin opens it; else a passphrase does.
    pub fn has_plugin(&self) -> bool {
        matches!(self.seal, Seal::Plugin(_))
    }

    /// Whether all secrets in memory are locked there; false where the limit on locked memory
    /// (`ulimit -l`) was too low. Without secrets it is true.
    pub fn is_memory_locked(&self) -> bool {
        locked::all_locked()
    }

    /// Trusts the identity's own recipient, if `recipient.txt` names it too.
    fn trust(&self, recipient: Recipient) -> Result<(), StoreError> {
        let written = match self.trusted.get() {
            Some(trusted) => trusted.clone(),
            None => seal::recipient(&self.root)?,
        };
        if written != recipient {
            return Err(StoreError::Damaged(
                self.root.path_of(layout::RECIPIENT),
                format!(
                    "it names {written}, but the identity's recipient is {recipient}. Somebody \
                     exchanged one of the two, perhaps to read new keys: find out who, then \
                     restore both files from a backup"
                ),
            ));
        }
        // Already set to the same value when two unlocks ran at once.
        let _ = self.trusted.set(recipient);
        Ok(())
    }

    fn entries(&self) -> RwLockReadGuard<'_, BTreeMap<PublicKey, Entry>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<Unlocked>> {
        self.unlocked.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<Unlocked>> {
        self.unlocked
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `use_it` makes of an opened key, which is decrypted now if it was not yet.
    fn with<T>(
        &self,
        key: &PublicKey,
        use_it: impl Fn(&KeyInfo, &Held) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // Many sign at once under the read guard; the write guard waits for them, so that
        // nothing is left in memory when `lock` returns.
        if let Some((info, held)) = self.read().as_ref().and_then(|state| state.held.get(key)) {
            return use_it(info, held);
        }
        self.bring_in(key)?;
        match self.read().as_ref().and_then(|state| state.held.get(key)) {
            Some((info, held)) => use_it(info, held),
            None => Err(StoreError::Locked),
        }
    }
}

impl Store for Vault {
    fn name(&self) -> &'static str {
        "vault"
    }

    fn state(&self) -> State {
        match *self.read() {
            Some(_) => State::Unlocked,
            None => State::Locked,
        }
    }

    fn max_message(&self) -> usize {
        crate::message::MAX_SIGNING_INPUT
    }

    fn check(&self) -> Check {
        Check::Recomputed
    }

    fn keys(&self) -> Vec<KeyInfo> {
        self.entries()
            .values()
            .map(|entry| entry.info.clone())
            .collect()
    }

    fn find(&self, key: &PublicKey) -> Option<KeyInfo> {
        self.entries().get(key).map(|entry| entry.info.clone())
    }

    fn open(&self, key: &PublicKey) -> Result<KeyInfo, StoreError> {
        self.with(key, |info, _| Ok(info.clone()))
    }

    fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Signature, StoreError> {
        self.with(key, |_, held| held.sign(message))
    }

    fn add(&self, seed: &Seed, name: &str, flags: Flags) -> Result<PublicKey, StoreError> {
        self.add_key(seed, name, flags)
    }

    fn add_many(&self, keys: &[(Seed, &str)], flags: Flags) -> Vec<Result<PublicKey, StoreError>> {
        self.add_keys(keys, flags)
    }

    fn export(&self, key: &PublicKey) -> Result<nkey::Secret, StoreError> {
        self.with(key, |info, held| match info.flags.exportable {
            true => Ok(held.seed().encode()),
            false => Err(StoreError::NotExportable(*key)),
        })
    }

    fn remove(&self, key: &PublicKey) -> Result<(), StoreError> {
        self.remove_key(key)
    }

    fn rename(&self, key: &PublicKey, name: &str) -> Result<(), StoreError> {
        self.rename_key(key, name)
    }

    fn lock(&self) {
        let mut unlocked = self.write();
        self.locks.fetch_add(1, Ordering::SeqCst);
        *unlocked = None;
    }

    fn unlock(&self, prompt: &mut dyn Prompt) -> Result<(), StoreError> {
        if self.state() == State::Unlocked {
            return Ok(());
        }
        let begun = self.locks.load(Ordering::SeqCst);
        let (identity, secret) = self.seal.open(&self.root, prompt)?;
        self.trust(identity.to_public())?;
        let mut unlocked = self.write();
        if self.locks.load(Ordering::SeqCst) != begun {
            return Err(StoreError::Locked);
        }
        // Another unlock may have been faster, and its keys are in use.
        unlocked.get_or_insert_with(|| Unlocked::new(secret));
        Ok(())
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({}, {:?})", self.root.path(), self.state())
    }
}
