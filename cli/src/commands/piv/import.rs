//! `nkey piv import`.

use super::card::{Plugged, slot};
use super::flags::{AccessFlags, PlaceFlags};
use super::generate::made;
use crate::card::kind;
use crate::context::Context;
use crate::error::Error;
use crate::found;
use crate::output::clean_inline;
use nkey_agent::manage::Order;

#[derive(clap::Args)]
pub struct Args {
    /// The card's serial number, or its name in holders.toml
    #[arg(value_name = "CARD")]
    pub card: String,
    /// The slot: 9a, 9c, 9d, 9e, or 82 to 95
    #[arg(value_name = "SLOT")]
    pub slot: String,
    /// A file with the seed (.nk, .creds or bare), or - for standard input
    #[arg(value_name = "FILE")]
    pub file: String,
    #[command(flatten)]
    pub place: PlaceFlags,
    #[command(flatten)]
    pub access: AccessFlags,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Puts a seed into a card, which never gives it away. The file stays, and nobody can attest the
/// key: it was elsewhere before.
///
/// # Errors
/// Exit 2 for a curve key, 3 for a wrong PIN; if the slot holds another key.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let number = slot(&args.slot)?;
    let mut all = Vec::new();
    found::in_source(&args.file, &mut all);
    let [found] = &all[..] else {
        return Err(Error::usage(format!(
            "{} holds {} seeds, and a slot takes one",
            clean_inline(&args.file),
            all.len()
        )));
    };
    let seed = found.seed.as_ref().map_err(Error::failed)?;
    let place = args.place.place(number, kind(&[seed.kind()])?);
    let mut card = Plugged::open(&args.card, ctx)?;
    let secrets = args.access.secrets(&mut card, false)?;
    let order = Order::Import(place, secrets.access(), seed.as_bytes());
    let (slot, key) = card.key_of(&order, seed.kind())?;
    if key != seed.public_key() {
        return Err(Error::failed(format!(
            "the slot holds {key} now, and not {}: do not use this card",
            seed.public_key()
        )));
    }
    made(&key, slot, card.serial(), args.json, ctx)
}
