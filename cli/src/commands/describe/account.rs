//! `nkey describe account`.

use super::show::{Show, show};
use crate::context::Context;
use crate::error::Error;
use crate::input::name::NameFlag;
use crate::store::Store;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    name: NameFlag,
    #[command(flatten)]
    show: Show,
}

/// Shows an account's token, by name, by public key, or the selected one's.
///
/// # Errors
/// If there is none.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let store = Store::open(&ctx.global)?;
    let operator = store.operator(None)?;
    let account = operator.account(&store.account(&operator, args.name.get())?)?;
    show(&account.token, &args.show, ctx)
}
