//! `nkey revocations delete_activation`.

use super::{ExportFlags, importer};
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::keys::Fresh;
use crate::store::{Edit, exports};
use nkey_core::revocation::clear;

#[derive(clap::Args)]
pub struct Args {
    /// The exporting account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    #[command(flatten)]
    export: ExportFlags,
    /// The importing account, by name or public key; * for all
    #[arg(short, long, value_name = "ACCOUNT")]
    target_account: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Takes back the revocation of an account's activations for an export.
///
/// # Errors
/// If they are not revoked, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let (mut edit, account) = Edit::account(ctx, args.account.as_deref())?;
    let kind = exports::kind(args.export.service == Some(true));
    let subject = args.export.subject.as_deref();
    let index = edit.ask(subject.is_some(), || {
        exports::covering(&account, kind, subject)
    })?;
    let target = importer(&mut edit, args.target_account.as_deref())?;
    let mut claims = account.claims.clone();
    let export = &mut claims.nats.exports[index];
    let shown = format!("{} {}", kind.name(), clean_inline(&export.subject));
    let of = clean_inline(&account.name);
    if clear(&mut export.revocations, &target).is_none() {
        return Err(Error::failed(format!(
            "the activations of {target} for {shown} of account {of} are not revoked by themselves"
        )));
    }
    Fresh::begin(ctx)?;
    let issued = edit.write_account(ctx, &account, claims)?;
    let headline = format!(
        "took back the revocation of the activations of {target} for {shown} of account {of}"
    );
    issued.report(ctx, args.json, &headline)
}
