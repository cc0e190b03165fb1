//! `nkey piv management-key`.

use super::card::Plugged;
use super::flags::AccessFlags;
use crate::context::Context;
use crate::error::Error;
use nkey_agent::manage::Order;

#[derive(clap::Args)]
pub struct Args {
    /// The card's serial number, or its name in holders.toml
    #[arg(value_name = "CARD")]
    pub card: String,
    #[command(flatten)]
    pub access: AccessFlags,
}

/// Sets a new random management key, which is stored under the PIN: whoever knows the PIN can
/// change the card, and nobody has to keep another secret.
///
/// # Errors
/// Exit 3 for a wrong PIN; what the card says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut card = Plugged::open(&args.card, ctx)?;
    let secrets = args.access.secrets(&mut card, true)?;
    card.order(&Order::Management(secrets.access()))?;
    ctx.out
        .note("the management key is new, and stored under the PIN");
    Ok(())
}
