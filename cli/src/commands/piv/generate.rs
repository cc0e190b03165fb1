//! `nkey piv generate`.

use super::card::{Plugged, slot};
use super::flags::{AccessFlags, PlaceFlags};
use crate::card::kind;
use crate::context::Context;
use crate::error::Error;
use crate::key_flags::Kinds;
use nkey_agent::manage::Order;
use nkey_core::nkey::PublicKey;
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    /// The card's serial number, or its name in holders.toml
    #[arg(value_name = "CARD")]
    pub card: String,
    /// The slot: 9a, 9c, 9d, 9e, or 82 to 95
    #[arg(value_name = "SLOT")]
    pub slot: String,
    #[command(flatten)]
    pub kinds: Kinds,
    #[command(flatten)]
    pub place: PlaceFlags,
    #[command(flatten)]
    pub access: AccessFlags,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Makes a key in a card, which never gives it away. It is enrolled afterwards.
///
/// # Errors
/// Exit 2 without exactly one kind, 3 for a wrong PIN; if the slot holds another key.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let kind = kind(&args.kinds.chosen())?;
    let place = args.place.place(slot(&args.slot)?, kind);
    let mut card = Plugged::open(&args.card, ctx)?;
    let secrets = args.access.secrets(&mut card, false)?;
    let (slot, key) = card.key_of(&Order::Generate(place, secrets.access()), kind)?;
    made(&key, slot, card.serial(), args.json, ctx)
}

/// Tells of a key that a slot holds now.
///
/// # Errors
/// If standard output is closed.
pub fn made(
    key: &PublicKey,
    slot: u8,
    serial: &str,
    json: bool,
    ctx: &mut Context,
) -> Result<(), Error> {
    let slot = format!("{slot:02x}");
    if json {
        return ctx.out.json(&json!({
            "public_key": key.to_string(),
            "kind": key.kind().name(),
            "serial": serial,
            "slot": slot,
        }));
    }
    ctx.out.line(key.to_string())?;
    ctx.out.note(format!(
        "the agent signs with it once it is enrolled, under the name that holders.toml gives the card {serial}:\n  \
         nkey store enrol piv:NAME {slot} --{}",
        key.kind().name()
    ));
    Ok(())
}
