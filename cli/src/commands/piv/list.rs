//! `nkey piv list`.

use super::{FAMILY, card};
use crate::context::Context;
use crate::error::Error;
use crate::output::Table;
use serde_json::{Value, json};

#[derive(clap::Args)]
pub struct Args {
    /// List the cards that are plugged in here, with the serial numbers that holders.toml takes
    #[arg(long)]
    pub plugged: bool,
    /// Print JSON
    #[arg(long, short = 'J')]
    pub json: bool,
}

/// Lists the cards.
///
/// # Errors
/// Exit 4 if there is no agent.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    if args.plugged {
        return plugged(args.json, ctx);
    }
    FAMILY.list(args.json, ctx)
}

fn plugged(json: bool, ctx: &mut Context) -> Result<(), Error> {
    let cards = card::plugged()?;
    if json {
        let rows: Vec<Value> = cards
            .iter()
            .map(|card| {
                json!({"serial": card.serial, "firmware": card.label, "reader": card.reader})
            })
            .collect();
        return ctx.out.json(&rows);
    }
    if cards.is_empty() {
        ctx.out
            .note("no PIV card that tells its serial number is plugged in");
        return Ok(());
    }
    let mut table = Table::new(&["SERIAL", "FIRMWARE", "READER"]);
    for card in &cards {
        table.row(&[&card.serial, &card.label, &card.reader]);
    }
    table.write(&mut ctx.out)
}
