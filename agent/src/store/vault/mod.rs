//! The embedded store: a directory with one age file per key.
//!
//! `identity.age` holds an X25519 identity, sealed by a passphrase or an age plugin;
//! `recipient.txt` its public half; `keys/PUB.json` and `keys/PUB.age` each key. Adding a
//! key needs the recipient alone. Keys are decrypted when they are first used.

mod entry;
mod files;
mod plugin;
mod seal;

pub use seal::Sealing;

use super::locked::{Arena, Locked};
use super::{Check, Flags, KeyInfo, Prompt, State, Store, StoreError};
use age::x25519::{Identity, Recipient};
use entry::Listed;
use nkey_core::Signature;
use nkey_core::nkey::{KeyPair, Kind, PublicKey, Secret, Seed};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use zeroize::{Zeroize, Zeroizing};

const RECIPIENT: &str = "recipient.txt";

/// A vault that this process has taken.
pub struct Vault {
    dir: PathBuf,
    keys: PathBuf,
    arena: Arc<Arena>,
    state: RwLock<Loaded>,
    /// Held while files change: one change at a time.
    changing: Mutex<()>,
    _lock: File,
}

struct Loaded {
    entries: BTreeMap<PublicKey, Entry>,
    identity: Option<Locked>,
    /// Trusted once it was compared with the identity; kept while locked, never read again.
    recipient: Option<Recipient>,
}

struct Entry {
    listed: KeyInfo,
    opened: Option<Arc<Opened>>,
}

/// A decrypted key: what is sealed with it, and its pair (or seed, for a curve key).
struct Opened {
    info: KeyInfo,
    secret: Locked,
}

impl Vault {
    /// Whether there is a vault in `dir`.
    ///
    /// # Errors
    /// If the directory cannot be read, or holds keys without an identity.
    pub fn exists(dir: &Path) -> Result<bool, StoreError> {
        if files::read(&dir.join(seal::IDENTITY))?.is_some() {
            return Ok(true);
        }
        let keys = dir.join("keys");
        let filled = std::fs::read_dir(&keys).is_ok_and(|mut names| names.next().is_some());
        if filled {
            return Err(files::damaged(
                &dir.join(seal::IDENTITY),
                "it is missing, and there are keys that only it opens: bring it back from a backup",
            ));
        }
        Ok(false)
    }

    /// Makes a vault and leaves it unlocked.
    ///
    /// # Errors
    /// If there is one already, or it cannot be sealed or written.
    pub fn create(dir: &Path, sealing: &Sealing, prompt: &mut dyn Prompt) -> Result<Vault, StoreError> {
        Vault::create_with(dir, sealing, seal::WORK_FACTOR, prompt)
    }

    fn create_with(
        dir: &Path,
        sealing: &Sealing,
        work_factor: u8,
        prompt: &mut dyn Prompt,
    ) -> Result<Vault, StoreError> {
        files::directory(dir)?;
        let lock = files::lock(dir)?;
        if Vault::exists(dir)? {
            return Err(files::damaged(dir, "there is a vault already"));
        }
        files::directory(&dir.join("keys"))?;
        let identity = Identity::generate();
        let recipient = identity.to_public();
        let text = Zeroizing::new(age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned());
        files::write(dir, RECIPIENT, format!("{recipient}\n").as_bytes())?;
        seal::seal(dir, &text, sealing, work_factor, prompt)?;
        let vault = Vault::load(dir, lock)?;
        vault.accept(text.as_bytes(), recipient)?;
        Ok(vault)
    }

    /// Opens a vault, locked. Nothing is decrypted.
    ///
    /// # Errors
    /// If another agent uses it, or a file is missing or damaged.
    pub fn open(dir: &Path) -> Result<Vault, StoreError> {
        files::directory(dir)?;
        let lock = files::lock(dir)?;
        if !Vault::exists(dir)? {
            return Err(files::damaged(&dir.join(seal::IDENTITY), "it is missing: there is no vault here"));
        }
        files::directory(&dir.join("keys"))?;
        Vault::load(dir, lock)
    }

    fn load(dir: &Path, lock: File) -> Result<Vault, StoreError> {
        let keys = dir.join("keys");
        let entries = entry::list(&keys)?
            .into_iter()
            .map(|listed| (listed.key, Entry { listed, opened: None }))
            .collect();
        // Temporary files beside the identity, left by a crash, are cleaned as well.
        files::names(dir)?;
        Ok(Vault {
            dir: dir.to_owned(),
            keys,
            arena: Arc::new(Arena::default()),
            state: RwLock::new(Loaded {
                entries,
                identity: None,
                recipient: None,
            }),
            changing: Mutex::new(()),
            _lock: lock,
        })
    }

