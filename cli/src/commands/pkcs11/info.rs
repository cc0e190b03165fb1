//! `nkey pkcs11 info`.

use super::store_name;
use crate::commands::store::list::{show, slots};
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;

#[derive(clap::Args)]
pub struct Args {
    /// The token, as holders.toml names it
    #[arg(value_name = "TOKEN")]
    pub token: String,
}

/// Shows a token and its keys.
///
/// # Errors
/// If there is no such token; what the agent says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let name = store_name(&args.token);
    let mut stores = ctx.agent()?.stores()?;
    stores.retain(|store| store.name == name);
    if stores.is_empty() {
        let token = clean_inline(&args.token);
        return Err(
            Error::failed(format!("holders.toml names no token {token}")).next("nkey pkcs11 list"),
        );
    }
    show(&stores, false, ctx)?;
    ctx.out.line("")?;
    slots(&name, false, ctx)
}
