//! `nsc.json`, which remembers the store, the operator and the account, and `.nsc`, which
//! marks an operator's folder. Source: nsc `cmd/defaults.go`, `cmd/store/store.go`.

use super::file;
use super::keystore::Keystore;
use super::lock::Lock;
use super::operator::Operator;
use super::places::Places;
use crate::cli::Global;
use crate::error::Error;
use crate::output::clean_inline;
use crate::prompt;
use crate::token;
use nkey_core::json::Node;
use nkey_core::nkey::PublicKey;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What `nsc.json` says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Config {
    store_root: String,
    operator: String,
    account: String,
    github_updates: String,
    last_update: i64,
    /// What a later nsc may add.
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

/// What the file `.nsc` in an operator's folder says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Info {
    /// Whether somebody else holds the operator's keys.
    pub managed: bool,
    /// The operator's name.
    pub name: String,
    /// `operator`
    pub kind: String,
    /// `1`
    pub version: String,
}

impl Default for Info {
    fn default() -> Info {
        Info {
            managed: false,
            name: String::new(),
            kind: "operator".to_owned(),
            version: "1".to_owned(),
        }
    }
}

/// A value as Go's `json.Marshal` writes it.
pub fn go_json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let failed =
        |error: &dyn std::fmt::Display| Error::failed(format!("cannot write JSON: {error}"));
    let json = serde_json::to_vec(value).map_err(|error| failed(&error))?;
    let node = Node::parse(&json).map_err(|error| failed(&error))?;
    Ok(token::compact(&node).into_bytes())
}

/// A store: a folder of operators, and what `nsc.json` remembers of it.
pub struct Store {
    config_file: PathBuf,
    config_read: Option<Vec<u8>>,
    config: Config,
    root: PathBuf,
    places: Places,
}

impl Store {
    /// Opens the store that the flags, or `nsc.json`, name. Nothing is made yet.
    ///
    /// # Errors
    /// If `nsc.json` cannot be read.
    pub fn open(global: &Global) -> Result<Store, Error> {
        Store::at(Places::new(global)?)
    }

    fn at(places: Places) -> Result<Store, Error> {
        let config_file = places.config.join("nsc.json");
        let config_read = file::read(&config_file)?;
        let config: Config = match &config_read {
            None => Config::default(),
            Some(bytes) => serde_json::from_slice(bytes).map_err(|error| {
                Error::failed(format!("{} is damaged: {error}", config_file.display()))
            })?,
        };
        let root = match &places.stores {
            Some(stores) => stores.clone(),
            None if config.store_root.is_empty() => places.default_stores.clone(),
            None => PathBuf::from(&config.store_root),
        };
        Ok(Store {
            config_file,
            config_read,
            config,
            root,
            places,
        })
    }

    /// nsc's seeds and creds.
    pub fn keystore(&self) -> Keystore {
        Keystore::new(&self.places.keystore)
    }

    /// The folders that the flags and variables name.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// The file `nsc.json`.
    pub fn config_file(&self) -> &Path {
        &self.config_file
    }

    /// The operator and the account that `nsc.json` remembers; empty if none.
    pub fn selected(&self) -> [&str; 2] {
        [&self.config.operator, &self.config.account]
    }

    /// The folder of the operators.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Uses another folder of operators from here on.
    pub fn set_root(&mut self, root: PathBuf) {
        self.places.stores = Some(root.clone());
        self.root = root;
    }

    /// Locks the store for a change and reads `nsc.json` again.
    ///
    /// # Errors
    /// As [`Lock::take`] and [`Store::open`].
    pub fn lock(&mut self) -> Result<Lock, Error> {
        let lock = Lock::take(&self.root)?;
        *self = Store::at(Places {
            stores: Some(self.root.clone()),
            ..self.places.clone()
        })?;
        Ok(lock)
    }

