//! `nkey piv pin`.

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
    /// Set a new PIN with the PUK, as when the PIN is blocked
    #[arg(long)]
    pub unblock: bool,
    /// A file with the present PIN, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "unblock")]
    pub pin_file: Option<String>,
    /// A file with the PUK, or - for standard input
    #[arg(long, value_name = "FILE", requires = "unblock")]
    pub puk_file: Option<String>,
    /// A file with the new PIN, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub new_pin_file: Option<String>,
}

/// Changes the PIN.
///
/// # Errors
/// Exit 3 for a wrong PIN or PUK, which costs a try.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut card = Plugged::open(&args.card, ctx)?;
    let serial = card.serial().to_owned();
    let (what, file) = if args.unblock {
        ("PUK", args.puk_file.as_deref())
    } else {
        ("PIN", args.pin_file.as_deref())
    };
    let old = secret(file, &format!("{what} of the card {serial}"))?;
    let new = new_secret(
        args.new_pin_file.as_deref(),
        &format!("PIN for the card {serial} (6 to 8 characters)"),
    )?;
    card.order(&if args.unblock {
        Order::Unblock {
            puk: &old,
            new: &new,
        }
    } else {
        Order::Pin {
            old: &old,
            new: &new,
        }
    })?;
    ctx.out
        .note("the PIN is changed; an agent that had the old one asks for the new one");
    Ok(())
}
