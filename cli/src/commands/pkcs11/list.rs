//! `nkey pkcs11 list`.

use super::PREFIX;
use crate::commands::store::list::show;
use crate::context::Context;
use crate::error::Error;

#[derive(clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long, short = 'J')]
    pub json: bool,
}

/// Lists the tokens.
///
/// # Errors
/// Exit 4 if there is no agent.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut stores = ctx.agent()?.stores()?;
    stores.retain(|store| store.name.starts_with(PREFIX));
    if stores.is_empty() && !args.json {
        ctx.out.note("holders.toml names no PKCS#11 module");
        return Ok(());
    }
    show(&stores, args.json, ctx)
}
