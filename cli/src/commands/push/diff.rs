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
use nkey_core::claims::owned::{self, Account};
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
    /// How many servers have it and do not show it, as caches do not.
    silent: usize,
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
        silent: usize,
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
            state: if versions.is_empty() && silent == 0 {
                "new"
            } else if others.is_empty() && missing.is_empty() {
                "same"
            } else {
                "changed"
            },
            versions: others,
            missing,
            silent,
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
            "not_shown_by": self.silent,
        })
    }

    fn print(&self, ctx: &mut Context) -> Result<(), Error> {
        let name = clean_inline(&self.name);
        if self.silent > 0 {
            ctx.out.line(format!(
                "account {name}: {} servers have it and did not show it (caches do not; --timeout waits longer)",
                self.silent
            ))?;
        }
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

/// An account that only servers have.
pub struct Foreign {
    key: String,
    servers: Vec<String>,
    is_system: bool,
}

/// Prints the comparison, and the accounts that only servers have.
///
/// # Errors
/// If the output cannot be written.
pub fn print(
    args: &Args,
    ctx: &mut Context,
    compared: &[Compared],
    foreign: &[Foreign],
) -> Result<(), Error> {
    if args.json {
        let accounts: Vec<Value> = compared.iter().map(Compared::json).collect();
        let foreign: Vec<Value> = foreign
            .iter()
            .map(|account| {
                json!({
                    "public_key": account.key,
                    "servers": account.servers,
                    "deleted": args.prune && !account.is_system,
                })
            })
            .collect();
        return ctx
            .out
            .json(&json!({ "accounts": accounts, "only_on_servers": foreign }));
    }
    for account in compared {
        account.print(ctx)?;
    }
    for account in foreign {
        let fate = match (account.is_system, args.prune) {
            (true, _) => "the system account, which stays",
            (false, true) => "would be deleted",
            (false, false) => "--prune deletes it",
        };
        ctx.out.line(format!(
            "{}: only on {}; {fate}",
            account.key,
            clean_inline(&account.servers.join(", "))
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
    entry: &Entry<owned::Operator>,
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
    let mut found: BTreeMap<&str, (BTreeMap<String, usize>, usize)> = BTreeMap::new();
    let versions = lookup(connection, &wanted, patience).await?;
    for ((key, expected), versions) in wanted.iter().zip(versions) {
        let answered: usize = versions.values().sum();
        let silent = expected.unwrap_or_default().saturating_sub(answered);
        found.insert(key, (versions, silent));
    }
    let mut compared = Vec::new();
    for account in accounts {
        let having = kept.get(account.sub());
        let missing = servers
            .iter()
            .filter(|server| having.is_none_or(|having| !having.contains(server)))
            .map(|server| server.shown().to_owned())
            .collect();
        let (versions, silent) = found.remove(account.sub()).unwrap_or_default();
        compared.push(Compared::new(account, &versions, missing, silent)?);
    }
    let mut foreign = Vec::new();
    if args.account.is_none() || args.prune {
        let ours = super::prune::keys(operator)?;
        for (key, servers) in kept.iter().filter(|(key, _)| !ours.contains(*key)) {
            let servers = servers.iter().map(|server| server.shown().to_owned());
            foreign.push(Foreign {
                key: key.clone(),
                servers: servers.collect(),
                is_system: *key == entry.claims.nats.system_account,
            });
        }
    }
    print(args, ctx, &compared, &foreign)
}
