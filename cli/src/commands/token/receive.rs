//! `nkey token receive`.

use super::ask::PinFlag;
use super::generate::enrol;
use super::line::Of;
use super::{device, sealed};
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::source;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::{Answer, Command, PEER};
use serde_json::json;

/// The longest exported key, as text.
const MAX_FILE: usize = 16 * 1024;

#[derive(clap::Args)]
pub struct Args {
    /// What `nkey token export` wrote, or - for standard input
    #[arg(value_name = "FILE")]
    file: String,
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    pin: PinFlag,
    /// Print JSON
    #[arg(long, short = 'J')]
    json: bool,
}

/// Takes a key that the backup peer sealed to this token.
///
/// # Errors
/// If it is sealed to another token; what the token says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let text = source::read(&args.file, MAX_FILE)?;
    let bytes = sealed::read(&text)
        .map_err(|error| Error::failed(format!("{}: {error}", clean_inline(&args.file))))?;
    let receiver = sealed::receiver(&bytes)?;
    let mut line = args.of.open(ctx)?;
    line.require_usable()?;
    let serial = clean_inline(line.serial());
    if receiver != line.about().device {
        return Err(Error::failed(format!(
            "{} is sealed to the device {}, not to {serial}",
            clean_inline(&args.file),
            device::fingerprint(&receiver)
        )));
    }
    if line.about().capabilities & PEER == 0 {
        return Err(Error::refused(format!(
            "the token {serial} was initialised without --backup-peer, which only a factory reset changes"
        )));
    }
    line.unlock(ctx, &args.pin)?;
    let (slot, key) = line.ask(Command::Receive { sealed: &bytes }, |answer| match answer {
        Answer::Key(key) => {
            let kind = Kind::from_prefix(key.kind).ok()?;
            Some((key.slot, PublicKey::from_bytes(kind, key.key)))
        }
        _ => None,
    })?;
    line.lock()?;
    let (_, received) = line.find_key(Some(&slot.to_string()))?;
    let elsewhere = match line.agent() {
        Some(agent) => agent.list()?.into_iter().find(|info| info.key == key),
        None => None,
    };
    match &elsewhere {
        Some(info) => ctx.out.note(format!(
            "the agent signs with {key} in {}, and goes on to",
            clean_inline(&info.store)
        )),
        None => enrol(&mut line, slot, key, &received.name)?,
    }
    if args.json {
        return ctx.out.json(&json!({
            "serial": line.serial(),
            "slot": slot,
            "public_key": key.to_string(),
            "kind": key.kind().name(),
        }));
    }
    ctx.out.line(key.to_string())?;
    ctx.out.note(format!("slot {slot} of {serial}"));
    Ok(())
}
