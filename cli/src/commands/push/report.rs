//! What became of a push.

use super::Args;
use crate::context::Context;
use crate::error::Error;
use crate::nats::request::no_resolver;
use crate::nats::update::Outcome;
use crate::output::clean_inline;
use crate::store::Entry;
use nkey_core::claims::owned::Account;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Prints what every server answered.
///
/// # Errors
/// If one of them did not take one account.
pub fn report(
    args: &Args,
    ctx: &mut Context,
    accounts: &[Entry<Account>],
    outcomes: &[Outcome],
) -> Result<(), Error> {
    let pushed = outcomes
        .iter()
        .filter(|outcome| outcome.is_complete())
        .count();
    if args.json {
        let rows: Vec<Value> = accounts
            .iter()
            .zip(outcomes)
            .map(|(account, outcome)| {
                json!({
                    "name": account.name,
                    "public_key": account.sub(),
                    "pushed": outcome.is_complete(),
                    "servers": servers(outcome),
                })
            })
            .collect();
        ctx.out.json(&rows)?;
    } else {
        for (account, outcome) in accounts.iter().zip(outcomes) {
            for line in outcome.lines(args.patience()) {
                ctx.out.line(format!(
                    "account {}: {}",
                    clean_inline(&account.name),
                    clean_inline(&line)
                ))?;
            }
        }
    }
    if pushed == accounts.len() {
        let servers: BTreeSet<_> = outcomes
            .iter()
            .flat_map(|outcome| &outcome.replies)
            .map(|reply| &reply.server)
            .collect();
        ctx.out.note(format!(
            "{pushed} accounts pushed, {} servers answered",
            servers.len()
        ));
        return Ok(());
    }
    if outcomes
        .iter()
        .all(|outcome| outcome.no_responders && outcome.replies.is_empty())
    {
        return Err(no_resolver());
    }
    Err(Error::failed(format!(
        "{} of {} accounts were not taken by every server",
        accounts.len() - pushed,
        accounts.len()
    )))
}

/// The answers as JSON.
pub fn servers(outcome: &Outcome) -> Vec<Value> {
    let replies = outcome.replies.iter().map(|reply| match reply.message() {
        Ok(message) => json!({ "server": reply.server.shown(), "message": message }),
        Err(reason) => json!({ "server": reply.server.shown(), "error": reason }),
    });
    let silent = outcome
        .silent
        .iter()
        .map(|server| json!({ "server": server.shown(), "error": "no answer" }));
    let wrong = outcome
        .wrong
        .iter()
        .map(|reason| json!({ "error": reason }));
    replies.chain(silent).chain(wrong).collect()
}
