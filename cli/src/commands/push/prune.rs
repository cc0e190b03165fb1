//! `nkey push --prune` and `--account-removal`: deleting accounts from the servers.

use super::{Args, report};
use crate::context::Context;
use crate::error::Error;
use crate::nats::claims::{delete, list};
use crate::nats::connect::Connection;
use crate::nats::request::no_resolver;
use crate::output::clean_inline;
use crate::store::signer::account_signer;
use crate::store::{Entry, Operator};
use nkey_core::claims::owned;
use nkey_core::nkey::{Kind, PublicKey};
use serde_json::json;
use std::collections::BTreeSet;
use std::str::FromStr;

/// How long a request to delete is good for, in seconds. nats-server does not check it yet.
const VALID: i64 = 60;

/// What is deleted.
pub enum Removed {
    /// This account.
    One(String),
    /// All that servers have, other than these.
    AllBut(BTreeSet<String>),
}

/// The public keys of all accounts of the operator.
///
/// # Errors
/// If one cannot be read: it must not be taken for one that is not there.
pub fn keys(operator: &Operator) -> Result<BTreeSet<String>, Error> {
    let names = operator.accounts()?;
    let subs = names
        .iter()
        .map(|name| Ok(operator.account(name)?.claims.standard.sub));
    subs.collect()
}

impl Removed {
    /// What the flags ask to delete, if they do.
    ///
    /// # Errors
    /// If it is the system account, or an account of the store cannot be read.
    pub fn find(
        args: &Args,
        operator: &Operator,
        entry: &Entry<owned::Operator>,
    ) -> Result<Option<Removed>, Error> {
        let system = &entry.claims.nats.system_account;
        if args.prune {
            let mut kept = keys(operator)?;
            if !system.is_empty() {
                kept.insert(system.clone());
            }
            return Ok(Some(Removed::AllBut(kept)));
        }
        let Some(wanted) = &args.account_removal else {
            return Ok(None);
        };
        let is_key = PublicKey::from_str(wanted).is_ok_and(|key| key.kind() == Kind::Account);
        let key = if is_key {
            wanted.clone()
        } else {
            let name = operator.find_account(&operator.accounts()?, wanted)?;
            operator.account(&name)?.claims.standard.sub
        };
        if key == *system {
            return Err(Error::usage(
                "the system account cannot be deleted from the servers",
            ));
        }
        Ok(Some(Removed::One(key)))
    }
}

/// Deletes accounts by a request that an operator key signs.
///
/// # Errors
/// If one server does not delete one of them.
pub async fn run(
    args: &Args,
    ctx: &mut Context,
    operator: &Operator,
    entry: &Entry<owned::Operator>,
    removed: Removed,
    connection: &Connection,
) -> Result<(), Error> {
    let patience = args.patience();
    let (kept, servers) = list(connection, patience).await?;
    let doomed: Vec<String> = match removed {
        Removed::One(key) if kept.contains_key(&key) => vec![key],
        Removed::One(key) => {
            return Err(Error::failed(format!("no server has the account {key}")));
        }
        Removed::AllBut(ours) => kept
            .keys()
            .filter(|key| !ours.contains(*key))
            .cloned()
            .collect(),
    };
    if doomed.is_empty() {
        if args.json {
            ctx.out.json(&json!({ "deleted": [], "servers": [] }))?;
        }
        ctx.out
            .note("nothing to prune: the servers have no other accounts");
        return Ok(());
    }
    let signer = account_signer(ctx, operator, entry, None)?.key;
    signer.expect_kind(Kind::Operator).map_err(|_| {
        Error::failed(
            "only the operator deletes accounts from its servers: ask whoever holds its keys",
        )
    })?;
    let claims = json!({
        "exp": ctx.now() + VALID,
        "name": "nkey push",
        "sub": signer.to_string(),
        // An empty type is none: so the server reads it.
        "nats": { "accounts": doomed, "type": "", "version": 2 },
    });
    let request = ctx.agent()?.issue(&signer, &claims.to_string(), 0, 0)?;
    let outcome = delete(connection, &request, Some(servers.len()), patience).await?;
    if outcome.no_responders && outcome.replies.is_empty() {
        return Err(no_resolver());
    }
    if args.json {
        ctx.out
            .json(&json!({ "deleted": doomed, "servers": report::servers(&outcome) }))?;
    } else {
        for key in &doomed {
            ctx.out.line(format!("delete {key}"))?;
        }
        for line in outcome.lines(patience) {
            ctx.out.line(clean_inline(&line))?;
        }
    }
    let disabled = |reason: &str| reason.contains("delete must be enabled");
    if outcome
        .replies
        .iter()
        .any(|reply| reply.message().is_err_and(disabled))
    {
        return Err(Error::failed(
            "servers delete accounts only where their resolver has allow_delete: true",
        )
        .next("nkey generate config --nats-resolver --allow-delete"));
    }
    if !outcome.is_complete() {
        return Err(Error::failed("not every server deleted the accounts"));
    }
    if outcome.replies.len() != servers.len() {
        return Err(Error::failed(format!(
            "{} servers keep accounts, and {} of them answered: some may not have deleted",
            servers.len(),
            outcome.replies.len()
        )));
    }
    ctx.out.note(format!(
        "{} accounts deleted, {} servers answered",
        doomed.len(),
        servers.len()
    ));
    Ok(())
}
