//! Finding a plugin once, and checking on every use that nobody else could have replaced it.

use crate::store::StoreError;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// `age-plugin-NAME` in the absolute folders of `PATH`, without symbolic links.
pub(super) fn find(name: &str) -> Result<PathBuf, StoreError> {
    let binary = format!("age-plugin-{name}");
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(&binary))
        .find(|path| executable(path).is_ok());
    match found {
        Some(path) => canonical(&path),
        None => Err(StoreError::Refused(format!(
            "no program {binary} in any folder of PATH: install the plugin, or add its folder to PATH"
        ))),
    }
}

/// NAME of `/…/age-plugin-NAME`.
pub(super) fn plugin_name(path: &str) -> Result<String, StoreError> {
    let file = path.rsplit('/').next().unwrap_or_default();
    file.strip_prefix("age-plugin-")
        .map(str::to_owned)
        .ok_or_else(|| StoreError::Refused(format!("{path} is not named age-plugin-NAME")))
}

/// The path of a program without symbolic links, which is what gets recorded.
pub(super) fn canonical(path: &Path) -> Result<PathBuf, StoreError> {
    let path = fs::canonicalize(path)
        .map_err(|error| StoreError::Io(format!("cannot find {}", path.display()), error))?;
    match check(&path) {
        Ok(()) => Ok(path),
        Err(why) => Err(StoreError::Plugin(path.display().to_string(), why)),
    }
}

/// Checks the program and every folder above it.
///
/// # Errors
/// Why it must not be started, and what to do.
pub(super) fn check(path: &Path) -> Result<(), String> {
    executable(path)?;
    for part in path.ancestors() {
        let shown = part.display();
        let metadata = fs::symlink_metadata(part)
            .map_err(|error| format!("cannot inspect {shown}: {error}"))?;
        if metadata.is_symlink() {
            return Err(format!(
                "{shown} has become a symbolic link: write the program's own path into {}",
                super::record::NAME
            ));
        }
        let owner = metadata.uid();
        if owner != 0 && owner != rustix::process::geteuid().as_raw() {
            return Err(format!(
                "{shown} belongs to another user (uid {owner}), who could replace it"
            ));
        }
        // In a folder like /tmp others cannot rename what is not theirs.
        let sticky = metadata.is_dir() && metadata.mode() & 0o1000 != 0;
        if metadata.mode() & 0o022 != 0 && !sticky {
            return Err(format!(
                "{shown} can be written by others (mode {:03o}): type `chmod go-w {shown}`",
                metadata.mode() & 0o777
            ));
        }
    }
    Ok(())
}

fn executable(path: &Path) -> Result<(), String> {
    let metadata = fs::metadata(path).map_err(|error| {
        format!(
            "it is not there any more ({error}): install it again, or write its new path into {}",
            super::record::NAME
        )
    })?;
    if metadata.is_file() && metadata.mode() & 0o111 != 0 {
        Ok(())
    } else {
        Err("it is not a program".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::vault::tests::folder::Temporary;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn program(folder: &Path) -> PathBuf {
        let path = folder.join("age-plugin-x");
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn only_what_the_owner_alone_can_write_is_started() {
        let folder = Temporary::new();
        let path = program(folder.path());
        assert_eq!(check(&path), Ok(()));
        let refused = |path: &Path, mode: u32, why: &str| {
            let before = fs::metadata(path).unwrap().permissions();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            let error = check(&folder.path().join("age-plugin-x")).unwrap_err();
            assert!(error.contains(why), "{error}");
            fs::set_permissions(path, before).unwrap();
        };
        refused(&path, 0o775, "chmod go-w");
        refused(&path, 0o757, "chmod go-w");
        refused(&path, 0o644, "not a program");
        refused(folder.path(), 0o770, "chmod go-w");
        refused(folder.path(), 0o702, "chmod go-w");
        fs::remove_file(&path).unwrap();
        assert!(check(&path).unwrap_err().contains("not there any more"));
        symlink("/bin/sh", &path).unwrap();
        assert!(check(&path).unwrap_err().contains("symbolic link"));
    }

    #[test]
    fn a_link_is_resolved_before_it_is_recorded() {
        let folder = Temporary::new();
        let path = program(folder.path());
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        assert_eq!(canonical(&link).unwrap(), fs::canonicalize(&path).unwrap());
        assert!(canonical(&folder.path().join("none")).is_err());
    }
}
