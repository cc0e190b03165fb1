//! Keys: which tokens each of them serves, and where its seed lives.

use super::config::Store;
use super::keys::key_names;
use super::keystore::SeedFile;
use super::operator::Operator;
use crate::error::Error;
use nkey_agent::client::KeyInfo;
use nkey_core::claims::owned::SigningKey;
use nkey_core::nkey::{Kind, PublicKey};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// What a key is for in a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// It is what the token is about.
    Identity,
    /// It is a signing key; with a role if it has a scope.
    SigningKey(Option<String>),
    /// Authorization requests are sealed to it.
    Curve,
}

/// A token that a key serves.
#[derive(Clone, Debug)]
pub struct Use {
    /// The operator's name.
    pub operator: String,
    /// The account's name, unless the token is the operator's.
    pub account: Option<String>,
    /// The user's name, if it is a user's.
    pub user: Option<String>,
    /// What for.
    pub part: Part,
    /// The token.
    pub token: String,
}

impl Use {
    fn path(&self) -> Vec<&str> {
        let below = [&self.account, &self.user];
        std::iter::once(self.operator.as_str())
            .chain(below.into_iter().flatten().map(String::as_str))
            .collect()
    }

    /// The name that such a key has in the agent.
    pub fn key_name(&self) -> String {
        match &self.part {
            Part::Identity => key_names::identity(&self.path()),
            Part::SigningKey(Some(role)) if !role.is_empty() => {
                key_names::identity(&[&self.path()[..], &[role.as_str()]].concat())
            }
            Part::SigningKey(_) => key_names::signing_key(&self.path()),
            Part::Curve => key_names::identity(&[&self.path()[..], &["xkey"]].concat()),
        }
    }

    /// The token and what for, for people.
    pub fn shown(&self) -> String {
        let what = match (&self.account, &self.user) {
            (_, Some(_)) => "user",
            (Some(_), None) => "account",
            (None, None) => "operator",
        };
        let part = match &self.part {
            Part::Identity => String::new(),
            Part::SigningKey(None) => " (signing key)".to_owned(),
            Part::SigningKey(Some(role)) => format!(" (signing key, role {role})"),
            Part::Curve => " (authorization)".to_owned(),
        };
        format!("{what} {}{part}", self.path().join("/"))
    }
}

/// A key, everything that is known of it.
pub struct Known {
    /// The key.
    pub key: PublicKey,
    /// The tokens that it serves.
    pub uses: Vec<Use>,
    /// What the agent says of it, if it holds it.
    pub agent: Option<KeyInfo>,
    /// Files of the keystore with its seed.
    pub files: Vec<SeedFile>,
}

impl Known {
    /// Where the seed lives, for people.
    pub fn place(&self) -> String {
        match (&self.agent, self.files.is_empty()) {
            (Some(info), true) => info.store.clone(),
            (Some(info), false) => format!("{}+file", info.store),
            (None, false) => "file".to_owned(),
            (None, true) => "missing".to_owned(),
        }
    }

    /// What people call it: its name in the agent, else what it serves.
    pub fn name(&self) -> String {
        match (&self.agent, self.uses.first()) {
            (Some(info), _) if !info.name.is_empty() => info.name.clone(),
            (_, Some(first)) => first.key_name(),
            _ => String::new(),
        }
    }

    fn serves(&self, wanted: impl Fn(&Use) -> bool) -> bool {
        self.uses.iter().any(wanted)
    }
}

/// Every key of the store, the agent and the keystore.
pub struct Inventory {
    /// The keys: those of tokens in the order of the tokens, then all others.
    pub keys: Vec<Known>,
    /// Tokens and files that cannot be read, and why.
    pub problems: Vec<String>,
    /// The operator that is selected, if there is one.
    pub operator: Option<String>,
}

impl Inventory {
    /// Looks everywhere; `held` are the agent's keys.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub fn take(store: &Store, held: Vec<KeyInfo>) -> Result<Inventory, Error> {
        let mut inventory = Inventory {
            keys: Vec::new(),
            problems: Vec::new(),
            operator: store
                .operator(None)
                .ok()
                .map(|operator| operator.name().to_owned()),
        };
        let mut places = BTreeMap::new();
        for name in store.operators()? {
            let mut uses = Vec::new();
            let read = store.operator(Some(&name));
            let read = read
                .and_then(|operator| of_operator(&operator, &mut uses, &mut inventory.problems));
            inventory
                .problems
                .extend(read.err().map(|error| error.to_string()));
            for (key, used) in uses {
                inventory.at(&mut places, key).uses.push(used);
            }
        }
        for info in held {
            let known = inventory.at(&mut places, info.key);
            known.agent.get_or_insert(info);
        }
        let mut files = store.keystore().files();
        files.sort_by_key(|file| file.key.clone().ok());
        for file in files {
            match file.key.clone() {
                Ok(key) => inventory.at(&mut places, key).files.push(file),
                Err(reason) => inventory.problems.push(reason),
            }
        }
        Ok(inventory)
    }

    fn at(&mut self, places: &mut BTreeMap<PublicKey, usize>, key: PublicKey) -> &mut Known {
        let at = *places.entry(key).or_insert_with(|| {
            self.keys.push(Known {
                key,
                uses: Vec::new(),
                agent: None,
                files: Vec::new(),
            });
            self.keys.len() - 1
        });
        &mut self.keys[at]
    }
}

