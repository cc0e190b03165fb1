//! The folder of one operator.

#[cfg(test)]
pub mod tests;
mod write;

use super::config::{Info, folders, names};
use super::file;
use super::name::check_name;
use super::token::{Entry, mentions};
use crate::error::Error;
use crate::output::clean_inline;
use crate::prompt;
use nkey_core::claims::owned::{self, Account, User};
use nkey_core::nkey::PublicKey;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// An operator's folder.
#[derive(Debug)]
pub struct Operator {
    name: String,
    dir: PathBuf,
    info: Info,
}

impl Operator {
    /// Opens the folder of the operator `name`.
    ///
    /// # Errors
    /// If its `.nsc` cannot be read.
    pub fn load(stores: &Path, name: &str) -> Result<Operator, Error> {
        check_name("an operator", name)?;
        let dir = stores.join(name);
        let marker = dir.join(".nsc");
        let bytes = file::read(&marker)?.ok_or_else(|| {
            Error::failed(format!(
                "{} is missing: {name} is no operator",
                marker.display()
            ))
        })?;
        let info: Info = serde_json::from_slice(&bytes)
            .map_err(|error| Error::failed(format!("{} is damaged: {error}", marker.display())))?;
        // It names the operator's token as well, so it must not lead elsewhere.
        check_name("an operator", &info.name)
            .map_err(|error| Error::failed(format!("{}: {error}", marker.display())))?;
        Ok(Operator {
            name: name.to_owned(),
            dir,
            info,
        })
    }

    /// The folder that a new operator `name` will have. Nothing is made yet.
    ///
    /// # Errors
    /// As [`check_name`].
    pub fn new(stores: &Path, name: &str, managed: bool) -> Result<Operator, Error> {
        check_name("an operator", name)?;
        let info = Info {
            managed,
            name: name.to_owned(),
            ..Info::default()
        };
        Ok(Operator {
            name: name.to_owned(),
            dir: stores.join(name),
            info,
        })
    }

    /// The name of the folder, by which commands name the operator.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether somebody else holds the operator's keys.
    pub fn is_managed(&self) -> bool {
        self.info.managed
    }

    fn jwt(&self) -> PathBuf {
        self.dir.join(format!("{}.jwt", self.info.name))
    }

    fn account_dir(&self, account: &str) -> PathBuf {
        self.dir.join("accounts").join(account)
    }

    /// An account's file.
    pub fn account_jwt(&self, account: &str) -> PathBuf {
        self.account_dir(account).join(format!("{account}.jwt"))
    }

    /// A user's file.
    pub fn user_jwt(&self, account: &str, user: &str) -> PathBuf {
        self.account_dir(account)
            .join("users")
            .join(format!("{user}.jwt"))
    }

    /// The operator's token.
    ///
    /// # Errors
    /// If it is missing or cannot be read.
    pub fn claims(&self) -> Result<Entry<owned::Operator>, Error> {
        let path = self.jwt();
        Entry::read(self.name(), path.clone())?
            .ok_or_else(|| Error::failed(format!("{} is missing", path.display())))
    }

