//! `nkey revocations delete-user`.

use super::UserFlags;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::Edit;
use crate::store::keys::Fresh;
use nkey_core::revocation::{ALL, clear};

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    #[command(flatten)]
    user: UserFlags,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Takes back the revocation of a user, or that of all users.
///
/// # Errors
/// If the user is not revoked, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let (edit, account) = Edit::account(ctx, args.account.as_deref())?;
    let key = args.user.key(&edit, &account)?;
    let of = clean_inline(&account.name);
    let mut claims = account.claims.clone();
    if clear(&mut claims.nats.revocations, &key).is_none() {
        let message = format!("user {key} of account {of} is not revoked by itself");
        return Err(Error::failed(message).next(format!("nkey revocations list-users -a {of}")));
    }
    Fresh::begin(ctx)?;
    if key != ALL && claims.nats.revocations.contains_key(ALL) {
        ctx.out
            .note("the revocation of all users still covers the older tokens");
    }
    let issued = edit.write_account(ctx, &account, claims)?;
    issued.report(
        ctx,
        args.json,
        &format!("took back the revocation of {key} in account {of}"),
    )
}
