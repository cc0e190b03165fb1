//! The two files of a key: `PUB.json`, which lists it, and `PUB.age`, which holds its seed.
//!
//! The .json is written first and removed last, so a .json alone is a key that was never
//! acknowledged. What is sealed in the .age repeats the .json and wins.

use super::files::{self, damaged};
use crate::store::{Flags, KeyInfo, StoreError};
use age::x25519::{Identity, Recipient};
use nkey_core::nkey::{PublicKey, Seed};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::str::FromStr;
use zeroize::Zeroizing;

/// What `PUB.json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    name: String,
    any_iat: bool,
    exportable: bool,
}

/// What is encrypted in `PUB.age`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed<'a> {
    seed: &'a str,
    name: String,
    any_iat: bool,
    exportable: bool,
}

impl Listed {
    pub fn new(name: &str, flags: Flags) -> Listed {
        Listed {
            name: name.to_owned(),
            any_iat: flags.any_iat,
            exportable: flags.exportable,
        }
    }

    pub fn info(&self, key: PublicKey) -> KeyInfo {
        KeyInfo {
            key,
            name: self.name.clone(),
            flags: Flags {
                exportable: self.exportable,
                volatile: false,
                any_iat: self.any_iat,
            },
        }
    }

    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

fn json(key: &PublicKey) -> String {
    format!("{key}.json")
}

fn age(key: &PublicKey) -> String {
    format!("{key}.age")
}

/// The .json that a rename under way is going to.
fn next(key: &PublicKey) -> String {
    format!(".{key}.json.next")
}

/// Every whole key of the folder. Half-written ones are cleaned.
pub fn list(dir: &Path) -> Result<Vec<KeyInfo>, StoreError> {
    let names = files::names(dir)?;
    let mut keys = Vec::new();
    for name in &names {
        let Some(key) = name
            .strip_suffix(".json")
            .and_then(|name| PublicKey::from_str(name).ok())
        else {
            continue;
        };
        if names.binary_search(&age(&key)).is_err() {
            files::remove(dir, name)?;
            files::remove(dir, &next(&key))?;
            continue;
        }
        keys.push(listed(dir, name)?.info(key));
    }
    Ok(keys)
}

fn listed(dir: &Path, name: &str) -> Result<Listed, StoreError> {
    let path = dir.join(name);
    let bytes = files::read(&path)?.ok_or_else(|| damaged(&path, "it is missing"))?;
    serde_json::from_slice(&bytes).map_err(|error| damaged(&path, error))
}

fn seal(recipient: &Recipient, seed: &Seed, listed: &Listed) -> Result<Vec<u8>, StoreError> {
    let text = seed.encode();
    let sealed = Sealed {
        seed: text.reveal(),
        name: listed.name.clone(),
        any_iat: listed.any_iat,
        exportable: listed.exportable,
    };
    let failed = |error: String| StoreError::Io("cannot encrypt the seed".to_owned(), std::io::Error::other(error));
    let plain = Zeroizing::new(serde_json::to_vec(&sealed).map_err(|error| failed(error.to_string()))?);
    age::encrypt(recipient, &plain).map_err(|error| failed(error.to_string()))
}

/// Writes a new key; when this returns it is whole and durable.
pub fn add(dir: &Path, recipient: &Recipient, key: &PublicKey, seed: &Seed, listed: &Listed) -> Result<(), StoreError> {
    let sealed = seal(recipient, seed, listed)?;
    files::write(dir, &json(key), &listed.to_json())?;
    let completed = files::write(dir, &age(key), &sealed);
    if completed.is_err() {
        let _ = files::remove(dir, &json(key));
    }
    completed
}

/// Decrypts a key, and finishes a rename that was cut off.
pub fn open(dir: &Path, identity: &Identity, key: &PublicKey) -> Result<(Seed, KeyInfo), StoreError> {
    let path = dir.join(age(key));
    let bytes = files::read(&path)?.ok_or_else(|| damaged(&path, "it is missing"))?;
    let plain = Zeroizing::new(age::decrypt(identity, &bytes).map_err(|error| damaged(&path, error))?);
    // serde_json's errors may quote what they could not read: a seed. Only the place is told.
    let sealed: Sealed<'_> = serde_json::from_slice(&plain)
        .map_err(|error| damaged(&path, format_args!("what it holds ends to make sense at column {}", error.column())))?;
    let seed = Seed::from_str(sealed.seed).map_err(|error| damaged(&path, error))?;
    if seed.public_key() != *key {
        return Err(damaged(&path, "it holds the seed of another key"));
    }
    let sealed = Listed {
        name: sealed.name,
        any_iat: sealed.any_iat,
        exportable: sealed.exportable,
    };
    if listed(dir, &json(key))? != sealed {
        let renamed = files::read(&dir.join(next(key)))?
            .and_then(|bytes| serde_json::from_slice::<Listed>(&bytes).ok());
        if renamed.as_ref() != Some(&sealed) {
            return Err(damaged(
                &dir.join(json(key)),
                "it differs from what is sealed with the key: somebody changed it",
            ));
        }
        files::rename(dir, &next(key), &json(key))?;
    }
    Ok((seed, sealed.info(*key)))
}

/// Renames a key. Cut off anywhere, [`open`] finds the old state or finishes the new one.
pub fn rename(dir: &Path, recipient: &Recipient, key: &PublicKey, seed: &Seed, listed: &Listed) -> Result<(), StoreError> {
    let sealed = seal(recipient, seed, listed)?;
    files::write(dir, &next(key), &listed.to_json())?;
    files::write(dir, &age(key), &sealed)?;
    files::rename(dir, &next(key), &json(key))
}

/// Removes a key: the seed first.
pub fn remove(dir: &Path, key: &PublicKey) -> Result<(), StoreError> {
    files::remove(dir, &age(key))?;
    files::remove(dir, &next(key))?;
    files::remove(dir, &json(key))
}
