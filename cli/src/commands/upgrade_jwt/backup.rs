//! The tokens of an operator, kept as they are before they are replaced.

use crate::error::Error;
use crate::store::{Edit, Entry, file};
use std::path::{Path, PathBuf};

/// Copies the tokens of the operator into `OPERATOR-jwtV1-backup-TIME/OPERATOR` beside its folder,
/// and tells where. nsc and nkey take a folder for an operator if a `.nsc` is in it: so it lies a
/// folder deeper, and is written last, when all else is there.
///
/// # Errors
/// If a token cannot be read or written.
pub fn write(edit: &Edit, now: i64) -> Result<PathBuf, Error> {
    let operator = &edit.operator;
    let name = operator.name();
    let free = |time: i64| {
        edit.store
            .root()
            .join(format!("{name}-jwtV1-backup-{time}"))
    };
    let dir = (now..).map(free).find(|dir| !dir.exists());
    let dir = dir.unwrap_or_else(|| free(now)).join(name);
    for account in operator.accounts()? {
        let folder = dir.join("accounts").join(&account);
        let users = operator.users(&account)?;
        let users: Vec<_> = users
            .iter()
            .map(|user| Ok(copied(operator.user(&account, user)?)))
            .collect::<Result<_, Error>>()?;
        create(&folder, vec![copied(operator.account(&account)?)])?;
        if !users.is_empty() {
            create(&folder.join("users"), users)?;
        }
    }
    create(&dir, vec![copied(edit.entry.clone())])?;
    let marker = operator.dir().join(".nsc");
    let bytes = file::read(&marker)?
        .ok_or_else(|| Error::failed(format!("{} is missing", marker.display())))?;
    create(&dir, vec![(".nsc".to_owned(), bytes)])?;
    Ok(dir)
}

/// The name of an entry's file, and its bytes.
fn copied<N>(entry: Entry<N>) -> (String, Vec<u8>) {
    let name = entry.path.file_name().unwrap_or_default();
    (name.to_string_lossy().into_owned(), entry.bytes)
}

fn create(dir: &Path, files: Vec<(String, Vec<u8>)>) -> Result<(), Error> {
    let texts: Vec<(String, String)> = files
        .into_iter()
        // Tokens and markers were read as text.
        .map(|(name, bytes)| (name, String::from_utf8_lossy(&bytes).into_owned()))
        .collect();
    let files: Vec<(String, &str)> = texts
        .iter()
        .map(|(name, text)| (name.clone(), text.as_str()))
        .collect();
    file::create_all(dir, &files)
}
