//! `nkey piv attest`.

use super::card::{Plugged, slot};
use super::chain;
use crate::card::nonsense;
use crate::context::Context;
use crate::error::Error;
use nkey_agent::manage::Order;
use nkey_agent::wire::Reader;

#[derive(clap::Args)]
pub struct Args {
    /// The card's serial number, or its name in holders.toml
    #[arg(value_name = "CARD")]
    pub card: String,
    /// The slot
    #[arg(value_name = "SLOT")]
    pub slot: String,
}

/// Prints the card's word that it made a key itself, and the certificate of the key that says so.
///
/// # Errors
/// If the slot is empty, or its key was imported.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let slot = slot(&args.slot)?;
    let mut card = Plugged::open(&args.card, ctx)?;
    let body = card.order(&Order::Attest { slot })?;
    let mut reader = Reader::new(&body);
    for _ in 0..2 {
        let pem = chain::pem(reader.string().map_err(nonsense)?)?;
        ctx.out.bytes(pem.as_bytes())?;
    }
    Ok(())
}
