//! `nkey piv info`.

use super::FAMILY;
use crate::context::Context;
use crate::error::Error;

#[derive(clap::Args)]
pub struct Args {
    /// The card, as holders.toml names it
    #[arg(value_name = "CARD")]
    pub card: String,
}

/// Shows a card and its keys.
///
/// # Errors
/// If there is no such card; what the agent says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    FAMILY.info(&args.card, ctx)
}
