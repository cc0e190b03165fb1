//! `nkey pkcs11 info`.

use super::FAMILY;
use crate::context::Context;
use crate::error::Error;

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
    FAMILY.info(&args.token, ctx)
}