    /// The folder of the plugin program that sealed the vault in `dir`, if one did. The age
    /// crate looks for plugins on PATH, so whoever opens the vault puts this folder first.
    ///
    /// # Errors
    /// If the vault's plugin file is damaged.
    pub fn plugin_folder(dir: &Path) -> Result<Option<PathBuf>, StoreError> {
        Ok(plugin::Plugin::of_vault(dir)?.and_then(|plugin| plugin.folder().map(Path::to_owned)))
    }

    /// Whether all secrets so far are in locked memory.
    pub fn is_memory_locked(&self) -> bool {
        self.arena.is_locked()
    }

    fn state(&self) -> RwLockReadGuard<'_, Loaded> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, Loaded> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, secret: &[u8]) -> Result<Locked, StoreError> {
        self.arena
            .keep(secret)
            .map_err(|error| StoreError::Io("cannot keep a secret in memory".to_owned(), error))
    }

    fn accept(&self, identity: &[u8], recipient: Recipient) -> Result<(), StoreError> {
        let identity = self.keep(identity)?;
        let mut state = self.state_mut();
        state.identity = Some(identity);
        state.recipient = Some(recipient);
        Ok(())
    }

    fn identity(&self) -> Result<Identity, StoreError> {
        let state = self.state();
        let identity = state.identity.as_ref().ok_or(StoreError::Locked)?;
        parse_identity(identity).ok_or_else(|| files::damaged(&self.dir.join(seal::IDENTITY), "it holds no identity"))
    }

    /// The decrypted key, from memory or from its file.
    fn opened(&self, key: &PublicKey) -> Result<Arc<Opened>, StoreError> {
        {
            let state = self.state();
            let entry = state.entries.get(key).ok_or(StoreError::Unknown(*key))?;
            if state.identity.is_none() {
                return Err(StoreError::Locked);
            }
            if let Some(opened) = &entry.opened {
                return Ok(Arc::clone(opened));
            }
        }
        let (seed, info) = entry::open(&self.keys, &self.identity()?, key)?;
        let opened = Arc::new(self.keep_seed(&seed, info)?);
        let mut state = self.state_mut();
        // It may have been locked or removed in the meantime.
        if state.identity.is_none() {
            return Err(StoreError::Locked);
        }
        let entry = state.entries.get_mut(key).ok_or(StoreError::Unknown(*key))?;
        entry.listed = opened.info.clone();
        entry.opened = Some(Arc::clone(&opened));
        Ok(opened)
    }

    fn keep_seed(&self, seed: &Seed, info: KeyInfo) -> Result<Opened, StoreError> {
        let secret = match KeyPair::from_seed(seed) {
            Ok(pair) => self.keep(pair.expanded())?,
            Err(_) => self.keep(seed.as_bytes())?,
        };
        Ok(Opened { info, secret })
    }
}

fn parse_identity(text: &[u8]) -> Option<Identity> {
    Identity::from_str(std::str::from_utf8(text).ok()?.trim()).ok()
}

impl Opened {
    fn seed(&self) -> Option<Seed> {
        let bytes = self.secret.first_chunk::<32>()?;
        Some(Seed::from_bytes(self.info.key.kind(), *bytes))
    }

    fn pair(&self) -> Option<KeyPair> {
        let expanded = <&[u8; 64]>::try_from(&*self.secret).ok()?;
        Some(KeyPair::from_expanded(self.info.key.kind(), *expanded))
    }
}

