//! `nkey describe user`.

use super::show::{Show, show_with};
use crate::context::Context;
use crate::error::Error;
use crate::input::name::NameFlag;
use crate::store::Store;
use nkey_core::claims::owned::SigningKey;

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    #[command(flatten)]
    name: NameFlag,
    #[command(flatten)]
    show: Show,
}

/// Shows a user's token, by name, by public key, or the only one's of the account.
///
/// # Errors
/// If there is none.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let store = Store::open(&ctx.global)?;
    let operator = store.operator(None)?;
    let account = store.account(&operator, args.account.as_deref())?;
    let user = operator.find_user(&account, args.name.get())?;
    let issuer = &user.claims.standard.iss;
    // What the user itself says is shown also where the account's token cannot be read.
    let account = operator.account(&account).ok();
    let scope = account
        .iter()
        .flat_map(|account| &account.claims.nats.signing_keys)
        .find_map(|key| match key {
            SigningKey::Scoped(scope) if scope.key.as_ref() == Some(issuer) => Some(scope),
            _ => None,
        });
    show_with(&user.token, scope, &args.show, ctx)
}
