//! What lies where in a vault, and tidying up after a process that was killed.

use super::entry::{MAX_PUBLIC, Marks};
use super::files::{Folder, is_temporary};
use crate::store::{KeyInfo, StoreError};
use nkey_core::nkey::{Kind, PublicKey};
use std::collections::{BTreeMap, HashSet};
use std::str::FromStr;

/// The X25519 identity, sealed; written last, so that it marks a vault as complete.
pub(super) const IDENTITY: &str = "identity.age";
/// The recipient of that identity, which every key is sealed to.
pub(super) const RECIPIENT: &str = "recipient.txt";
/// The folder of keys.
pub(super) const KEYS: &str = "keys";

/// Most keys of a vault; their names lie in memory.
pub(super) const MAX_KEYS: usize = 65_536;

/// A key of the vault as its public half shows it.
pub(super) struct Entry {
    pub(super) info: KeyInfo,
    /// Why the key must not be used, whatever is sealed.
    pub(super) trouble: Option<Trouble>,
}

/// The file and what is wrong with it.
pub(super) type Trouble = (String, String);

/// The public half of a key.
pub(super) fn public_name(key: &PublicKey) -> String {
    format!("{}.json", key.encode().as_str())
}

/// The sealed half, whose presence completes a key.
pub(super) fn sealed_name(key: &PublicKey) -> String {
    format!("{}.age", key.encode().as_str())
}

/// The public half that a rename is about to put in place.
pub(super) fn next_name(key: &PublicKey) -> String {
    format!(".{}.json.next", key.encode().as_str())
}

/// Removes what a killed process left: files that were never completed, and public halves
/// without a sealed one. Only under the vault's lock.
pub(super) fn clean(root: &Folder, keys: &Folder) -> Result<(), StoreError> {
    for folder in [root, keys] {
        let names = folder.names()?;
        let unfinished: Vec<&String> = names.iter().filter(|name| is_temporary(name)).collect();
        for name in &unfinished {
            folder.remove(name)?;
        }
        if !unfinished.is_empty() {
            folder.sync()?;
        }
    }
    let names: HashSet<String> = keys.names()?.into_iter().collect();
    let alone = |name: &&String| {
        let public = name.strip_suffix(".json");
        let next = name
            .strip_prefix('.')
            .and_then(|name| name.strip_suffix(".json.next"));
        public
            .or(next)
            .and_then(|text| PublicKey::from_str(text).ok())
            .is_some_and(|key| !names.contains(&sealed_name(&key)))
    };
    for name in names.iter().filter(alone) {
        keys.remove(name)?;
    }
    Ok(())
}

/// The keys of the vault, without reading a sealed half.
pub(super) fn scan(keys: &Folder) -> Result<BTreeMap<PublicKey, Entry>, StoreError> {
    let mut found = BTreeMap::new();
    for name in keys.names()? {
        let text = name.strip_suffix(".age").unwrap_or_default();
        if let Ok(key) = PublicKey::from_str(text) {
            found.insert(key, read_public(keys, key));
        }
    }
    if found.len() > MAX_KEYS {
        return Err(StoreError::Refused(format!(
            "{} holds {} keys, at most {MAX_KEYS} are supported: move some to another vault",
            keys.path(),
            found.len()
        )));
    }
    let twins: Vec<PublicKey> = found
        .keys()
        .filter(|key| twin(&found, key))
        .copied()
        .collect();
    for key in twins {
        if let Some(entry) = found.get_mut(&key) {
            let why = "the same key is here under another kind: remove one of the two";
            entry.trouble = Some((keys.path_of(&sealed_name(&key)), why.into()));
        }
    }
    Ok(found)
}

fn read_public(keys: &Folder, key: PublicKey) -> Entry {
    let name = public_name(&key);
    let unknown = || Marks::new("", crate::store::Flags::default()).info(key);
    let why = match keys.read(&name, MAX_PUBLIC) {
        Ok(Some(bytes)) => match Marks::decode(&bytes) {
            Ok(marks) => {
                return Entry {
                    info: marks.info(key),
                    trouble: None,
                };
            }
            Err(why) => why,
        },
        // What is sealed repeats it: it is written anew when the key is opened.
        Ok(None) => {
            return Entry {
                info: unknown(),
                trouble: None,
            };
        }
        Err(StoreError::Damaged(_, why)) => why,
        // It stops this key, not all the others.
        Err(error) => error.to_string(),
    };
    Entry {
        info: unknown(),
        trouble: Some((keys.path_of(&name), why)),
    }
}

fn twin(found: &BTreeMap<PublicKey, Entry>, key: &PublicKey) -> bool {
    Kind::ALL
        .into_iter()
        .filter(|kind| *kind != key.kind())
        .any(|kind| found.contains_key(&PublicKey::from_bytes(kind, *key.as_bytes())))
}
