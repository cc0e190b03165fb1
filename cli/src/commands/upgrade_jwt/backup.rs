//! An operator's folder, kept as it is before tokens in it are replaced.

use crate::error::Error;
use crate::store::{Edit, file, folders};
use std::path::{Path, PathBuf};

/// Where the folder was copied to.
pub struct Backup {
    /// This copy.
    pub dir: PathBuf,
    /// The whole copy that an earlier run made, if one did: only that one has all of version 1.
    pub first: Option<PathBuf>,
}

/// Copies the operator's folder into `OPERATOR-jwtV1-backup-TIME/OPERATOR` beside it, and tells
/// where. nsc and nkey take a folder for an operator if a `.nsc` is in it: so it lies a folder
/// deeper, and is written last, when all else is there.
///
/// # Errors
/// If a file cannot be read or written.
pub fn write(edit: &Edit, now: i64) -> Result<Backup, Error> {
    let (operator, root) = (&edit.operator, edit.store.root());
    let prefix = format!("{}-jwtV1-backup-", operator.name());
    let whole = |dir: &Path| dir.join(operator.name()).join(".nsc").is_file();
    let earlier = folders(root, |path, name| name.starts_with(&prefix) && whole(path))?;
    // Of the same length, so the first in order is the oldest.
    let first = earlier
        .first()
        .map(|name| root.join(name).join(operator.name()));
    let free = |time: i64| root.join(format!("{prefix}{time}"));
    let dir = (now..).map(free).find(|dir| !dir.exists());
    let dir = dir.unwrap_or_else(|| free(now)).join(operator.name());
    let marker = Path::new(".nsc");
    let mut files = operator.files()?;
    files.retain(|file| file != marker);
    files.push(marker.to_owned());
    for name in files {
        let from = operator.dir().join(&name);
        let bytes = file::read(&from)?
            .ok_or_else(|| Error::failed(format!("{} is missing", from.display())))?;
        let to = dir.join(&name);
        if let Some(folder) = to.parent() {
            file::make_dir(folder)?;
        }
        file::replace(&to, &bytes, None)?;
    }
    Ok(Backup { dir, first })
}
