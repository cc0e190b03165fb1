//! `nkey revocations add-user`.

use super::{UserFlags, note_kept};
use crate::context::Context;
use crate::error::Error;
use crate::input::moment;
use crate::output::clean_inline;
use crate::store::Edit;
use crate::store::issue::AHEAD;
use crate::store::keys::Fresh;
use crate::text;
use nkey_core::revocation::{ALL, revoke};

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    #[command(flatten)]
    user: UserFlags,
    /// Revoke tokens issued until then: RFC 3339 or Unix seconds; 0 is now
    #[arg(long, value_name = "TIME", default_value = "0", hide_default_value = true, allow_negative_numbers = true, value_parser = moment::parse)]
    at: i64,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Revokes the tokens of a user, or of all users of an account.
///
/// # Errors
/// If there is no such user, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let (edit, account) = Edit::account(ctx, args.account.as_deref())?;
    let key = args.user.key(&edit, &account)?;
    Fresh::begin(ctx)?;
    let mut at = args.at;
    if at == 0 {
        at = ctx.now();
        // A token may be dated some seconds ahead; it is meant as well.
        for name in edit.operator.users(&account.name)? {
            match edit.operator.user(&account.name, &name) {
                Ok(user) if key == ALL || key == user.sub() => {
                    at = at.max(user.claims.standard.iat)
                }
                _ => {}
            }
        }
        at = at.min(ctx.now() + AHEAD);
    }
    let mut claims = account.claims.clone();
    let stands = revoke(&mut claims.nats.revocations, &key, at);
    note_kept(ctx, at, stands);
    let issued = edit.write_account(ctx, &account, claims)?;
    let whom = if key == ALL {
        "all users".to_owned()
    } else {
        format!("user {key}")
    };
    let headline = format!(
        "revoked {whom} of account {}, if issued until {}",
        clean_inline(&account.name),
        text::time(stands)
    );
    issued.report(ctx, args.json, &headline)?;
    if !args.json {
        ctx.out.note("servers learn of it by: nkey push");
    }
    Ok(())
}
