//! `nkey openpgp pin`.

use crate::card::openpgp::{named, order};
use crate::card::secret::{new_secret, secret};
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use nkey_agent::openpgp::Order;

#[derive(clap::Args)]
pub struct Args {
    /// The card, as holders.toml names it, or its serial number
    #[arg(value_name = "CARD")]
    pub card: String,
    /// Change the admin PIN
    #[arg(long, conflicts_with = "unblock")]
    pub admin: bool,
    /// Set a new PIN with the admin PIN: the old one is blocked or forgotten
    #[arg(long)]
    pub unblock: bool,
    /// A file with the present PIN or, with --admin or --unblock, the admin PIN; - for standard input
    #[arg(long, value_name = "FILE")]
    pub pin_file: Option<String>,
    /// A file with the new PIN, or - for standard input
    #[arg(long, value_name = "FILE")]
    pub new_pin_file: Option<String>,
}

/// Changes a PIN of a card.
///
/// # Errors
/// Exit 3 if the present PIN is wrong, which costs a try.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let from_input = |file: &Option<String>| file.as_deref() == Some("-");
    if from_input(&args.pin_file) && from_input(&args.new_pin_file) {
        return Err(Error::usage(
            "standard input gives one PIN: name a file for the other",
        ));
    }
    let card = named(&args.card, ctx)?;
    let (known, changed) = match (args.admin, args.unblock) {
        (true, _) => ("admin PIN", "admin PIN"),
        (_, true) => ("admin PIN", "PIN"),
        _ => ("PIN", "PIN"),
    };
    let old = secret(
        args.pin_file.as_deref(),
        &format!("{known} of the card {}", card.serial),
    )?;
    let new = new_secret(
        args.new_pin_file.as_deref(),
        &format!("{changed} for the card {}", card.serial),
    )?;
    let wish = match (args.admin, args.unblock) {
        (true, _) => Order::AdminPin {
            old: &old,
            new: &new,
        },
        (_, true) => Order::Unblock {
            admin: &old,
            new: &new,
        },
        _ => Order::Pin {
            old: &old,
            new: &new,
        },
    };
    order(&card.serial, &wish)?;
    ctx.out.note(format!("the {changed} was changed"));
    if let Some(store) = card.store
        && !args.admin
        && store.state() == "ready"
    {
        ctx.out.note(format!(
            "the agent still has the old PIN of {}: type `nkey agent lock` and `nkey agent unlock`, or its next signature costs a try",
            clean_inline(&store.name)
        ));
    }
    Ok(())
}
