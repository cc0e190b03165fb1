//! `nkey push`.

mod diff;
mod prune;
mod report;
mod server;

use crate::context::Context;
use crate::error::Error;
use crate::nats::address::{Target, target};
use crate::nats::connect::{Connection, block_on, connect};
use crate::nats::system_user::SystemFlags;
use crate::nats::tls::TlsFlags;
use crate::nats::update::update;
use crate::output::clean_inline;
use crate::store::chain::account_issuer;
use crate::store::report::Report;
use crate::store::{Entry, Operator, Store};
use nkey_core::claims::owned::{self, Account};
use nkey_core::tolerant::AnyClaims;
use std::time::Duration;

#[derive(clap::Args)]
pub struct Args {
    /// All accounts
    #[arg(short = 'A', long, conflicts_with = "account")]
    all: bool,
    /// This account [default: the selected one]
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The servers [default: the operator's account server URL, or its service URLs]
    #[arg(short = 'u', long, value_name = "URL,...")]
    account_jwt_server_url: Option<String>,
    /// Push also what validation finds servers to refuse
    #[arg(short = 'F', long)]
    force: bool,
    /// Show what a push would change, field by field, and what --prune would delete; nothing is done
    #[arg(short = 'D', long, conflicts_with = "account_removal")]
    diff: bool,
    /// Delete the accounts that the store does not have from the servers
    #[arg(short = 'P', long, conflicts_with = "account_removal")]
    prune: bool,
    /// Delete this account from the servers
    #[arg(short = 'R', long, value_name = "ACCOUNT", conflicts_with_all = ["all", "account"])]
    account_removal: Option<String>,
    #[command(flatten)]
    system: SystemFlags,
    /// How long to wait for further servers, 1 to 60 seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    timeout: u64,
    #[command(flatten)]
    tls: TlsFlags,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

impl Args {
    fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout.clamp(1, 60))
    }

    /// Whether accounts are sent: pruning alone sends none, as in nsc.
    fn sends(&self) -> bool {
        let other = self.prune || self.account_removal.is_some();
        !self.diff && (self.all || self.account.is_some() || !other)
    }

    /// The accounts that are sent or compared.
    fn accounts(&self, store: &Store, operator: &Operator) -> Result<Vec<Entry<Account>>, Error> {
        let names = if self.all || self.diff && self.account.is_none() {
            operator.accounts()?
        } else if self.sends() || self.diff {
            vec![store.account(operator, self.account.as_deref())?]
        } else {
            return Ok(Vec::new());
        };
        if names.is_empty() {
            let message = format!("operator {} has no accounts", clean_inline(operator.name()));
            return Err(Error::failed(message).next("nkey add account -n NAME"));
        }
        names.iter().map(|name| operator.account(name)).collect()
    }
}

/// Sends accounts to every server of the operator, compares them, or deletes some.
///
/// # Errors
/// If one server does not do it with one account.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let store = Store::open(&ctx.global)?;
    let operator = store.operator(None)?;
    let entry = operator.claims()?;
    let target = target(args.account_jwt_server_url.as_deref(), &entry.claims.nats)?;
    let accounts = args.accounts(&store, &operator)?;
    if args.sends() && !args.force {
        check(&operator, &entry, &accounts, ctx.now())?;
    }
    let urls = match target {
        Target::AccountServer(url) => {
            return server::run(args, ctx, store, &operator, &entry, &accounts, &url);
        }
        Target::Resolver(urls) => urls,
    };
    let removed = prune::Removed::find(args, &operator, &entry)?;
    let user = args.system.user(ctx, &operator, &entry)?;
    let patience = args.patience();
    block_on(async {
        let connection = connect(&urls, user, &args.tls, patience).await?;
        let done = steps(
            args,
            ctx,
            &operator,
            &entry,
            &accounts,
            removed,
            &connection,
        )
        .await;
        for fault in connection.faults() {
            ctx.out
                .note(format!("the server says: {}", clean_inline(&fault)));
        }
        done
    })
}

async fn steps(
    args: &Args,
    ctx: &mut Context,
    operator: &Operator,
    entry: &Entry<owned::Operator>,
    accounts: &[Entry<Account>],
    removed: Option<prune::Removed>,
    connection: &Connection,
) -> Result<(), Error> {
    if args.diff {
        return diff::run(args, ctx, operator, entry, accounts, connection).await;
    }
    if args.sends() {
        let tokens: Vec<(&str, &str)> = accounts
            .iter()
            .map(|account| (account.sub(), account.token.as_str()))
            .collect();
        let outcomes = update(connection, &tokens, args.patience()).await?;
        report::report(args, ctx, accounts, &outcomes)?;
    }
    match removed {
        Some(removed) => prune::run(args, ctx, operator, entry, removed, connection).await,
        None => Ok(()),
    }
}

/// Refuses accounts that the servers would refuse, all of them named.
fn check(
    operator: &Operator,
    entry: &Entry<owned::Operator>,
    accounts: &[Entry<Account>],
    now: i64,
) -> Result<(), Error> {
    let mut report = Report::default();
    for account in accounts {
        report.begin(format!("account {}", account.name), &account.path);
        report.claims(
            &AnyClaims::Account(account.claims.clone()),
            &account.notes,
            account.version,
            now,
        );
        let iss = &account.claims.standard.iss;
        if let (Err(reason), false) = (
            account_issuer(&entry.claims.nats, entry.sub(), iss),
            operator.is_managed(),
        ) {
            report.push(nkey_core::validate::Class::Blocking, "iss", reason);
        }
    }
    if !report.is_blocking() {
        return Ok(());
    }
    let lines: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| finding.class != "warning")
        .map(|finding| format!("{}: {}: {}", finding.entity, finding.field, finding.text))
        .collect();
    Err(Error::failed(format!(
        "servers would refuse this: nothing was pushed (--force pushes it)\n{}",
        lines.join("\n")
    ))
    .next("nkey validate -A"))
}
