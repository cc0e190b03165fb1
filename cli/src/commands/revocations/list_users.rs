//! `nkey revocations list-users`.

use super::write;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::Store;
use std::collections::BTreeMap;

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Lists the revoked users of an account.
///
/// # Errors
/// If there is no such account.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let store = Store::open(&ctx.global)?;
    let operator = store.operator(None)?;
    let account = operator.account(&store.account(&operator, args.account.as_deref())?)?;
    let mut names = BTreeMap::new();
    for name in operator.users(&account.name)? {
        if let Ok(user) = operator.user(&account.name, &name) {
            names.insert(user.sub().to_owned(), name);
        }
    }
    let revocations = &account.claims.nats.revocations;
    if revocations.is_empty() && !args.json {
        let of = clean_inline(&account.name);
        return ctx.out.line(format!("account {of} has no revoked users"));
    }
    write(ctx, args.json, revocations, "all users", &names)
}
