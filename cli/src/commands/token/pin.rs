//! `nkey token pin`.

use super::ask::PinFlag;
use super::reach::One;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use nkey_core::token::Command;
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    pin: PinFlag,
    /// A file with the new PIN (one last newline is no part of it)
    #[arg(long, value_name = "FILE")]
    new_pin_file: Option<String>,
    /// Print JSON
    #[arg(long, short = 'J')]
    json: bool,
}

/// Changes the PIN. The keys stay as they are.
///
/// # Errors
/// Exit 3 if the old PIN is wrong.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    if args.pin.pin_file.as_deref() == Some("-") && args.new_pin_file.as_deref() == Some("-") {
        return Err(Error::usage(
            "standard input cannot be both the old PIN and the new one",
        ));
    }
    let mut line = args.one.open(ctx)?;
    let serial = clean_inline(line.serial());
    let old = line.pin(ctx, &args.pin)?;
    let new = PinFlag {
        pin_file: args.new_pin_file.clone(),
    };
    let new = new.read_new(&serial)?;
    line.unlock_with(ctx, old.as_bytes())?;
    line.done(Command::ChangePin {
        old: old.as_bytes(),
        new: new.as_bytes(),
    })?;
    line.lock()?;
    if args.json {
        return ctx
            .out
            .json(&json!({ "serial": line.serial(), "changed": true }));
    }
    ctx.out.note(format!("the PIN of {serial} is changed"));
    Ok(())
}
