//! `nkey token info`.

use super::line::One;
use super::{device, words};
use crate::context::Context;
use crate::error::Error;
use crate::output::{Table, clean_inline};
use crate::text::yes;
use data_encoding::HEXLOWER;
use nkey_core::token::{IMPORTABLE, PEER, State, VIRTUAL};
use serde_json::{Value, json};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    one: One,
    /// Print JSON
    #[arg(long, short = 'J')]
    json: bool,
}

/// Shows a token and its keys. No PIN is needed.
///
/// # Errors
/// If the token is not there.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut line = args.one.open(ctx)?;
    let about = line.about().clone();
    let broken = about.state == State::Error;
    // A broken token says who it is and nothing else.
    let (tries, slots) = match broken {
        true => (None, Vec::new()),
        false => (Some(line.tries()?), line.slots()?),
    };
    let has = |bit| about.capabilities & bit != 0;
    if args.json {
        let keys: Vec<Value> = slots.iter().map(|slot| slot.json()).collect();
        return ctx.out.json(&json!({
            "serial": about.serial,
            "virtual": has(VIRTUAL),
            "chip": about.chip,
            "firmware": about.firmware,
            "firmware_hash": HEXLOWER.encode(&about.hash),
            "state": words::state(about.state),
            "fault": about.fault.map(words::fault),
            "tries": tries,
            "device_key": device::fingerprint(&about.device),
            "importable": has(IMPORTABLE),
            "backup_peer": has(PEER),
            "max_message": about.max_message,
            "slots": about.slots,
            "keys": keys,
        }));
    }
    let mut state = words::state(about.state).to_owned();
    if let Some(fault) = about.fault {
        state.push_str(&format!(": {}", words::fault(fault)));
    }
    if let Some(left) = tries
        && about.state != State::Empty
    {
        state.push_str(&format!(", {left} tries of the PIN left"));
    }
    let lines = [
        ("token", clean_inline(&about.serial)),
        ("state", state),
        ("chip", clean_inline(&about.chip)),
        ("firmware", clean_inline(&about.firmware)),
        ("firmware hash", HEXLOWER.encode(&about.hash)),
        ("device key", device::fingerprint(&about.device)),
        ("importable", yes(has(IMPORTABLE)).to_owned()),
        ("backup peer", yes(has(PEER)).to_owned()),
        ("keys", format!("{} of {}", slots.len(), about.slots)),
    ];
    for (what, value) in lines {
        ctx.out.line(format!("{what:13}  {value}"))?;
    }
    if !slots.is_empty() {
        ctx.out.line("")?;
        let mut table = Table::new(&["SLOT", "KIND", "PUBLIC KEY", "NAME", "MARKS", "POLICY"]);
        for slot in &slots {
            let number = slot.number.to_string();
            match &slot.key {
                Some(key) => table.row(&[
                    &number,
                    key.key.kind().name(),
                    &key.key.to_string(),
                    &key.name,
                    &key.marks(),
                    &words::policy(&key.policy()),
                ]),
                None => table.row(&[&number, "DAMAGED"]),
            }
        }
        table.write(&mut ctx.out)?;
    }
    if let Some(next) = words::advice(about.state) {
        ctx.out
            .note(format!("type: {next} {}", clean_inline(&about.serial)));
    }
    Ok(())
}
