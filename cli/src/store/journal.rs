//! What a run that makes many users is about to do, for the one after a crash.

use super::keys::key_names;
use super::{Operator, file};
use crate::context::Context;
use crate::error::Error;
use nkey_core::nkey::{Kind, PublicKey};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Its file among the operators.
const FILE: &str = ".nkey.users";

/// A group of users that is being made.
#[derive(Serialize, Deserialize)]
struct Group {
    operator: String,
    account: String,
    names: Vec<String>,
    /// Keys of such names that the agent held before.
    before: Vec<String>,
}

/// The journal of the groups of a run.
pub struct Journal {
    path: PathBuf,
    held: BTreeMap<String, Vec<String>>,
}

impl Journal {
    /// Opens the journal. Keys of a group that was cut short, which no token names, leave the
    /// agent again.
    ///
    /// # Errors
    /// If the journal cannot be read, or what the agent says.
    pub fn open(ctx: &mut Context, root: &Path) -> Result<Journal, Error> {
        let mut journal = Journal {
            path: root.join(FILE),
            held: BTreeMap::new(),
        };
        let cut_short = match file::read(&journal.path)? {
            // A journal that is not whole was written before any key was made.
            Some(bytes) => serde_json::from_slice::<Group>(&bytes).ok(),
            None => None,
        };
        let users = ctx.agent()?.list()?.into_iter();
        for info in users.filter(|info| info.key.kind() == Kind::User) {
            let keys = journal.held.entry(info.name).or_default();
            keys.push(info.key.to_string());
        }
        if let Some(group) = cut_short {
            // Of an operator that is gone nothing says which keys are used.
            if let Ok(operator) = Operator::load(root, &group.operator) {
                journal.take_back(ctx, &operator, &group)?;
            }
            journal.end()?;
        }
        Ok(journal)
    }

    fn take_back(
        &mut self,
        ctx: &mut Context,
        operator: &Operator,
        group: &Group,
    ) -> Result<(), Error> {
        let there: BTreeSet<String> = operator.users(&group.account)?.into_iter().collect();
        let mut removed = 0;
        for name in &group.names {
            let used = match there.contains(name) {
                true => operator.user(&group.account, name)?.claims.standard.sub,
                false => String::new(),
            };
            let identity = key_names::identity(&[operator.name(), &group.account, name]);
            let Some(keys) = self.held.get_mut(&identity) else {
                continue;
            };
            let unused = |key: &String| *key != used && !group.before.contains(key);
            for key in keys.iter().filter(|key| unused(key)) {
                if let Ok(key) = key.parse::<PublicKey>() {
                    ctx.agent()?.remove(&key)?;
                    removed += 1;
                }
            }
            keys.retain(|key| !unused(key));
        }
        if removed > 0 {
            ctx.out.note(format!(
                "a run before was cut short: {removed} keys that it made and no user has were removed"
            ));
        }
        Ok(())
    }

    /// Writes down that these users are about to be made.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn begin(
        &self,
        operator: &Operator,
        account: &str,
        names: Vec<String>,
    ) -> Result<(), Error> {
        let held = |name: &String| {
            let identity = key_names::identity(&[operator.name(), account, name]);
            self.held.get(&identity).cloned().unwrap_or_default()
        };
        let group = Group {
            before: names.iter().flat_map(held).collect(),
            operator: operator.name().to_owned(),
            account: account.to_owned(),
            names,
        };
        let text = serde_json::to_vec(&group)
            .map_err(|error| Error::failed(format!("no journal: {error}")))?;
        let before = file::read(&self.path)?;
        file::replace(&self.path, &text, before.as_deref())
    }

    /// The group is made, or was taken back.
    ///
    /// # Errors
    /// If the file cannot be removed.
    pub fn end(&self) -> Result<(), Error> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::failed(
                format!("cannot remove {}: {error}", self.path.display()),
            )),
            _ => Ok(()),
        }
    }
}
