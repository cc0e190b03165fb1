//! `nkey describe user`.

use super::show::{Show, show};
use crate::context::Context;
use crate::error::Error;
use crate::input::name::NameFlag;
use crate::store::Store;

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
    show(&user.token, &args.show, ctx)
}
