//! What is pinned of each enrolled key: one file per key in the vault's folder, 0600.

use super::{device_key, token};
use crate::store::vault::files::{Folder, is_temporary};
use crate::store::{Flags, KeyInfo, StoreError, admit};
use nkey_core::nkey::{Kind, PublicKey};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The folder of the records, within the vault's, whose lock covers it.
const FOLDER: &str = "enrolled";
/// Most bytes of a record.
const MAX_RECORD: usize = 8192;
/// Most records.
const MAX_RECORDS: usize = 4096;

/// An enrolled key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The pinned public key, with its kind.
    pub key: PublicKey,
    /// What the person calls it; may be empty.
    pub name: String,
    /// Whether `iat` may be any time.
    pub any_iat: bool,
    /// The name of its holder.
    pub holder: String,
    /// The id of its slot there.
    pub slot: String,
    /// The device key of the token that it lies on.
    pub device: Option<[u8; 32]>,
}

impl Record {
    /// What a listing shows.
    pub fn info(&self) -> KeyInfo {
        KeyInfo {
            key: self.key,
            name: self.name.clone(),
            flags: Flags {
                any_iat: self.any_iat,
                ..Flags::default()
            },
        }
    }
}

/// A record's file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    public_key: String,
    name: String,
    any_iat: bool,
    holder: String,
    slot: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<String>,
}

/// All records, of every holder.
pub struct Records {
    folder: Folder,
    rows: RwLock<BTreeMap<PublicKey, Record>>,
    damaged: Vec<String>,
}

impl Records {
    /// The records in the folder of a vault, which is open and thus locked.
    ///
    /// # Errors
    /// If the folder cannot be read. A damaged record is a warning: other keys go on.
    pub fn open(vault: &Path) -> Result<Records, StoreError> {
        let vault = Folder::open(vault)?;
        vault.make_folder(FOLDER)?;
        let folder = vault.folder(FOLDER)?;
        let (mut rows, mut damaged) = (BTreeMap::new(), Vec::new());
        for name in folder.names()? {
            if is_temporary(&name) {
                folder.remove(&name)?;
            } else if let Some(text) = name.strip_suffix(".json") {
                match read(&folder, &name, text) {
                    Ok(record) => {
                        rows.insert(record.key, record);
                    }
                    Err(why) => {
                        damaged.push(format!("{} is damaged: {why}", folder.path_of(&name)))
                    }
                }
            }
        }
        Ok(Records {
            folder,
            rows: RwLock::new(rows),
            damaged,
        })
    }

    /// What is wrong with the files, and which records name a holder that is not among these.
    pub fn warnings(&self, holders: &[&str]) -> Vec<String> {
        let rows = self.read();
        let lost = rows
            .values()
            .filter(|record| !holders.contains(&record.holder.as_str()))
            // Tokens need no configuration.
            .filter(|record| !record.holder.starts_with(token::PREFIX))
            .map(|record| {
                format!(
                    "{} is enrolled from {}, which the configuration does not name",
                    record.key, record.holder
                )
            });
        self.damaged.iter().cloned().chain(lost).collect()
    }

    pub(super) fn find(&self, key: &PublicKey) -> Option<Record> {
        self.read().get(key).cloned()
    }

    pub(super) fn find_where(&self, wanted: impl Fn(&Record) -> bool) -> Option<Record> {
        self.read().values().find(|record| wanted(record)).cloned()
    }

    /// The names of the holders that have records.
    pub fn holders(&self) -> BTreeSet<String> {
        let rows = self.read();
        rows.values().map(|record| record.holder.clone()).collect()
    }

    pub(super) fn devices_of(&self, holder: &str) -> Vec<[u8; 32]> {
        let rows = self.read();
        let mine = rows.values().filter(|record| record.holder == holder);
        mine.filter_map(|record| record.device).collect()
    }

    pub(super) fn infos_of(&self, holder: &str) -> Vec<KeyInfo> {
        let rows = self.read();
        let mine = rows.values().filter(|record| record.holder == holder);
        mine.map(Record::info).collect()
    }

    pub(super) fn add(&self, record: Record) -> Result<PublicKey, StoreError> {
        let mut rows = self.write();
        admit::new_bytes(&record.key, |found| rows.contains_key(found))?;
        if rows.len() >= MAX_RECORDS {
            return Err(StoreError::Unsupported("enrol more than 4096 keys"));
        }
        self.save(&record)?;
        let key = record.key;
        rows.insert(key, record);
        Ok(key)
    }

    pub(super) fn remove(&self, key: &PublicKey) -> Result<(), StoreError> {
        let mut rows = self.write();
        if !rows.contains_key(key) {
            return Err(StoreError::Unknown(*key));
        }
        self.folder.remove(&file_name(key))?;
        self.folder.sync()?;
        rows.remove(key);
        Ok(())
    }

    pub(super) fn rename(&self, key: &PublicKey, name: &str) -> Result<(), StoreError> {
        admit::name(name)?;
        let mut rows = self.write();
        let row = rows.get_mut(key).ok_or(StoreError::Unknown(*key))?;
        let mut renamed = row.clone();
        name.clone_into(&mut renamed.name);
        self.save(&renamed)?;
        *row = renamed;
        Ok(())
    }

    fn save(&self, record: &Record) -> Result<(), StoreError> {
        let name = file_name(&record.key);
        let file = File {
            public_key: record.key.to_string(),
            name: record.name.clone(),
            any_iat: record.any_iat,
            holder: record.holder.clone(),
            slot: record.slot.clone(),
            device: record.device.map(|key| device_key(&key).to_string()),
        };
        let mut bytes = serde_json::to_vec_pretty(&file)
            .map_err(|error| StoreError::Damaged(self.folder.path_of(&name), error.to_string()))?;
        bytes.push(b'\n');
        self.folder.write(&name, &bytes)
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<PublicKey, Record>> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<PublicKey, Record>> {
        self.rows.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn file_name(key: &PublicKey) -> String {
    format!("{}.json", key.encode().as_str())
}

fn read(folder: &Folder, name: &str, text: &str) -> Result<Record, String> {
    let bytes = match folder.read(name, MAX_RECORD) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err("it is gone".into()),
        Err(StoreError::Damaged(_, why)) => return Err(why),
        Err(error) => return Err(error.to_string()),
    };
    let key = PublicKey::from_str(text).map_err(|error| error.to_string())?;
    // Not serde's message: it quotes the file.
    let file: File = serde_json::from_slice(&bytes)
        .map_err(|error| format!("it is no record (line {})", error.line()))?;
    if file.public_key != key.to_string() {
        return Err("it names another key than its file name".into());
    }
    admit::name(&file.name).map_err(|error| error.to_string())?;
    let device = match file.device {
        Some(text) => {
            let key = PublicKey::from_str(&text).and_then(|key| key.expect_kind(Kind::Server));
            Some(*key.map_err(|error| error.to_string())?.as_bytes())
        }
        None => None,
    };
    Ok(Record {
        key,
        name: file.name,
        any_iat: file.any_iat,
        holder: file.holder,
        slot: file.slot,
        device,
    })
}
