//! `nkey delete export`.

use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::keys::Fresh;
use crate::store::{Edit, exports};

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The export's subject
    #[arg(short, long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Deletes an export of an account.
///
/// # Errors
/// If there is none, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let (mut edit, account) = Edit::account(ctx, args.account.as_deref())?;
    let subject = args.subject.as_deref();
    let index = edit.ask(subject.is_some(), || exports::find(&account, subject))?;
    Fresh::begin(ctx)?;
    let mut claims = account.claims.clone();
    let export = claims.nats.exports.remove(index);
    let issued = edit.write_account(ctx, &account, claims)?;
    let headline = format!(
        "deleted {} of account {}",
        clean_inline(&exports::label(&export)),
        clean_inline(&account.name)
    );
    issued.report(ctx, args.json, &headline)
}
