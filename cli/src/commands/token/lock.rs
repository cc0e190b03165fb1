//! `nkey token lock`.

use super::unlock::store;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    /// The token's serial number; not needed if only one is plugged in
    #[arg(value_name = "SERIAL")]
    serial: Option<String>,
    /// Print JSON
    #[arg(long, short = 'J')]
    json: bool,
}

/// Ends the session that the agent has with a token; what waits for its button is taken back.
///
/// # Errors
/// Exit 4 if there is no agent.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let store = store(ctx, args.serial.as_deref())?;
    ctx.agent()?.lock_store(&store)?;
    if args.json {
        return ctx.out.json(&json!({ "store": store, "locked": true }));
    }
    ctx.out.note(format!("locked {}", clean_inline(&store)));
    Ok(())
}
