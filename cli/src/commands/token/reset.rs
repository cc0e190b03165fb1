//! `nkey token reset`.

use super::ask::{YesFlag, confirm};
use super::device;
use super::line::One;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use nkey_core::token::{Command, State};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    yes: YesFlag,
}

/// Wipes everything: keys, PIN, device key. No PIN is needed, also when it is blocked or broken.
///
/// # Errors
/// If the button is not held.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut line = args.one.open(ctx)?;
    let serial = clean_inline(line.serial());
    let what = match line.about().state {
        State::Error => "this wipes whatever it holds for good".to_owned(),
        _ => match line.numbers()?.len() {
            0 => "this wipes it; it has no key".to_owned(),
            1 => "this wipes it and its only key for good".to_owned(),
            keys => format!("this wipes it and its {keys} keys for good"),
        },
    };
    confirm(&serial, &what, args.yes)?;
    line.done(Command::Reset)?;
    line.refresh()?;
    ctx.out.line(format!("wiped {serial}"))?;
    ctx.out.line(format!(
        "  device key  {} (a new one)",
        device::fingerprint(&line.about().device)
    ))?;
    ctx.out.note(format!("type: nkey token init {serial}"));
    Ok(())
}
