//! `nkey revocations add_activation`.

use super::{ExportFlags, importer, note_kept};
use crate::context::Context;
use crate::error::Error;
use crate::input::moment;
use crate::output::clean_inline;
use crate::store::keys::Fresh;
use crate::store::{Edit, exports};
use crate::text;
use nkey_core::revocation::revoke;

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
    /// Revoke activations issued until then: RFC 3339 or Unix seconds; 0 is now
    #[arg(long, value_name = "TIME", default_value = "0", hide_default_value = true, allow_negative_numbers = true, value_parser = moment::parse)]
    at: i64,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Revokes the activations of an account for an export.
///
/// # Errors
/// If there is no such export, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let (mut edit, account) = Edit::account(ctx, args.account.as_deref())?;
    let kind = exports::kind(args.export.service == Some(true));
    let subject = args.export.subject.as_deref();
    let index = edit.ask(subject.is_some(), || {
        exports::covering(&account, kind, subject)
    })?;
    let target = importer(&mut edit, args.target_account.as_deref())?;
    Fresh::begin(ctx)?;
    let at = if args.at == 0 { ctx.now() } else { args.at };
    let mut claims = account.claims.clone();
    let export = &mut claims.nats.exports[index];
    let stands = revoke(&mut export.revocations, &target, at);
    let shown = clean_inline(&export.subject);
    note_kept(ctx, at, stands);
    let issued = edit.write_account(ctx, &account, claims)?;
    let headline = format!(
        "revoked the activations of {target} for {} {shown} of account {}, if issued until {}",
        kind.name(),
        clean_inline(&account.name),
        text::time(stands)
    );
    issued.report(ctx, args.json, &headline)?;
    if !args.json {
        ctx.out.note("servers learn of it by: nkey push");
    }
    Ok(())
}