    /// The names of the operators, sorted: folders with a `.nsc`.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn operators(&self) -> Result<Vec<String>, Error> {
        folders(&self.root, |path, _| path.join(".nsc").is_file())
    }

    /// The operator named `wanted` or of that public key; without one the only one, or the
    /// one that `nsc.json` remembers.
    ///
    /// # Errors
    /// If there is none, or several and none is chosen.
    pub fn operator(&self, wanted: Option<&str>) -> Result<Operator, Error> {
        let names = self.operators()?;
        let root = self.root.display();
        let known = || {
            names
                .iter()
                .map(|name| clean_inline(name))
                .collect::<Vec<_>>()
                .join(", ")
        };
        if let Some(wanted) = wanted {
            if let Ok(key) = PublicKey::from_str(wanted) {
                for name in &names {
                    let operator = Operator::load(&self.root, name)?;
                    if operator
                        .claims()
                        .is_ok_and(|entry| entry.claims.standard.sub == *key.encode())
                    {
                        return Ok(operator);
                    }
                }
            }
            if names.iter().any(|name| name == wanted) {
                return Operator::load(&self.root, wanted);
            }
            let message = format!("there is no operator {} in {root}", clean_inline(wanted));
            return Err(Error::failed(message).next("nkey list operators"));
        }
        match names.as_slice() {
            [] => {
                Err(Error::failed(format!("there is no operator in {root}"))
                    .next("nkey init -n NAME"))
            }
            [only] => Operator::load(&self.root, only),
            _ if names.contains(&self.config.operator) => {
                Operator::load(&self.root, &self.config.operator)
            }
            _ if prompt::is_possible() => {
                let chosen = prompt::choose("Which operator?", &names)?;
                Operator::load(&self.root, &names[chosen])
            }
            _ => Err(Error::failed(format!(
                "{root} holds several operators, and none is selected: {}",
                known()
            ))
            .next("nkey select operator NAME")),
        }
    }

    /// The account named `wanted` or of that public key; without one the only one, or the
    /// one that `nsc.json` remembers.
    ///
    /// # Errors
    /// If there is none, or several and none is chosen.
    pub fn account(&self, operator: &Operator, wanted: Option<&str>) -> Result<String, Error> {
        // Most often it is named, and a folder may hold thousands.
        if let Some(wanted) = wanted.filter(|wanted| operator.is_account(wanted)) {
            return Ok(wanted.to_owned());
        }
        let names = operator.accounts()?;
        let of = clean_inline(operator.name());
        if let Some(wanted) = wanted {
            return operator.find_account(&names, wanted);
        }
        match names.as_slice() {
            [] => Err(Error::failed(format!("operator {of} has no accounts"))
                .next("nkey add account -n NAME")),
            [only] => Ok(only.clone()),
            _ if names.contains(&self.config.account) => Ok(self.config.account.clone()),
            _ if prompt::is_possible() => {
                let chosen = prompt::choose("Which account?", &names)?;
                Ok(names[chosen].clone())
            }
            _ => {
                let known = names
                    .iter()
                    .map(|name| clean_inline(name))
                    .collect::<Vec<_>>()
                    .join(", ");
                Err(Error::usage(format!(
                    "operator {of} has several accounts: name one by -a: {known}"
                )))
            }
        }
    }

    /// The account to remember with an operator, as nsc does: its only one, or the one that is
    /// remembered, if the operator has one of that name.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn kept_account(&self, operator: &Operator) -> Result<Option<String>, Error> {
        let names = operator.accounts()?;
        Ok(match names.as_slice() {
            [only] => Some(only.clone()),
            _ => names.into_iter().find(|name| *name == self.config.account),
        })
    }

    /// Remembers the operator for later commands, where there are several.
    ///
    /// # Errors
    /// As [`Store::lock`] and [`Store::select`].
    pub fn remember(&mut self, operator: &str, now: i64) -> Result<(), Error> {
        // A store with one operator may be one that cannot be written.
        if self.config.operator == operator || self.operators()?.len() == 1 {
            return Ok(());
        }
        let lock = self.lock()?;
        self.select(&lock, operator, None, now)
    }

    /// Remembers the operator and the account in `nsc.json`, as nsc does.
    ///
    /// # Errors
    /// If `nsc.json` was changed meanwhile or cannot be written.
    pub fn select(
        &mut self,
        lock: &Lock,
        operator: &str,
        account: Option<&str>,
        now: i64,
    ) -> Result<(), Error> {
        self.write_selection(lock, operator, account, now)
            .map_err(|error| {
                Error::failed(format!(
                    "{} is not remembered as the one that commands are about: {error}",
                    account.unwrap_or(operator)
                ))
            })
    }

    fn write_selection(
        &mut self,
        _lock: &Lock,
        operator: &str,
        account: Option<&str>,
        now: i64,
    ) -> Result<(), Error> {
        let root = std::path::absolute(&self.root).map_err(|error| {
            Error::failed(format!("cannot find {}: {error}", self.root.display()))
        })?;
        let mut config = self.config.clone();
        config.store_root = root
            .to_str()
            .ok_or_else(|| {
                Error::failed(format!(
                    "{} is not UTF-8, which nsc.json needs",
                    root.display()
                ))
            })?
            .to_owned();
        if config.operator != operator {
            config.account.clear();
        }
        config.operator = operator.to_owned();
        if let Some(account) = account {
            config.account = account.to_owned();
        }
        if self.config_read.is_none() {
            // What nsc writes when it runs first.
            config.github_updates = "nats-io/nsc".to_owned();
            config.last_update = now;
        }
        if config == self.config {
            return Ok(());
        }
        let json = go_json(&config)?;
        file::make_dir(&self.places.config)?;
        file::replace(&self.config_file, &json, self.config_read.as_deref())?;
        (self.config, self.config_read) = (config, Some(json));
        Ok(())
    }
}

