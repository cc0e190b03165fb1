//! `nkey openpgp list`.

use crate::card::cards;
use crate::card::openpgp::{LIST, is_of, stores};
use crate::context::Context;
use crate::error::Error;
use crate::output::Table;
use nkey_agent::device::Ask;
use serde_json::{Value, json};

#[derive(clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long, short = 'J')]
    pub json: bool,
}

/// Lists the cards that are there, with the serial numbers that holders.toml takes, and the
/// stores that it makes of them. No agent is needed.
///
/// # Errors
/// If `nkey-holder` cannot be started, or pcscd does not run.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let cards = cards(&Ask::OpenPgpCards, LIST)?;
    let stores = stores(ctx);
    let store_of = |serial: &str| {
        let store = stores.iter().find(|store| is_of(store, serial));
        store.map(|store| store.name.as_str())
    };
    if args.json {
        let rows: Vec<Value> = cards
            .iter()
            .map(|card| {
                json!({
                    "serial": card.serial,
                    "card": card.label,
                    "reader": card.reader,
                    "store": store_of(&card.serial),
                })
            })
            .collect();
        return ctx.out.json(&rows);
    }
    if cards.is_empty() {
        ctx.out.note("no OpenPGP card is there");
        return Ok(());
    }
    let mut table = Table::new(&["SERIAL", "CARD", "READER", "STORE"]);
    for card in &cards {
        let store = store_of(&card.serial).unwrap_or_default();
        table.row(&[&card.serial, &card.label, &card.reader, store]);
    }
    table.write(&mut ctx.out)
}
