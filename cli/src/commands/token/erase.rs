//! `nkey token erase`.

use super::ask::{PinFlag, YesFlag, confirm};
use super::line::Of;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use nkey_core::token::Command;

#[derive(clap::Args)]
pub struct Args {
    /// The key: its slot, public key or name
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    pin: PinFlag,
    #[command(flatten)]
    yes: YesFlag,
}

/// Wipes one key for good, also one whose record is damaged.
///
/// # Errors
/// If there is no such key; what the token says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut line = args.of.open(ctx)?;
    line.require_usable()?;
    let slot = line.find_slot(Some(&args.key))?;
    let what = match &slot.key {
        Some(key) if key.name.is_empty() => format!("{} in slot {}", key.key, slot.number),
        Some(key) => format!(
            "{} ({}) in slot {}",
            key.key,
            clean_inline(&key.name),
            slot.number
        ),
        None => format!("the damaged record in slot {}", slot.number),
    };
    confirm(
        line.serial(),
        &format!("this wipes {what} for good"),
        args.yes,
    )?;
    line.unlock(ctx, &args.pin)?;
    line.done(Command::Erase { slot: slot.number })?;
    line.lock()?;
    ctx.out.note(format!("wiped {what}"));
    Ok(())
}