/// Folders in `dir` whose names are text, not hidden, and that `wanted` accepts; sorted.
pub fn folders(dir: &Path, wanted: impl Fn(&Path, &str) -> bool) -> Result<Vec<String>, Error> {
    names(dir, |path, name| {
        (path.is_dir() && wanted(path, name)).then(|| name.to_owned())
    })
}

/// What `wanted` makes of the names in `dir` that are text and not hidden; sorted. No folder: none.
pub fn names(
    dir: &Path,
    wanted: impl Fn(&Path, &str) -> Option<String>,
) -> Result<Vec<String>, Error> {
    let failed = |error: std::io::Error| {
        Error::failed(format!("cannot read the folder {}: {error}", dir.display()))
    };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) {
            found.extend(wanted(&entry.path(), name));
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::lock::tests::Scratch;

    fn store(scratch: &Scratch) -> Store {
        let global = Global {
            all_dirs: Some(scratch.path.clone()),
            ..Global::default()
        };
        Store::open(&global).unwrap()
    }

    fn mark(scratch: &Scratch, operator: &str) {
        let dir = scratch.join(operator);
        file::make_dir(&dir).unwrap();
        let info = Info {
            name: operator.to_owned(),
            ..Info::default()
        };
        fs::write(dir.join(".nsc"), go_json(&info).unwrap()).unwrap();
    }

    #[test]
    fn nsc_json_has_the_bytes_that_nsc_writes() {
        let scratch = Scratch::new();
        let mut store = store(&scratch);
        let lock = store.lock().unwrap();
        store
            .select(&lock, "op<x>", Some("A&B"), 1795510528)
            .unwrap();
        let root = scratch.path.display();
        let expected = format!(
            r#"{{"store_root":"{root}","operator":"op\u003cx\u003e","account":"A\u0026B","github_updates":"nats-io/nsc","last_update":1795510528}}"#
        );
        let file = scratch.join("nsc.json");
        assert_eq!(fs::read_to_string(&file).unwrap(), expected);

        // What a later nsc adds stays; another operator forgets the account.
        fs::write(
            &file,
            expected.replace("\"operator\"", "\"new\":[1],\"operator\""),
        )
        .unwrap();
        drop(lock);
        let lock = store.lock().unwrap();
        store.select(&lock, "other", None, 7).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            text.contains(r#""operator":"other","account":"""#) && text.contains(r#""new":[1]"#),
            "{text}"
        );
        assert!(text.contains("1795510528"));
    }

    #[test]
    fn a_config_changed_by_nsc_meanwhile_is_not_overwritten() {
        let scratch = Scratch::new();
        let mut store = store(&scratch);
        let lock = store.lock().unwrap();
        fs::write(scratch.join("nsc.json"), "{}").unwrap();
        store.select(&lock, "op", None, 7).unwrap_err();
        assert_eq!(fs::read_to_string(scratch.join("nsc.json")).unwrap(), "{}");
    }

    #[test]
    fn the_marker_has_the_bytes_that_nsc_writes() {
        let info = Info {
            name: "demoop".to_owned(),
            ..Info::default()
        };
        let nsc = include_bytes!("../../../tests/fixtures/nsc-store/stores/demoop/.nsc");
        assert_eq!(go_json(&info).unwrap(), nsc);
        assert_eq!(serde_json::from_slice::<Info>(nsc).unwrap(), info);
    }

    #[test]
    fn the_operator_is_the_named_one_the_only_one_or_the_remembered_one() {
        let scratch = Scratch::new();
        let mut opened = store(&scratch);
        let error = opened.operator(None).map(|_| ()).unwrap_err();
        assert!(
            error.to_string().ends_with("type: nkey init -n NAME"),
            "{error}"
        );
        mark(&scratch, "one");
        fs::create_dir(scratch.join("keys")).unwrap();
        mark(&scratch, ".hidden");
        assert_eq!(opened.operators().unwrap(), ["one"]);
        assert_eq!(opened.operator(None).unwrap().name(), "one");
        mark(&scratch, "two");
        let error = opened.operator(None).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("one, two"), "{error}");
        assert_eq!(opened.operator(Some("two")).unwrap().name(), "two");
        opened.operator(Some("three")).map(|_| ()).unwrap_err();
        opened.operator(Some("../one")).map(|_| ()).unwrap_err();
        let lock = opened.lock().unwrap();
        opened.select(&lock, "two", None, 7).unwrap();
        assert_eq!(store(&scratch).operator(None).unwrap().name(), "two");
    }

    #[test]
    fn a_damaged_config_is_named() {
        let scratch = Scratch::new();
        fs::write(scratch.join("nsc.json"), "{").unwrap();
        let global = Global {
            all_dirs: Some(scratch.path.clone()),
            ..Global::default()
        };
        let error = Store::open(&global).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("nsc.json is damaged"), "{error}");
    }
}
