//! `nkey token import`.

use super::ask::PinFlag;
use super::generate::{enrol, made};
use super::line::Of;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::source;
use nkey_core::creds;
use nkey_core::nkey::Kind;
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
    if line.about().capabilities & IMPORTABLE == 0 {
        return Err(Error::refused(format!(
            "the token {serial} was initialised without --importable, which only a factory reset changes"
        )));
    }
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
    let command = Command::Import {
        kind: kind.prefix(),
        seed: *seed.as_bytes(),
        name: &args.name,
    };
    let (slot, key) = line.ask(command, |answer| made(answer, kind))?;
    line.lock()?;
    if key != seed.public_key() {
        return Err(Error::failed(format!(
            "{serial} answered {key} instead of {}: do not use this token",
            seed.public_key()
        )));
    }
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