    /// The names of the accounts, sorted: folders with a token of their name.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn accounts(&self) -> Result<Vec<String>, Error> {
        folders(&self.dir.join("accounts"), |_, name| self.is_account(name))
    }

    /// Whether an account has this name.
    pub fn is_account(&self, name: &str) -> bool {
        check_name("an account", name).is_ok() && self.account_jwt(name).is_file()
    }

    /// The same, and accounts whose token is gone while users of theirs are there.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub fn accounts_and_remains(&self) -> Result<Vec<String>, Error> {
        let mut names = self.accounts()?;
        let remains = folders(&self.dir.join("accounts"), |_, name| {
            check_name("an account", name).is_ok()
                && !self.is_account(name)
                && self.users(name).is_ok_and(|users| !users.is_empty())
        })?;
        names.extend(remains);
        names.sort();
        Ok(names)
    }

    /// Which of `names` is the account named `wanted` or of that public key.
    ///
    /// # Errors
    /// If there is none.
    pub fn find_account(&self, names: &[String], wanted: &str) -> Result<String, Error> {
        if let Some(name) = names.iter().find(|name| *name == wanted) {
            return Ok(name.clone());
        }
        if PublicKey::from_str(wanted).is_ok() {
            let (near, far): (Vec<_>, Vec<_>) = names
                .iter()
                .partition(|name| mentions(&self.account_jwt(name), wanted));
            for name in near.into_iter().chain(far) {
                if self.account(name)?.sub() == wanted {
                    return Ok(name.clone());
                }
            }
        }
        let message = format!(
            "operator {} has no account {}",
            clean_inline(self.name()),
            clean_inline(wanted)
        );
        Err(Error::failed(message).next("nkey list accounts"))
    }

    /// An account's token.
    ///
    /// # Errors
    /// If it is missing or cannot be read.
    pub fn account(&self, name: &str) -> Result<Entry<Account>, Error> {
        check_name("an account", name)?;
        let path = self.account_jwt(name);
        Entry::read(name, path.clone())?
            .ok_or_else(|| Error::failed(format!("{} is missing", path.display())))
    }

    /// The names of an account's users, sorted.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn users(&self, account: &str) -> Result<Vec<String>, Error> {
        names(&self.account_dir(account).join("users"), |path, name| {
            let name = name.strip_suffix(".jwt")?;
            (check_name("a user", name).is_ok() && path.is_file()).then(|| name.to_owned())
        })
    }

    /// Whether a user of the account has this name.
    fn is_user(&self, account: &str, name: &str) -> bool {
        check_name("a user", name).is_ok() && self.user_jwt(account, name).is_file()
    }

    /// The user of an account named `wanted` or of that public key; without one the only one.
    ///
    /// # Errors
    /// If there is none, or several and none is named.
    pub fn find_user(&self, account: &str, wanted: Option<&str>) -> Result<Entry<User>, Error> {
        // Most often it is named, and a folder may hold thousands.
        if let Some(wanted) = wanted.filter(|wanted| self.is_user(account, wanted)) {
            return self.user(account, wanted);
        }
        let names = self.users(account)?;
        let of = clean_inline(account);
        let name = match (wanted, names.as_slice()) {
            (Some(wanted), _) => {
                if PublicKey::from_str(wanted).is_ok() {
                    let (near, far): (Vec<_>, Vec<_>) = names
                        .iter()
                        .partition(|name| mentions(&self.user_jwt(account, name), wanted));
                    for name in near.into_iter().chain(far) {
                        let entry = self.user(account, name)?;
                        if entry.sub() == wanted {
                            return Ok(entry);
                        }
                    }
                }
                let message = format!("account {of} has no user {}", clean_inline(wanted));
                return Err(Error::failed(message).next(format!("nkey list users -a {of}")));
            }
            (None, [only]) => only,
            (None, []) => {
                return Err(Error::failed(format!("account {of} has no users"))
                    .next(format!("nkey add user -a {of} -n NAME")));
            }
            (None, names) if prompt::is_possible() => {
                let chosen = prompt::choose(&format!("Which user of account {of}?"), names)?;
                &names[chosen]
            }
            (None, names) => {
                let known = names
                    .iter()
                    .map(|name| clean_inline(name))
                    .collect::<Vec<_>>()
                    .join(", ");
                return Err(Error::usage(format!(
                    "account {of} has several users: name one by -n: {known}"
                )));
            }
        };
        self.user(account, name)
    }

    /// A user's token.
    ///
    /// # Errors
    /// If it is missing or cannot be read.
    pub fn user(&self, account: &str, name: &str) -> Result<Entry<User>, Error> {
        check_name("an account", account)?;
        check_name("a user", name)?;
        let path = self.user_jwt(account, name);
        Entry::read(name, path.clone())?
            .ok_or_else(|| Error::failed(format!("{} is missing", path.display())))
    }

    /// Whether there is a file for this account.
    pub fn has_account(&self, name: &str) -> bool {
        self.account_jwt(name).exists()
    }

    /// All files of the folder, from the folder on.
    ///
    /// # Errors
    /// If one cannot be listed.
    pub fn files(&self) -> Result<Vec<PathBuf>, Error> {
        let mut found = Vec::new();
        write::files(&self.dir, 0, &mut found)?;
        let below = found
            .iter()
            .filter_map(|path| path.strip_prefix(&self.dir).ok());
        Ok(below.map(Path::to_owned).collect())
    }

    /// Whether the folder is an operator's: has a `.nsc`.
    pub fn has_marker(&self) -> bool {
        self.dir.join(".nsc").exists()
    }

    /// Whether there is a file for this user.
    pub fn has_user(&self, account: &str, name: &str) -> bool {
        self.user_jwt(account, name).exists()
    }
}
