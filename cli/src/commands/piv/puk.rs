//! `nkey piv puk`.

use super::card::Plugged;
use crate::card::secret::{new_secret, secret};
use crate::context::Context;
use crate::error::Error;
use nkey_agent::manage::Order;

#[derive(clap::Args)]
pub struct Args {
    /// The card's serial number, or its name in holders.toml
    #[arg(value_name = "CARD")]
    pub card: String,
    /// A file with the present PUK, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub puk_file: Option<String>,
    /// A file with the new PUK, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub new_puk_file: Option<String>,
}

/// Changes the PUK, which sets a new PIN when the PIN is blocked.
///
/// # Errors
/// Exit 3 for a wrong PUK, which costs a try.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut card = Plugged::open(&args.card, ctx)?;
    let serial = card.serial().to_owned();
    let old = secret(
        args.puk_file.as_deref(),
        &format!("PUK of the card {serial}"),
    )?;
    let new = new_secret(
        args.new_puk_file.as_deref(),
        &format!("PUK for the card {serial} (6 to 8 characters)"),
    )?;
    card.order(&Order::Puk {
        old: &old,
        new: &new,
    })?;
    ctx.out.note("the PUK is changed");
    Ok(())
}
