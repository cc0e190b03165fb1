//! `nkey token counters`.

use super::line::One;
use crate::context::Context;
use crate::error::Error;
use crate::text::time;
use nkey_core::token::{Answer, Command};
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    one: One,
    /// Print JSON
    #[arg(long, short = 'J')]
    json: bool,
}

/// Shows what a token has counted. None of it ever goes back, but by a factory reset.
///
/// # Errors
/// What the token says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut line = args.one.open(ctx)?;
    let counters = line.ask(Command::Counters, |answer| match answer {
        Answer::Counters(counters) => Some(counters),
        _ => None,
    })?;
    let tries = line.tries()?;
    if args.json {
        return ctx.out.json(&json!({
            "serial": line.serial(),
            "signatures": counters.signatures,
            "latest": counters.latest,
            "witnessed": counters.witnessed,
            "tries": tries,
        }));
    }
    let shown = |seconds: u64| match i64::try_from(seconds) {
        Ok(0) => "never".to_owned(),
        Ok(seconds) => time(seconds),
        Err(_) => seconds.to_string(),
    };
    let lines = [
        ("signatures", counters.signatures.to_string()),
        ("latest time", shown(counters.latest)),
        ("last press", shown(counters.witnessed)),
        ("tries of the PIN", tries.to_string()),
    ];
    for (what, value) in lines {
        ctx.out.line(format!("{what:16}  {value}"))?;
    }
    Ok(())
}
