//! What the vault promises, shown by tests.

mod basics;
mod child;
mod crash;
mod damage;
mod disk;
pub(in crate::store::vault) mod folder;
mod kill;
mod memory;
mod plugins;
mod power;
pub(in crate::store::vault) mod steps;

use super::{Sealing, Unlocked, Vault, seal};
use crate::store::{Flags, Prompt, Store, StoreError};
use age::x25519::Identity;
use folder::Temporary;
use nkey_core::nkey::{Kind, PublicKey, Seed};
use std::collections::BTreeMap;
use std::path::Path;
use zeroize::Zeroizing;

const PASSPHRASE: &str = "correct horse battery staple";

/// A person with prepared answers, who remembers the questions.
#[derive(Default)]
struct Person {
    secret: Option<String>,
    public: Option<String>,
    confirm: Option<bool>,
    asked: Vec<String>,
}

impl Person {
    fn knowing(secret: &str) -> Person {
        Person {
            secret: Some(secret.to_owned()),
            ..Person::default()
        }
    }
}

impl Prompt for Person {
    fn message(&mut self, text: &str) {
        self.asked.push(format!("message: {text}"));
    }
    fn secret(&mut self, text: &str) -> Option<Zeroizing<String>> {
        self.asked.push(format!("secret: {text}"));
        self.secret.clone().map(Zeroizing::new)
    }
    fn public(&mut self, text: &str) -> Option<String> {
        self.asked.push(format!("public: {text}"));
        self.public.clone()
    }
    fn confirm(&mut self, text: &str) -> Option<bool> {
        self.asked.push(format!("confirm: {text}"));
        self.confirm
    }
}

fn passphrase() -> Sealing {
    Sealing::Passphrase(Zeroizing::new(PASSPHRASE.to_owned()))
}

/// A new, unlocked vault with a cheap seal.
fn create(dir: &Path) -> Vault {
    Vault::create_with_work_factor(dir, &passphrase(), &mut Person::default(), 1).unwrap()
}

fn unlock(vault: &Vault) -> Result<(), StoreError> {
    vault.unlock(&mut Person::knowing(PASSPHRASE))
}

fn seed(kind: Kind, byte: u8) -> Seed {
    Seed::from_bytes(kind, [byte; 32])
}

fn add(vault: &Vault, byte: u8, name: &str) -> PublicKey {
    vault
        .add(&seed(Kind::User, byte), name, Flags::default())
        .unwrap()
}

/// The keys and names of a vault, every one of them opened and used.
fn used(vault: &Vault) -> BTreeMap<PublicKey, String> {
    vault
        .keys()
        .into_iter()
        .map(|listed| {
            let info = vault.open(&listed.key).unwrap();
            let signature = vault.sign(&info.key, b"nonce").unwrap();
            assert!(info.key.verify(b"nonce", &signature));
            assert_eq!(vault.find(&info.key), Some(info.clone()));
            (info.key, info.name)
        })
        .collect()
}

/// A vault on disk that can be copied, and unlocked without scrypt.
struct Original {
    folder: Temporary,
    identity: Identity,
}

impl Original {
    /// With keys of these seeds and names.
    fn with(keys: &[(u8, &str)]) -> Original {
        let folder = Temporary::new();
        let vault = create(&folder.path().join("vault"));
        for (byte, name) in keys {
            add(&vault, *byte, name);
        }
        let identity = seal::kept(&vault.read().as_ref().unwrap().identity).unwrap();
        Original { folder, identity }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("vault")
    }

    fn copy(&self) -> Temporary {
        let copy = Temporary::new();
        folder::copy(&self.path(), &copy.path().join("vault"));
        copy
    }

    /// Opens a copy, unlocked.
    fn open(&self, copy: &Temporary) -> Vault {
        let vault = Vault::open(&copy.path().join("vault")).unwrap();
        vault.trust(self.identity.to_public()).unwrap();
        let line = seal::line(&self.identity);
        *vault.write() = Some(Unlocked::new(seal::keep(line.trim_end()).unwrap()));
        vault
    }
}
