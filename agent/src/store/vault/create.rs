//! Making a vault.

use super::files::Folder;
use super::layout::{IDENTITY, KEYS, RECIPIENT};
use super::lock::Lock;
use super::plugin::{self, Plugin};
use super::seal::{Sealing, keep, line, seal_with_passphrase};
use super::{Unlocked, Vault};
use crate::store::{Prompt, StoreError};
use age::x25519::Identity;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Whether a complete vault is in `dir`.
///
/// # Errors
/// Also when keys are there but no identity: that is a damaged vault and never a fresh one.
pub(super) fn exists(dir: &Path) -> Result<bool, StoreError> {
    match dir.try_exists() {
        Ok(false) => return Ok(false),
        Ok(true) => {}
        Err(error) => {
            return Err(StoreError::Io(
                format!("cannot open {}", dir.display()),
                error,
            ));
        }
    }
    let root = Folder::open(dir)?;
    if root.has(IDENTITY)? {
        return Ok(true);
    }
    refuse_keys_without_identity(&root)?;
    Ok(false)
}

fn refuse_keys_without_identity(root: &Folder) -> Result<(), StoreError> {
    if root.has(KEYS)? && !root.folder(KEYS)?.names()?.is_empty() {
        return Err(StoreError::Refused(format!(
            "{} holds keys but {IDENTITY} is missing, without which nothing opens them: \
             restore it from a backup, or give another folder",
            root.path()
        )));
    }
    Ok(())
}

/// Makes a vault in `dir`, which must be absent, empty, or left by a creation that was cut short.
pub(super) fn create(
    dir: &Path,
    sealing: &Sealing,
    prompt: &mut dyn Prompt,
    work_factor: u8,
) -> Result<Vault, StoreError> {
    make_folders(dir)
        .map_err(|error| StoreError::Io(format!("cannot make {}", dir.display()), error))?;
    let root = Folder::open(dir)?;
    let lock = Lock::take(&root)?;
    refuse_anything_else(&root)?;
    let identity = Identity::generate();
    let (plugin, sealed) = match sealing {
        Sealing::Passphrase(passphrase) => (
            None,
            seal_with_passphrase(&identity, passphrase, work_factor)?,
        ),
        Sealing::Plugin(text) => {
            let plugin = Plugin::named(text)?;
            let sealed = plugin.seal(line(&identity).as_bytes(), prompt)?;
            (Some(plugin), sealed)
        }
    };
    let recipient = identity.to_public();
    root.make_folder(KEYS)?;
    root.write(RECIPIENT, format!("{recipient}\n").as_bytes())?;
    match &plugin {
        Some(plugin) => root.write(plugin::NAME, plugin.record().as_bytes())?,
        // One of an earlier attempt would name the wrong seal.
        None => root.remove(plugin::NAME)?,
    }
    root.write(IDENTITY, &sealed)?;
    let unlocked = Unlocked::new(keep(line(&identity).trim_end())?);
    let vault = Vault::over(root, lock)?;
    vault.trust(recipient)?;
    *vault.write() = Some(unlocked);
    Ok(vault)
}

fn refuse_anything_else(root: &Folder) -> Result<(), StoreError> {
    if root.has(IDENTITY)? {
        return Err(StoreError::Refused(format!(
            "{} is a vault already",
            root.path()
        )));
    }
    refuse_keys_without_identity(root)?;
    let ours = [KEYS, RECIPIENT, plugin::NAME, "lock"];
    let foreign =
        |name: &String| !ours.contains(&name.as_str()) && !super::files::is_temporary(name);
    match root.names()?.into_iter().find(foreign) {
        Some(name) => Err(StoreError::Refused(format!(
            "{} is not an empty folder ({name:?} is in it): give one of its own to the vault",
            root.path()
        ))),
        None => Ok(()),
    }
}

/// Makes `dir` and the folders above it, 0700, for good.
fn make_folders(dir: &Path) -> io::Result<()> {
    let mut absent = Vec::new();
    for folder in dir.ancestors() {
        if folder.as_os_str().is_empty() || folder.try_exists()? {
            break;
        }
        absent.push(folder);
    }
    for folder in absent.into_iter().rev() {
        DirBuilder::new().mode(0o700).create(folder)?;
        let above = folder
            .parent()
            .filter(|above| !above.as_os_str().is_empty());
        File::open(above.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}