impl Store for Vault {
    fn name(&self) -> &'static str {
        "vault"
    }

    fn state(&self) -> State {
        if Vault::state(self).identity.is_some() {
            State::Unlocked
        } else {
            State::Locked
        }
    }

    fn max_message(&self) -> usize {
        crate::message::MAX_SIGNING_INPUT
    }

    fn check(&self) -> Check {
        Check::Recomputed
    }

    fn keys(&self) -> Vec<KeyInfo> {
        let state = Vault::state(self);
        state.entries.values().map(|entry| entry.listed.clone()).collect()
    }

    fn find(&self, key: &PublicKey) -> Option<KeyInfo> {
        Vault::state(self).entries.get(key).map(|entry| entry.listed.clone())
    }

    fn open(&self, key: &PublicKey) -> Result<KeyInfo, StoreError> {
        self.opened(key).map(|opened| opened.info.clone())
    }

    fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Signature, StoreError> {
        let opened = self.opened(key)?;
        let sign = || opened.pair().map(|pair| pair.sign(message)).ok_or(StoreError::Kind(key.kind()));
        // Ed25519 is deterministic: a fault in one computation shows as a difference. A faulty
        // signature must not leave, since with a right one of the same message it gives the key away.
        let first = sign()?;
        let second = std::hint::black_box(sign()?);
        if first == second {
            Ok(first)
        } else {
            Err(StoreError::Mismatch)
        }
    }

    fn add(&self, seed: &Seed, name: &str, flags: Flags) -> Result<PublicKey, StoreError> {
        if !matches!(seed.kind(), Kind::Operator | Kind::Account | Kind::User | Kind::Curve) {
            return Err(StoreError::Kind(seed.kind()));
        }
        let key = seed.public_key();
        let _changing = self.changing();
        let recipient = {
            let state = Vault::state(self);
            if let Some(held) = state.entries.keys().find(|held| held.as_bytes() == key.as_bytes()) {
                return Err(StoreError::Exists(*held));
            }
            state.recipient.clone().ok_or(StoreError::Locked)?
        };
        let listed = Listed::new(name, flags);
        entry::add(&self.keys, &recipient, &key, seed, &listed)?;
        let info = listed.info(key);
        let opened = match Store::state(self) {
            State::Unlocked => Some(Arc::new(self.keep_seed(seed, info.clone())?)),
            State::Locked => None,
        };
        let mut state = self.state_mut();
        let opened = opened.filter(|_| state.identity.is_some());
        state.entries.insert(key, Entry { listed: info, opened });
        Ok(key)
    }

    fn export(&self, key: &PublicKey) -> Result<Secret, StoreError> {
        let opened = self.opened(key)?;
        if !opened.info.flags.exportable {
            return Err(StoreError::NotExportable(*key));
        }
        Ok(opened.seed().ok_or(StoreError::Unknown(*key))?.encode())
    }

    fn remove(&self, key: &PublicKey) -> Result<(), StoreError> {
        let _changing = self.changing();
        if Store::state(self) == State::Locked {
            return Err(StoreError::Locked);
        }
        self.find(key).ok_or(StoreError::Unknown(*key))?;
        entry::remove(&self.keys, key)?;
        self.state_mut().entries.remove(key);
        Ok(())
    }

    fn rename(&self, key: &PublicKey, name: &str) -> Result<(), StoreError> {
        let opened = self.opened(key)?;
        let _changing = self.changing();
        let recipient = Vault::state(self).recipient.clone().ok_or(StoreError::Locked)?;
        let seed = opened.seed().ok_or(StoreError::Unknown(*key))?;
        let listed = Listed::new(name, opened.info.flags);
        entry::rename(&self.keys, &recipient, key, &seed, &listed)?;
        let renamed = Arc::new(self.keep_seed(&seed, listed.info(*key))?);
        if let Some(entry) = self.state_mut().entries.get_mut(key) {
            entry.listed = renamed.info.clone();
            entry.opened = entry.opened.as_ref().map(|_| renamed);
        }
        Ok(())
    }

    fn lock(&self) {
        let mut state = self.state_mut();
        state.identity = None;
        for entry in state.entries.values_mut() {
            entry.opened = None;
        }
    }

    fn unlock(&self, prompt: &mut dyn Prompt) -> Result<(), StoreError> {
        let mut text = seal::open(&self.dir, prompt)?;
        let path = self.dir.join(seal::IDENTITY);
        let identity = parse_identity(&text).ok_or_else(|| files::damaged(&path, "it holds no identity"))?;
        let recipient = identity.to_public();
        let line = format!("{recipient}\n");
        match files::read(&self.dir.join(RECIPIENT))? {
            Some(bytes) if bytes == line.as_bytes() => {}
            Some(_) => {
                return Err(files::damaged(
                    &self.dir.join(RECIPIENT),
                    "it is not that of the vault's identity: somebody changed it. \
                     Remove the file if you know why; keys added since may be lost",
                ));
            }
            None => files::write(&self.dir, RECIPIENT, line.as_bytes())?,
        }
        let trimmed = text.trim_ascii().to_vec();
        text.zeroize();
        self.accept(&Zeroizing::new(trimmed), recipient)
    }
}

#[cfg(test)]
mod tests;
