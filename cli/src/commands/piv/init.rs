//! `nkey piv init`.

use super::card::Plugged;
use crate::card::nonsense;
use crate::card::secret::{new_secret, secret};
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use nkey_agent::manage::{Management, Order};
use nkey_agent::wire::Reader;
use zeroize::Zeroizing;

#[derive(clap::Args)]
pub struct Args {
    /// The card's serial number, or its name in holders.toml
    #[arg(value_name = "CARD")]
    pub card: String,
    /// A file with the new PIN (the present one if it is not the default), or - for standard input
    #[arg(long, value_name = "FILE")]
    pub pin_file: Option<String>,
    /// A file with the new PUK, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub puk_file: Option<String>,
}

/// Changes what is still as the card came: PIN, PUK, and the management key, which is stored
/// under the PIN. Slots are not touched.
///
/// # Errors
/// Exit 3 for a wrong PIN; what the card says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut card = Plugged::open(&args.card, ctx)?;
    let state = card.state()?;
    let default_key = state.management == Management::Default;
    if !state.default_pin && !state.default_puk && !default_key {
        ctx.out
            .note("PIN, PUK and management key are not the default ones: nothing was changed");
        return Ok(());
    }
    let serial = card.serial().to_owned();
    let pin = if state.default_pin {
        new_secret(
            args.pin_file.as_deref(),
            &format!("PIN for the card {serial} (6 to 8 characters)"),
        )?
    } else if default_key {
        secret(
            args.pin_file.as_deref(),
            &format!("PIN of the card {serial}"),
        )?
    } else {
        Zeroizing::default()
    };
    let puk = if state.default_puk {
        new_secret(
            args.puk_file.as_deref(),
            &format!("PUK for the card {serial} (6 to 8 characters)"),
        )?
    } else {
        Zeroizing::default()
    };
    let body = card.order(&Order::Init {
        pin: &pin,
        puk: &puk,
    })?;
    let mut reader = Reader::new(&body);
    for _ in 0..reader.uint32().map_err(nonsense)?.min(3) {
        let what = reader.text().map_err(nonsense)?;
        ctx.out.line(format!("changed {}", clean_inline(what)))?;
    }
    Ok(())
}
