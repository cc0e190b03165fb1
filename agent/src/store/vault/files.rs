//! Files of the vault: bounded reads, and writes that survive a power cut whole or not at all.

use crate::store::StoreError;
use rustix::fs::{FlockOperation, Mode, OFlags};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// No file of a vault is longer, in bytes.
const MOST: u64 = 64 * 1024;

/// The ending of files that are being written; they start with a dot.
const TEMPORARY: &str = ".tmp";

pub fn failed(what: &str, path: &Path, error: io::Error) -> StoreError {
    StoreError::Io(format!("cannot {what} {}", path.display()), error)
}

pub fn damaged(path: &Path, why: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(path.display().to_string(), why.to_string())
}

/// Reads a whole file; none if it is not there.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", path, error)),
    };
    let mut bytes = Vec::new();
    file.take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed("read", path, error))?;
    if bytes.len() as u64 > MOST {
        return Err(damaged(path, "it is longer than any file of a vault"));
    }
    Ok(Some(bytes))
}

/// Writes a file in `dir`, mode 0600: a temporary one, synced, then renamed; the directory synced.
pub fn write(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let path = dir.join(name);
    let temporary = dir.join(format!(".{name}{TEMPORARY}"));
    let result = write_synced(&temporary, bytes).and_then(|()| fs::rename(&temporary, &path));
    if let Err(error) = result {
        let _ = fs::remove_file(&temporary);
        return Err(failed("write", &path, error));
    }
    sync(dir)
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Renames within `dir`, durably.
pub fn rename(dir: &Path, from: &str, to: &str) -> Result<(), StoreError> {
    let path = dir.join(to);
    fs::rename(dir.join(from), &path).map_err(|error| failed("write", &path, error))?;
    sync(dir)
}

/// Removes a file of `dir`, durably. One that is not there is fine.
pub fn remove(dir: &Path, name: &str) -> Result<(), StoreError> {
    let path = dir.join(name);
    match fs::remove_file(&path) {
        Ok(()) => sync(dir),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("remove", &path, error)),
    }
}

fn sync(dir: &Path) -> Result<(), StoreError> {
    let file = File::open(dir).map_err(|error| failed("open", dir, error))?;
    file.sync_all().map_err(|error| failed("sync", dir, error))
}

/// Makes a directory with its parents, mode 0700. One that is there must be closed to others.
pub fn directory(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| failed("make", path, error))?;
    let found = fs::metadata(path).map_err(|error| failed("look at", path, error))?;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(damaged(path, "the directory belongs to another user"));
    }
    if found.mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
            .map_err(|error| failed("close", path, error))?;
    }
    Ok(())
}

/// Names in a directory, sorted. Temporary files left by a crash are removed.
pub fn names(dir: &Path) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(|error| failed("read", dir, error))? {
        let entry = entry.map_err(|error| failed("read", dir, error))?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.starts_with('.') && name.ends_with(TEMPORARY) {
            remove(dir, &name)?;
        } else {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Takes the vault for this process. The lock ends with the returned file.
pub fn lock(dir: &Path) -> Result<File, StoreError> {
    let path: PathBuf = dir.join("lock");
    let file = rustix::fs::open(
        &path,
        OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC,
        Mode::from_raw_mode(0o600),
    )
    .map_err(|error| failed("open", &path, error.into()))?;
    let mut file = File::from(file);
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut holder = String::new();
            let _ = (&file).take(32).read_to_string(&mut holder);
            let why = format!("process {} uses this vault", holder.trim());
            return Err(StoreError::Io(
                format!("cannot open the vault {}", dir.display()),
                io::Error::new(io::ErrorKind::ResourceBusy, why),
            ));
        }
        Err(error) => return Err(failed("lock", &path, error.into())),
    }
    // The number is for people; a failure to write it changes nothing.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}
