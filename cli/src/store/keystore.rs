//! nsc's keystore: seeds in `keys/`, creds in `creds/OPERATOR/ACCOUNT/` (nsc `cmd/store/keys.go`).

use crate::error::Error;
use crate::found::{self, Found};
use nkey_core::nkey::PublicKey;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The folder of nsc's seeds and creds.
pub struct Keystore {
    dir: PathBuf,
}

/// A file with a seed.
pub struct SeedFile {
    /// The file.
    pub path: PathBuf,
    /// The key of its seed, or what is wrong with it.
    pub key: Result<PublicKey, String>,
    /// The seed and where it is.
    pub found: Found,
}

impl SeedFile {
    /// Whether it is a creds file, which holds a token too.
    pub fn is_creds(&self) -> bool {
        self.path.extension().is_some_and(|end| end == "creds")
    }
}

impl Keystore {
    /// The keystore in `dir`, which need not be there.
    pub fn new(dir: &Path) -> Keystore {
        Keystore {
            dir: dir.to_owned(),
        }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where nsc and the nats CLI expect a user's creds.
    pub fn creds(&self, operator: &str, account: &str, user: &str) -> PathBuf {
        creds_file(&self.dir, operator, account, user)
    }

    /// Every `.nk` and `.creds` file, by their paths.
    pub fn files(&self) -> Vec<SeedFile> {
        let mut all = Vec::new();
        for folder in ["keys", "creds"] {
            let folder = self.dir.join(folder);
            if folder.is_dir() {
                found::in_directory(&folder, true, &mut all);
            }
        }
        let mut files: Vec<SeedFile> = all.into_iter().filter_map(read_seed_file).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    }
}

fn read_seed_file(found: Found) -> Option<SeedFile> {
    let path = found.path.clone()?;
    let end = path.extension()?.to_str()?;
    if end != "nk" && end != "creds" {
        return None;
    }
    let key = match &found.seed {
        Err(reason) => Err(reason.clone()),
        Ok(seed) => {
            let key = seed.public_key();
            let named = path.file_stem().and_then(|name| name.to_str());
            let named = named.and_then(|name| PublicKey::from_str(name).ok());
            match named {
                // nsc would take the seed for another key's.
                Some(named) if named != key => {
                    Err(format!("{} holds the seed of {key}", path.display()))
                }
                _ => Ok(key),
            }
        }
    };
    Some(SeedFile { path, key, found })
}

/// The file of a seed: `keys/A/BC/ABC….nk`.
pub fn seed_file(keystore: &Path, key: &str) -> Option<PathBuf> {
    let (kind, shard) = (key.get(..1)?, key.get(1..3)?);
    Some(
        keystore
            .join("keys")
            .join(kind)
            .join(shard)
            .join(format!("{key}.nk")),
    )
}

/// The file of a user's creds.
pub fn creds_file(keystore: &Path, operator: &str, account: &str, user: &str) -> PathBuf {
    creds_dir(keystore, operator, account).join(format!("{user}.creds"))
}

/// The folder of an account's creds.
pub fn creds_dir(keystore: &Path, operator: &str, account: &str) -> PathBuf {
    keystore.join("creds").join(operator).join(account)
}

/// Removes a file; whether it was there.
///
/// # Errors
/// If it is there and cannot be removed.
pub fn remove(path: &Path) -> Result<bool, Error> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::failed(format!(
            "cannot remove {}: {error}",
            path.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_where_nsc_puts_them() {
        let store = Path::new("/k");
        assert_eq!(
            seed_file(store, "ABCDEF").unwrap(),
            Path::new("/k/keys/A/BC/ABCDEF.nk")
        );
        assert_eq!(seed_file(store, "ä"), None);
        assert_eq!(
            creds_file(store, "op", "A", "u"),
            Path::new("/k/creds/op/A/u.creds")
        );
    }
}
