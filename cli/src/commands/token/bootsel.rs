//! `nkey token bootsel`.

use super::ask::PinFlag;
use super::line::One;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    pin: PinFlag,
}

/// Restarts a token in its bootloader, where it is a drive that takes firmware. Its keys stay.
///
/// # Errors
/// What the token says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut line = args.one.open(ctx)?;
    line.unlock(ctx, &args.pin)?;
    line.leave()?;
    ctx.out.note(format!(
        "{} restarts in its bootloader; unplugging it brings it back\ntype: nkey token flash FILE.uf2",
        clean_inline(line.serial())
    ));
    Ok(())
}
