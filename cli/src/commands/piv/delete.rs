//! `nkey piv delete`.

use super::card::{Plugged, slot};
use super::flags::AccessFlags;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use nkey_agent::manage::Order;

#[derive(clap::Args)]
pub struct Args {
    /// The card's serial number, or its name in holders.toml
    #[arg(value_name = "CARD")]
    pub card: String,
    /// The slot
    #[arg(value_name = "SLOT")]
    pub slot: String,
    /// The key that it holds, so that no other one goes
    #[arg(value_name = "PUBLIC KEY")]
    pub key: String,
    #[command(flatten)]
    pub access: AccessFlags,
}

/// Deletes a key and its certificate from a card, for good.
///
/// # Errors
/// If the slot holds another key; exit 3 for a wrong PIN.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let slot = slot(&args.slot)?;
    let mut card = Plugged::open(&args.card, ctx)?;
    let secrets = args.access.secrets(&mut card, false)?;
    card.order(&Order::Delete {
        slot,
        key: &args.key,
        access: secrets.access(),
    })?;
    ctx.out.note(format!(
        "{} is deleted from slot {slot:02x}",
        clean_inline(&args.key)
    ));
    Ok(())
}
