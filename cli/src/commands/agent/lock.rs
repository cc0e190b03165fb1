//! `nkey agent lock`.

use crate::context::Context;
use crate::error::Error;
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Makes the agent forget every decrypted key.
///
/// # Errors
/// Exit 4 if there is no agent.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    ctx.agent()?.lock()?;
    if args.json {
        return ctx.out.json(&json!({ "locked": true }));
    }
    ctx.out.note("locked");
    Ok(())
}
