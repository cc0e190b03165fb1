//! `nkey token generate`.

use super::ask::PinFlag;
use super::line::One;
use crate::context::Context;
use crate::error::Error;
use crate::key_flags::Kinds;
use crate::output::clean_inline;
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
    ctx.out.note(format!(
        "slot {slot} of {}; the agent signs with it after: nkey store enrol",
        clean_inline(line.serial())
    ));
    Ok(())
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
