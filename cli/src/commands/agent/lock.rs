//! `nkey agent lock`.

use crate::context::Context;
use crate::error::Error;

#[derive(clap::Args)]
pub struct Args {}

/// Makes the agent forget every decrypted key.
///
/// # Errors
/// Exit 4 if there is no agent.
pub fn run(_args: &Args, ctx: &mut Context) -> Result<(), Error> {
    ctx.agent()?.lock()?;
    ctx.out.note("locked");
    Ok(())
}
