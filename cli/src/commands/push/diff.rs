//! `nkey push --diff`: what a push would change.

use super::Args;
use crate::context::Context;
use crate::difference::{Change, compare};
use crate::error::Error;
use crate::nats::claims::{list, lookup};
use crate::nats::connect::Connection;
use crate::output::clean_inline;
use crate::store::{Entry, Operator};
use crate::token;
use nkey_core::claims::owned::Account;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One account on the servers.
pub struct Compared {
    name: String,
    key: String,
    state: &'static str,
    /// For each other version: how many servers have it, and what a push would change.
    versions: Vec<(usize, Vec<Change>)>,
    /// Servers that do not have the account.
    missing: Vec<String>,
}

impl Compared {
    /// Compares an account with the versions of it that servers have.
    ///
    /// # Errors
    /// If a version cannot be read.
    pub fn new(
        account: &Entry<Account>,
        versions: &BTreeMap<String, usize>,
        missing: Vec<String>,
    ) -> Result<Compared, Error> {
        let ours = token::value(&token::inspect(&account.token)?.payload);
        let mut others = Vec::new();
        for (version, &servers) in versions
            .iter()
            .filter(|(version, _)| **version != account.token)
        {
            let theirs = token::value(&token::inspect(version)?.payload);
            others.push((servers, compare(&theirs, &ours)));
        }
        Ok(Compared {
            name: account.name.clone(),
            key: account.sub().to_owned(),
            state: if versions.is_empty() {
                "new"
            } else if others.is_empty() && missing.is_empty() {
                "same"
            } else {
                "changed"
            },
            versions: others,
            missing,
        })
    }

    fn json(&self) -> Value {
        let versions: Vec<Value> = self
            .versions
            .iter()
            .map(|(servers, changes)| json!({ "servers": servers, "changes": changes }))
            .collect();
        json!({
            "name": self.name,
            "public_key": self.key,
            "state": self.state,
            "versions": versions,
            "missing_on": self.missing,
        })
    }

    fn print(&self, ctx: &mut Context) -> Result<(), Error> {
        let name = clean_inline(&self.name);
        match self.state {
            "new" => return ctx.out.line(format!("account {name}: on no server")),
            "same" => return ctx.out.line(format!("account {name}: no difference")),
            _ => {}
        }
        for server in &self.missing {
            ctx.out
                .line(format!("account {name}: not on {}", clean_inline(server)))?;
        }
        for (servers, changes) in &self.versions {
            ctx.out
                .line(format!("account {name}: would change on {servers} servers"))?;
            for change in changes {
                ctx.out.line(format!("  {}", change.line()))?;
            }
        }
        Ok(())
    }
}

/// Prints the comparison, and the accounts that only servers have.
///
/// # Errors
/// If the output cannot be written.
pub fn print(
    args: &Args,
    ctx: &mut Context,
    compared: &[Compared],
    foreign: &[(String, Vec<String>)],
) -> Result<(), Error> {
    if args.json {
        let accounts: Vec<Value> = compared.iter().map(Compared::json).collect();
        let foreign: Vec<Value> = foreign
            .iter()
            .map(|(key, servers)| json!({ "public_key": key, "servers": servers }))
            .collect();
        return ctx
            .out
            .json(&json!({ "accounts": accounts, "only_on_servers": foreign }));
    }
    for account in compared {
        account.print(ctx)?;
    }
    for (key, servers) in foreign {
        ctx.out.line(format!(
            "{key}: only on {}; --prune deletes it",
            clean_inline(&servers.join(", "))
        ))?;
    }
    Ok(())
}

/// Compares the accounts with what every server keeps.
///
/// # Errors
/// If a server does not answer, or answers wrongly.
pub async fn run(
    args: &Args,
    ctx: &mut Context,
    operator: &Operator,
    accounts: &[Entry<Account>],
    connection: &Connection,
) -> Result<(), Error> {
    let patience = args.patience();
    let (kept, servers) = list(connection, patience).await?;
    let wanted: Vec<(&str, Option<usize>)> = accounts
        .iter()
        .filter_map(|account| {
            let servers = kept.get(account.sub())?.len();
            Some((account.sub(), Some(servers)))
        })
        .collect();
    let mut found: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
    let versions = lookup(connection, &wanted, patience).await?;
    for ((key, expected), versions) in wanted.iter().zip(versions) {
        let answered: usize = versions.values().sum();
        let expected = expected.unwrap_or_default();
        if answered < expected {
            return Err(Error::failed(format!(
                "{answered} of {expected} servers answered what they keep of {key} within {} s (--timeout waits longer)",
                patience.as_secs()
            )));
        }
        found.insert(key, versions);
    }
    let mut compared = Vec::new();
    for account in accounts {
        let having = kept.get(account.sub());
        let missing = servers
            .iter()
            .filter(|server| having.is_none_or(|having| !having.contains(server)))
            .map(|server| server.shown().to_owned())
            .collect();
        let none = BTreeMap::new();
        let versions = found.get(account.sub()).unwrap_or(&none);
        compared.push(Compared::new(account, versions, missing)?);
    }
    let mut foreign = Vec::new();
    if args.account.is_none() {
        let ours = super::prune::keys(operator)?;
        for (key, servers) in kept.iter().filter(|(key, _)| !ours.contains(*key)) {
            let servers = servers.iter().map(|server| server.shown().to_owned());
            foreign.push((key.clone(), servers.collect()));
        }
    }
    print(args, ctx, &compared, &foreign)
}
