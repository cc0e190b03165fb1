//! Pushing to an HTTP account server, which keeps one version of each account.

use super::{Args, diff};
use crate::context::Context;
use crate::error::Error;
use crate::nats::account_server::{AccountServer, Taken};
use crate::output::clean_inline;
use crate::store::receive::{Received, Receiver};
use crate::store::{Entry, Operator, Store};
use nkey_core::claims::owned::{self, Account};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long an account server may take at least: over the internet it does.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends the accounts; of a managed operator, what it made of them comes back into the store.
///
/// # Errors
/// If the server does not take one of them.
pub fn run(
    args: &Args,
    ctx: &mut Context,
    mut store: Store,
    operator: &Operator,
    entry: &Entry<owned::Operator>,
    accounts: &[Entry<Account>],
    url: &str,
) -> Result<(), Error> {
    if args.prune || args.account_removal.is_some() {
        return Err(Error::usage(
            "accounts are deleted from nats-servers only; an account server has a way of its own",
        ));
    }
    let server = AccountServer::new(url, &args.tls, args.patience().max(PATIENCE))?;
    if args.diff {
        let mut compared = Vec::new();
        for account in accounts {
            let name = clean_inline(&account.name);
            let different = server.find(account.sub()).and_then(|theirs| {
                let versions: BTreeMap<String, usize> =
                    theirs.into_iter().map(|theirs| (theirs, 1)).collect();
                diff::Compared::new(account, &versions, Vec::new(), 0)
            });
            compared.push(different.map_err(|error| error.within(&format!("account {name}")))?);
        }
        return diff::print(args, ctx, &compared, &[]);
    }
    let lock = match operator.is_managed() {
        true => Some(store.lock()?),
        false => None,
    };
    let mut receiver = match &lock {
        Some(lock) => Some(Receiver::new(operator, entry, lock, false)?),
        None => None,
    };
    let mut rows = Vec::new();
    let mut failed = 0;
    for account in accounts {
        let result = server
            .push(account.sub(), &account.token)
            .and_then(|taken| {
                let back = match &mut receiver {
                    Some(receiver) => Some(fetch(&server, receiver, account)?),
                    None => None,
                };
                Ok((taken, back))
            });
        failed += usize::from(result.is_err());
        let name = clean_inline(&account.name);
        if args.json {
            rows.push(row(account, &result));
            continue;
        }
        match result {
            Ok((taken, back)) => {
                let said = match taken {
                    Taken::Now(message) => ("pushed", message),
                    Taken::Later(message) => ("pending", message),
                };
                let message = if said.1.is_empty() {
                    said.0.to_owned()
                } else {
                    format!("{}: {}", said.0, said.1)
                };
                ctx.out.line(format!("account {name}: {message}"))?;
                match back {
                    Some(Received::Unchanged) => ctx.out.line(format!(
                        "account {name}: not signed by the operator yet: nkey pull -a {name} fetches it later"
                    ))?,
                    Some(_) => ctx
                        .out
                        .line(format!("account {name}: signed by the operator and stored"))?,
                    None => {}
                }
            }
            Err(error) => ctx
                .out
                .line(format!("account {name}: {}", error.message()))?,
        }
    }
    if args.json {
        ctx.out.json(&rows)?;
    }
    if failed > 0 {
        return Err(Error::failed(format!(
            "{failed} of {} accounts were not taken by the account server",
            accounts.len()
        )));
    }
    ctx.out.note(format!("{} accounts pushed", accounts.len()));
    Ok(())
}

/// What the operator made of an account that signed itself.
fn fetch(
    server: &AccountServer,
    receiver: &mut Receiver<'_>,
    account: &Entry<Account>,
) -> Result<Received, Error> {
    let token = server.pull(account.sub())?;
    Ok(receiver.put(account.sub(), &token)?.1)
}

fn row(account: &Entry<Account>, result: &Result<(Taken, Option<Received>), Error>) -> Value {
    let mut row = json!({
        "name": account.name,
        "public_key": account.sub(),
        "pushed": result.is_ok(),
    });
    match result {
        Ok((Taken::Now(message), _)) => row["message"] = json!(message),
        Ok((Taken::Later(message), _)) => {
            row["message"] = json!(message);
            row["pending"] = json!(true);
        }
        Err(error) => row["error"] = json!(error.to_string()),
    }
    row
}
