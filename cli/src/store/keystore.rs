//! nsc's keystore: seeds and creds as files (nsc `cmd/store/keys.go`).

use crate::error::Error;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

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