/// The keys of an operator's tokens, in the order of the tokens.
fn of_operator(
    operator: &Operator,
    uses: &mut Vec<(PublicKey, Use)>,
    problems: &mut Vec<String>,
) -> Result<(), Error> {
    let mut add = |key: &str, account: Option<&str>, user: Option<&str>, part, token: &str| {
        if let Ok(key) = PublicKey::from_str(key) {
            let used = Use {
                operator: operator.name().to_owned(),
                account: account.map(str::to_owned),
                user: user.map(str::to_owned),
                part,
                token: token.to_owned(),
            };
            uses.push((key, used));
        }
    };
    match operator.claims() {
        Ok(entry) => {
            add(entry.sub(), None, None, Part::Identity, &entry.token);
            for key in &entry.claims.nats.signing_keys {
                add(key, None, None, Part::SigningKey(None), &entry.token);
            }
        }
        Err(error) => problems.push(error.to_string()),
    }
    for name in operator.accounts()? {
        match operator.account(&name) {
            Ok(entry) => {
                let account = Some(name.as_str());
                add(entry.sub(), account, None, Part::Identity, &entry.token);
                for signing_key in &entry.claims.nats.signing_keys {
                    let role = match signing_key {
                        SigningKey::Plain(_) => None,
                        SigningKey::Scoped(scope) => Some(scope.role.clone().unwrap_or_default()),
                    };
                    let part = Part::SigningKey(role);
                    add(signing_key.key(), account, None, part, &entry.token);
                }
                if let Some(authorization) = &entry.claims.nats.authorization {
                    add(
                        &authorization.xkey,
                        account,
                        None,
                        Part::Curve,
                        &entry.token,
                    );
                }
            }
            Err(error) => problems.push(error.to_string()),
        }
        for user in operator.users(&name)? {
            match operator.user(&name, &user) {
                Ok(entry) => add(
                    entry.sub(),
                    Some(&name),
                    Some(&user),
                    Part::Identity,
                    &entry.token,
                ),
                Err(error) => problems.push(error.to_string()),
            }
        }
    }
    Ok(())
}

/// Which keys are meant; nsc's flags.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct KeyFilter {
    /// Operator keys
    #[arg(short, long)]
    operator: bool,
    /// Account keys
    #[arg(short, long)]
    accounts: bool,
    /// User keys
    #[arg(short, long)]
    users: bool,
    /// Keys of every kind
    #[arg(short = 'A', long)]
    pub all: bool,
    /// Only keys of this account and its users, and the operator's
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Of the user keys only those of this user
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Only keys whose public key or name contains this
    #[arg(short, long, value_name = "TEXT")]
    filter: Option<String>,
    /// Only keys that no token of the selected operator names
    #[arg(long)]
    not_referenced: bool,
}

impl KeyFilter {
    /// Whether any of the flags is given.
    pub fn is_given(&self) -> bool {
        let kinds = self.operator || self.accounts || self.users || self.all;
        let texts = self.account.is_some() || self.user.is_some() || self.filter.is_some();
        kinds || texts || self.not_referenced
    }

    /// Whether a token that cannot be read would make a key look like one that nothing names.
    pub const fn needs_every_token(&self) -> bool {
        self.not_referenced
    }

    /// The keys that are meant; `curve` asks for curve keys as the other flags for theirs.
    ///
    /// # Errors
    /// If there is no account or user of that name.
    pub fn choose(&self, inventory: &mut Inventory, curve: bool) -> Result<Vec<Known>, Error> {
        let kinds: BTreeSet<Kind> = [
            (self.operator, Kind::Operator),
            (self.accounts, Kind::Account),
            (self.users, Kind::User),
            (curve, Kind::Curve),
        ]
        .into_iter()
        .filter_map(|(wanted, kind)| wanted.then_some(kind))
        .collect();
        for (wanted, what, names) in [
            (
                &self.account,
                "account",
                (|used: &Use| used.account.clone()) as fn(&Use) -> _,
            ),
            (&self.user, "user", |used| used.user.clone()),
        ] {
            let known = |name: &String| {
                let named = |used: &Use| names(used).as_ref() == Some(name);
                inventory.keys.iter().any(|known| known.serves(named))
            };
            if let Some(name) = wanted.as_ref().filter(|name| !known(name)) {
                return Err(Error::failed(format!(
                    "there is no {what} {}",
                    crate::output::clean_inline(name)
                ))
                .next(format!("nkey list {what}s")));
            }
        }
        let operator = inventory.operator.clone();
        let fits = |known: &Known| {
            (self.all || kinds.is_empty() || kinds.contains(&known.key.kind()))
                && self.serves(known, operator.as_deref())
                && self.contains(known)
        };
        let keys = std::mem::take(&mut inventory.keys);
        let (chosen, rest) = keys.into_iter().partition(fits);
        inventory.keys = rest;
        Ok(chosen)
    }

    fn serves(&self, known: &Known, operator: Option<&str>) -> bool {
        let current = |used: &Use| operator.is_none_or(|operator| used.operator == operator);
        if self.not_referenced {
            return !known.serves(current);
        }
        if self.account.is_some() || self.user.is_some() {
            return known.serves(|used| {
                let account = used.account.is_none()
                    || self.account.is_none()
                    || used.account == self.account;
                let user = used.user.is_none() || self.user.is_none() || used.user == self.user;
                current(used) && account && user
            });
        }
        known.uses.is_empty() || known.serves(current)
    }

    fn contains(&self, known: &Known) -> bool {
        self.filter.as_ref().is_none_or(|text| {
            known.name().contains(text)
                || known.key.to_string().contains(&text.to_ascii_uppercase())
        })
    }
}
