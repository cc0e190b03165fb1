//! The folder of one operator.

use super::config::{Info, folders, go_json, names};
use super::file;
use super::lock::Lock;
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

    /// Whether the folder is an operator's: has a `.nsc`.
    pub fn has_marker(&self) -> bool {
        self.dir.join(".nsc").exists()
    }

    /// Whether there is a file for this user.
    pub fn has_user(&self, account: &str, name: &str) -> bool {
        self.user_jwt(account, name).exists()
    }

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
}

impl Operator {
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
fn files(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Error> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::lock::tests::Scratch;
    use std::fs;

    fn fixture() -> Operator {
        let stores = PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/fixtures/nsc-store/stores"
        ));
        Operator::load(&stores, "demoop").unwrap()
    }

    #[test]
    fn what_nsc_wrote_is_found_by_name_and_by_key() {
        let operator = fixture();
        assert_eq!(operator.claims().unwrap().claims.standard.name, "demoop");
        let accounts = operator.accounts().unwrap();
        assert_eq!(
            accounts,
            [
                "SYS",
                "demoCALLOUT",
                "demoEXP",
                "demoIMP",
                "demoJS",
                "demoTIER"
            ]
        );
        assert_eq!(operator.users("demoJS").unwrap(), ["plain", "scoped"]);
        assert_eq!(operator.users("demoEXP").unwrap(), Vec::<String>::new());
        let sub = operator.account("demoJS").unwrap().claims.standard.sub;
        assert_eq!(operator.find_account(&accounts, &sub).unwrap(), "demoJS");
        let user = operator.user("demoJS", "scoped").unwrap();
        assert_eq!(
            operator.find_user("demoJS", Some(user.sub())).unwrap().name,
            "scoped"
        );
        assert_eq!(operator.find_user("SYS", None).unwrap().name, "sys");
        assert_eq!(operator.find_user("demoJS", None).unwrap_err().code(), 2);
        assert!(
            operator
                .find_user("demoEXP", None)
                .unwrap_err()
                .to_string()
                .contains("nkey add user -a demoEXP")
        );
    }

    #[test]
    fn names_do_not_lead_out_of_the_folder() {
        let operator = fixture();
        for name in ["../demoJS/demoJS", "..", "a/b", ""] {
            assert_eq!(operator.account(name).unwrap_err().code(), 2, "{name}");
            assert_eq!(
                operator.user("demoJS", name).unwrap_err().code(),
                2,
                "{name}"
            );
        }
        let scratch = Scratch::new();
        file::make_dir(&scratch.join("x")).unwrap();
        fs::write(scratch.join("x/.nsc"), r#"{"name":"../../etc/x"}"#).unwrap();
        Operator::load(&scratch.path, "x").unwrap_err();
    }

    #[test]
    fn a_token_in_the_wrong_place_is_named_with_its_file() {
        let scratch = Scratch::new();
        let operator = Operator::new(&scratch.path, "op", false).unwrap();
        let lock = Lock::take(&scratch.path).unwrap();
        let user = fixture().user("demoJS", "plain").unwrap();
        operator
            .write_account(&lock, "A", &user.token, None)
            .unwrap();
        let error = operator.account("A").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("A/A.jwt is not the token of an account"),
            "{error}"
        );
        operator
            .write_account(&lock, "A", &user.token, None)
            .unwrap_err();
        let bytes = user.token.clone().into_bytes();
        operator
            .write_account(&lock, "A", "x", Some(&bytes))
            .unwrap();
        assert!(
            operator
                .account("A")
                .unwrap_err()
                .to_string()
                .contains("A.jwt: ")
        );
    }

    #[test]
    fn an_interrupted_init_is_cleared_and_nothing_else() {
        let scratch = Scratch::new();
        let lock = Lock::take(&scratch.path).unwrap();
        let operator = Operator::new(&scratch.path, "op", false).unwrap();
        operator.remove_unfinished(&lock, &[("op", "op")]).unwrap();
        operator.write_operator(&lock, "x", None).unwrap();
        operator.write_user(&lock, "op", "op", "x", None).unwrap();
        fs::write(operator.dir().join("accounts/.nkey-1.tmp"), "x").unwrap();
        operator.remove_unfinished(&lock, &[("op", "op")]).unwrap();
        let mut left = Vec::new();
        files(operator.dir(), 0, &mut left).unwrap();
        assert_eq!(left, Vec::<PathBuf>::new());
        operator.write_account(&lock, "mine", "x", None).unwrap();
        let error = operator
            .remove_unfinished(&lock, &[("op", "op")])
            .unwrap_err();
        assert!(
            error.to_string().contains("mine.jwt is in the way"),
            "{error}"
        );
        assert!(operator.account_jwt("mine").exists());
    }
}
