//! `nkey token name`.

use super::ask::PinFlag;
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
    /// Its new name
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    pin: PinFlag,
}

/// Names a key.
///
/// # Errors
/// If there is no such key; what the token says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut line = args.of.open(ctx)?;
    let (slot, key) = line.find_key(Some(&args.key))?;
    line.unlock(ctx, &args.pin)?;
    line.done(Command::Name {
        slot,
        name: &args.name,
    })?;
    line.lock()?;
    ctx.out
        .note(format!("{} is named {}", key.key, clean_inline(&args.name)));
    Ok(())
}
