//! `nkey token import`.

use super::ask::PinFlag;
use super::generate::{enrol, made};
use super::line::{Line, Of};
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::source;
use nkey_core::creds;
use nkey_core::nkey::{Kind, Seed};
use nkey_core::token::{Command, IMPORTABLE};
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    /// A file with a seed (.nk, .creds or bare), or - for standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// The key's name
    #[arg(short, long, default_value = "")]
    name: String,
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    pin: PinFlag,
    /// Print JSON
    #[arg(long, short = 'J')]
    json: bool,
}

/// Brings a seed into a token. The token lists the key as imported for ever.
///
/// # Errors
/// If the token was not initialised as importable; what it says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    if args.file == "-" && args.pin.pin_file.as_deref() == Some("-") {
        return Err(Error::usage(
            "standard input cannot be both the seed and the PIN",
        ));
    }
    let mut line = args.of.open(ctx)?;
    line.require_usable()?;
    let serial = clean_inline(line.serial());
    require_importable(&line)?;
    let text = source::read(&args.file, source::MAX_TEXT)?;
    let seed = creds::parse_seed(&text)
        .map_err(|error| Error::failed(format!("{}: {error}", clean_inline(&args.file))))?;
    drop(text);
    let kind = seed.kind();
    if !matches!(kind, Kind::Operator | Kind::Account | Kind::User) {
        return Err(Error::failed(format!(
            "{} holds a {kind} key; a token holds keys of operators, accounts and users",
            clean_inline(&args.file)
        )));
    }
    line.unlock(ctx, &args.pin)?;
    let key = seed.public_key();
    let slot = import(&mut line, &seed, &args.name)?;
    line.lock()?;
    enrol(&mut line, slot, key, &args.name)?;
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
    if args.file != "-" {
        ctx.out.note(format!(
            "slot {slot} of {serial}; {} still holds the seed",
            clean_inline(&args.file)
        ));
    }
    Ok(())
}

fn require_importable(line: &Line) -> Result<(), Error> {
    if line.about().capabilities & IMPORTABLE != 0 {
        return Ok(());
    }
    Err(Error::refused(format!(
        "the token {} was initialised without --importable, which only a factory reset changes",
        clean_inline(line.serial())
    )))
}

/// Brings a seed into an open session; its slot.
///
/// # Errors
/// If the token was not initialised as importable, or answers another key; what it says.
pub fn import(line: &mut Line, seed: &Seed, name: &str) -> Result<u8, Error> {
    require_importable(line)?;
    let kind = seed.kind();
    let command = Command::Import {
        kind: kind.prefix(),
        seed: *seed.as_bytes(),
        name,
    };
    let (slot, key) = line.ask(command, |answer| made(answer, kind))?;
    if key != seed.public_key() {
        return Err(Error::failed(format!(
            "{} answered {key} instead of {}: do not use this token",
            clean_inline(line.serial()),
            seed.public_key()
        )));
    }
    Ok(slot)
}
