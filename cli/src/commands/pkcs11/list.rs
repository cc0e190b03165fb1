//! `nkey pkcs11 list`.

use super::FAMILY;
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
    FAMILY.list(args.json, ctx)
}
