//! What is to be brought: accounts as files or from a URL, and the users beside them.

use crate::error::Error;
use crate::key_argument::shell_word;
use crate::nats::account_server::{fetch, is_url};
use crate::output::clean_inline;
use crate::seed_guard::has_whole_seed;
use crate::store::reissue::{is_user_issuer, require_account};
use crate::store::{Entry, Typed, check_name, folders, names};
use nkey_core::claims::owned::{Account, User};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// An account that was found, and its users.
pub struct Found {
    /// The account; its name is the one that the token says.
    pub account: Entry<Account>,
    /// The folder that its file lies in; none if it came from a URL.
    pub dir: Option<PathBuf>,
    /// The users beside it.
    pub users: Vec<Entry<User>>,
}

/// The account of a file or URL.
///
/// # Errors
/// If it, or a user beside it, cannot be read or is not what it should be.
pub fn account(source: &str) -> Result<Found, Error> {
    if !is_url(source) {
        return beside(Path::new(source));
    }
    let token = fetch(source)?;
    let account = Entry::of("", PathBuf::from(source), token.into_bytes())?;
    Ok(Found {
        account: named("an account", account)?,
        dir: None,
        users: Vec::new(),
    })
}

/// The files of the accounts of an operator's folder, and the names of folders that are no
/// account's.
///
/// # Errors
/// If it is no operator's folder, or has no accounts.
pub fn files(dir: &Path) -> Result<(Vec<PathBuf>, Vec<String>), Error> {
    let shown = dir.display();
    if !dir.join(".nsc").is_file() {
        return Err(Error::failed(format!(
            "{shown} is no operator's folder: it has no file .nsc"
        )));
    }
    let below = dir.join("accounts");
    let file = |name: &str| below.join(name).join(format!("{name}.jwt"));
    let all = folders(&below, |_, _| true)?;
    let (names, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|name| file(name).exists());
    if names.is_empty() {
        return Err(Error::failed(format!(
            "there is no account in {}",
            below.display()
        )));
    }
    Ok((names.iter().map(|name| file(name)).collect(), others))
}

/// The account of a file, and the users beside it.
///
/// # Errors
/// As [`account`].
pub fn beside(path: &Path) -> Result<Found, Error> {
    let account: Entry<Account> = read("an account", path)?;
    let dir = path.parent().unwrap_or(Path::new("")).to_owned();
    let below = dir.join("users");
    let files = names(&below, |path, name| {
        (name.ends_with(".jwt") && !path.is_dir()).then(|| name.to_owned())
    })?;
    let mut users = Vec::with_capacity(files.len());
    let mut known = BTreeSet::new();
    for file in files {
        let user = read("a user", &below.join(file))?;
        check_user(&account, &user)?;
        if !known.insert(user.name.clone()) {
            return Err(Error::failed(format!(
                "{}: name: another user beside it is named {} as well",
                user.path.display(),
                clean_inline(&user.name)
            )));
        }
        users.push(user);
    }
    Ok(Found {
        account,
        dir: Some(dir),
        users,
    })
}

fn read<N: Typed>(what: &str, path: &Path) -> Result<Entry<N>, Error> {
    let entry = Entry::read("", path.to_owned())?
        .ok_or_else(|| Error::failed(format!("{} is missing", path.display())))?;
    named(what, entry)
}

/// The entry with the name that its token says, which becomes that of its file.
fn named<N: Typed>(what: &str, mut entry: Entry<N>) -> Result<Entry<N>, Error> {
    entry.name.clone_from(&entry.claims.standard.name);
    check_name(what, &entry.name)
        .map_err(|error| error.within(&format!("{}: name", entry.path.display())))?;
    Ok(entry)
}

/// Refuses a file that is not the token of one of the account's users and nothing else.
fn check_user(account: &Entry<Account>, user: &Entry<User>) -> Result<(), Error> {
    let file = user.path.display();
    require_account(account, user)?;
    let iss = &user.claims.standard.iss;
    if !is_user_issuer(account, iss) {
        return Err(Error::failed(format!(
            "{file}: iss: {iss} is neither the account {} nor one of its signing keys",
            clean_inline(&account.name)
        )));
    }
    // Users are copied byte for byte, and no seed belongs into the store.
    if has_whole_seed(&String::from_utf8_lossy(&user.bytes)) {
        return Err(Error::failed(format!(
            "{file} holds a seed beside the token: import the user by itself, and move the file away"
        ))
        .next(format!(
            "nkey import user -f {}",
            shell_word(&clean_inline(&file.to_string()))
        )));
    }
    Ok(())
}
