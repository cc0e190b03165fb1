//! `nkey token generate`.

use super::ask::PinFlag;
use super::line::{Line, One, PREFIX};
use crate::context::Context;
use crate::error::Error;
use crate::key_flags::Kinds;
use crate::output::clean_inline;
use nkey_agent::client::Enrol;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::{Answer, Command};
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    kinds: Kinds,
    /// The key's name
    #[arg(short, long, default_value = "")]
    name: String,
    /// Let the key leave once, sealed to the backup peer; this cannot be changed later
    #[arg(long)]
    exportable: bool,
    #[command(flatten)]
    pin: PinFlag,
    /// Print JSON
    #[arg(long, short = 'J')]
    json: bool,
}

/// Makes a key in the first free slot.
///
/// # Errors
/// Exit 2 without exactly one kind; what the token says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let [kind @ (Kind::Operator | Kind::Account | Kind::User)] = args.kinds.chosen()[..] else {
        return Err(Error::usage(
            "say what kind of key it shall be: -o (operator), -a (account) or -u (user)",
        ));
    };
    let mut line = args.one.open(ctx)?;
    line.unlock(ctx, &args.pin)?;
    let command = Command::Generate {
        kind: kind.prefix(),
        name: &args.name,
        exportable: args.exportable,
    };
    let (slot, key) = line.ask(command, |answer| made(answer, kind))?;
    line.lock()?;
    let held = line.is_held();
    if held {
        enrol(&mut line, slot, key, &args.name)?;
    }
    if args.json {
        return ctx.out.json(&json!({
            "serial": line.serial(),
            "slot": slot,
            "name": args.name,
            "public_key": key.to_string(),
            "kind": kind.name(),
        }));
    }
    ctx.out.line(key.to_string())?;
    let serial = clean_inline(line.serial());
    ctx.out.note(match held {
        true => format!("slot {slot} of {serial}, enrolled in the agent"),
        false => format!(
            "slot {slot} of {serial}\ntype: {}",
            enrolling(&serial, slot, kind)
        ),
    });
    Ok(())
}

/// The command that has the agent sign with a key.
fn enrolling(serial: &str, slot: u8, kind: Kind) -> String {
    format!("nkey store enrol {PREFIX}{serial} {slot} --{kind}")
}

/// Has the agent sign with a key that was made through it.
///
/// # Errors
/// What the agent says; the key is on the token all the same.
pub fn enrol(line: &mut Line, slot: u8, key: PublicKey, name: &str) -> Result<(), Error> {
    let serial = line.serial().to_owned();
    let Some(agent) = line.agent() else {
        return Ok(());
    };
    let wanted = Enrol {
        store: &format!("{PREFIX}{serial}"),
        slot: &slot.to_string(),
        kind: key.kind(),
        name,
        flags: 0,
        key: Some(key),
    };
    agent.enrol(&wanted).map(drop).map_err(|error| {
        let message = format!(
            "{key} is on {}, and was not enrolled: {error}",
            clean_inline(&serial)
        );
        Error::failed(message).next(enrolling(&serial, slot, key.kind()))
    })
}

/// The slot and the key that an answer names.
pub fn made(answer: Answer<'_>, wanted: Kind) -> Option<(u8, PublicKey)> {
    match answer {
        Answer::Key(key) => {
            let kind = Kind::from_prefix(key.kind).ok()?;
            (kind == wanted).then(|| (key.slot, PublicKey::from_bytes(kind, key.key)))
        }
        _ => None,
    }
}
