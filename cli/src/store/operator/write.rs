//! What is written into an operator's folder, and removed from it.

use super::Operator;
use crate::error::Error;
use crate::store::config::go_json;
use crate::store::file;
use crate::store::lock::Lock;
use crate::store::name::check_name;
use crate::store::token::Entry;
use nkey_core::claims::owned::User;
use std::path::{Path, PathBuf};

impl Operator {
    /// Removes what an interrupted `init` left in the folder, which has no `.nsc` yet: the
    /// operator's token and those of the accounts and users that `pairs` names.
    ///
    /// # Errors
    /// If anything else is there.
    pub fn remove_unfinished(&self, _lock: &Lock, pairs: &[(&str, &str)]) -> Result<(), Error> {
        if !self.dir.exists() {
            return Ok(());
        }
        let mut ours = vec![self.jwt()];
        for (account, user) in pairs {
            ours.extend([self.account_jwt(account), self.user_jwt(account, user)]);
        }
        let mut found = Vec::new();
        files(&self.dir, 0, &mut found)?;
        let is_temp = |path: &Path| {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            name.starts_with(".nkey-") && name.ends_with(".tmp")
        };
        if let Some(foreign) = found
            .iter()
            .find(|path| !ours.contains(path) && !is_temp(path))
        {
            return Err(Error::failed(format!(
                "{} is in the way: the folder {} is no operator's, and not what an interrupted init leaves. Move it away, \
                 then run the command again",
                foreign.display(),
                self.dir.display()
            )));
        }
        for path in found {
            std::fs::remove_file(&path).map_err(|error| {
                Error::failed(format!("cannot remove {}: {error}", path.display()))
            })?;
        }
        Ok(())
    }

    /// Writes `.nsc`, which makes the folder an operator's.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_marker(&self, _lock: &Lock) -> Result<(), Error> {
        let path = self.dir.join(".nsc");
        file::make_dir(&self.dir.join("accounts"))?;
        let read = file::read(&path)?;
        let bytes = go_json(&self.info)?;
        if read.as_deref() == Some(&bytes) {
            return Ok(());
        }
        file::replace(&path, &bytes, read.as_deref())
    }

    /// Writes the operator's token over the bytes that were `read`.
    ///
    /// # Errors
    /// If the file has changed since.
    pub fn write_operator(
        &self,
        _lock: &Lock,
        token: &str,
        read: Option<&[u8]>,
    ) -> Result<PathBuf, Error> {
        write(self.jwt(), token, read)
    }

    /// Writes an account's token over the bytes that were `read`.
    ///
    /// # Errors
    /// If the file has changed since.
    pub fn write_account(
        &self,
        _lock: &Lock,
        name: &str,
        token: &str,
        read: Option<&[u8]>,
    ) -> Result<PathBuf, Error> {
        check_name("an account", name)?;
        write(self.account_jwt(name), token, read)
    }

    /// Writes a user's token over the bytes that were `read`.
    ///
    /// # Errors
    /// If the file has changed since.
    pub fn write_user(
        &self,
        _lock: &Lock,
        account: &str,
        name: &str,
        token: &str,
        read: Option<&[u8]>,
    ) -> Result<PathBuf, Error> {
        check_name("an account", account)?;
        check_name("a user", name)?;
        write(self.user_jwt(account, name), token, read)
    }

    /// The file of a new user's token, to be finished.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new_user(&self, _lock: &Lock, account: &str, name: &str) -> Result<file::New, Error> {
        check_name("an account", account)?;
        check_name("a user", name)?;
        let path = self.user_jwt(account, name);
        if let Some(dir) = path.parent() {
            file::make_dir(dir)?;
        }
        file::New::begin(&path)
    }

    /// Writes the tokens of new users, each with its name.
    ///
    /// # Errors
    /// If there is one of such a name; those before it are written.
    pub fn write_new_users(
        &self,
        _lock: &Lock,
        account: &str,
        users: &[(String, String)],
    ) -> Result<(), Error> {
        check_name("an account", account)?;
        let mut files = Vec::with_capacity(users.len());
        for (name, token) in users {
            check_name("a user", name)?;
            files.push((format!("{name}.jwt"), token.as_str()));
        }
        file::create_all(&self.account_dir(account).join("users"), &files)
    }

    /// Replaces the tokens of users, each with what was read.
    ///
    /// # Errors
    /// If one was changed meanwhile; those before it are replaced.
    pub fn write_users(
        &self,
        _lock: &Lock,
        account: &str,
        users: &[(&Entry<User>, String)],
    ) -> Result<(), Error> {
        check_name("an account", account)?;
        let mut files = Vec::with_capacity(users.len());
        for (user, token) in users {
            check_name("a user", &user.name)?;
            files.push((format!("{}.jwt", user.name), token.as_str(), &*user.bytes));
        }
        file::replace_all(&self.account_dir(account).join("users"), &files)
    }

    /// Deletes a user's token.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove_user(&self, _lock: &Lock, account: &str, user: &str) -> Result<(), Error> {
        check_name("an account", account)?;
        check_name("a user", user)?;
        remove(&self.user_jwt(account, user))
    }

    /// Deletes an account's token, and its folders where nothing else is in them.
    ///
    /// # Errors
    /// If they cannot be removed.
    pub fn remove_account(&self, _lock: &Lock, name: &str) -> Result<(), Error> {
        check_name("an account", name)?;
        let dir = self.account_dir(name);
        remove(&self.account_jwt(name))?;
        for dir in [dir.join("users"), dir] {
            match std::fs::remove_dir(&dir) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(Error::failed(format!(
                        "cannot remove the folder {}: {error}",
                        dir.display()
                    )));
                }
            }
        }
        Ok(())
    }
}

fn remove(path: &Path) -> Result<(), Error> {
    std::fs::remove_file(path)
        .map_err(|error| Error::failed(format!("cannot remove {}: {error}", path.display())))
}

/// The files below a folder; those of an operator are at most four levels deep.
pub(super) fn files(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |error: std::io::Error| {
        Error::failed(format!("cannot read the folder {}: {error}", dir.display()))
    };
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() && depth < 4 {
            files(&entry.path(), depth + 1, found)?;
        } else {
            found.push(entry.path());
        }
    }
    Ok(())
}

fn write(path: PathBuf, token: &str, read: Option<&[u8]>) -> Result<PathBuf, Error> {
    if let Some(dir) = path.parent() {
        file::make_dir(dir)?;
    }
    file::replace(&path, token.as_bytes(), read)?;
    Ok(path)
}
