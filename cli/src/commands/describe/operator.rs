//! `nkey describe operator`.

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

/// Shows an operator's token, by name, by public key, or the selected one's.
///
/// # Errors
/// If there is none.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let operator = Store::open(&ctx.global)?.operator(args.name.get())?;
    show(&operator.claims()?.token, &args.show, ctx)
}
