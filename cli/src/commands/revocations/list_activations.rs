//! `nkey revocations list_activations`.

use super::{ExportFlags, write};
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::{Store, exports};
use std::collections::BTreeMap;

#[derive(clap::Args)]
pub struct Args {
    /// The exporting account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    #[command(flatten)]
    export: ExportFlags,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Lists the accounts whose activations of an export are revoked.
///
/// # Errors
/// If there is no such export.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let store = Store::open(&ctx.global)?;
    let operator = store.operator(None)?;
    let account = operator.account(&store.account(&operator, args.account.as_deref())?)?;
    let kind = exports::kind(args.export.service == Some(true));
    let index = exports::covering(&account, kind, args.export.subject.as_deref())?;
    let export = &account.claims.nats.exports[index];
    let mut names = BTreeMap::new();
    for name in operator.accounts()? {
        if let Ok(account) = operator.account(&name) {
            names.insert(account.sub().to_owned(), name);
        }
    }
    if export.revocations.is_empty() && !args.json {
        return ctx.out.line(format!(
            "{} {} of account {} has no revoked activations",
            kind.name(),
            clean_inline(&export.subject),
            clean_inline(&account.name)
        ));
    }
    write(ctx, args.json, &export.revocations, "all accounts", &names)
}
