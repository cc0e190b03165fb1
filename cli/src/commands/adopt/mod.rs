//! `nkey adopt`.

mod card;
mod prove;
mod remove;
mod token;

use self::card::Card;
use crate::commands::list::keys::table;
use crate::commands::piv::flags::AccessFlags;
use crate::commands::token::reach::PREFIX;
use crate::context::Context;
use crate::error::Error;
use crate::key_flags::KeyFlags;
use crate::output::clean_inline;
use crate::store::Store;
use crate::store::inventory::{Inventory, KeyFilter, Known};
use nkey_agent::message::flag;
use nkey_core::nkey::{Kind, Seed};
use serde::Serialize;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    filter: KeyFilter,
    /// Curve keys (X25519)
    #[arg(short = 'x', long)]
    curve: bool,
    /// Delete the files, once the agent has proved that it holds every one of the keys
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    flags: KeyFlags,
    /// Bring them into this token (initialised with --importable), PIV card or OpenPGP card instead of the vault
    #[arg(long, value_name = "STORE", conflicts_with_all = ["exportable", "any_iat", "curve"])]
    store: Option<String>,
    #[command(flatten)]
    access: AccessFlags,
    /// A file with the admin PIN of an OpenPGP card, or - for standard input; else it is asked for
    #[arg(long, value_name = "FILE", requires = "store")]
    admin_pin_file: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// What became of one key.
#[derive(Serialize)]
struct Row {
    public_key: String,
    name: String,
    used_by: Vec<String>,
    files: Vec<String>,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Brings the seeds of nsc's keystore into the agent. Without a choice it lists them. It can be
/// run again after it was interrupted at any point.
///
/// # Errors
/// If one was not imported or proved; then no file is deleted.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    if let Some(store) = &args.store
        && !store.starts_with(PREFIX)
        && !card::is_one(store)
    {
        return Err(Error::usage(format!(
            "--store {}: only tokens, PIV cards and OpenPGP cards take seeds in, such as token:SERIAL, piv:NAME or openpgp:NAME",
            clean_inline(store)
        )));
    }
    let held = ctx.agent()?.list()?;
    let store = Store::open(&ctx.global)?;
    let mut inventory = Inventory::take(&store, held)?;
    let mut keys = args.filter.choose(&mut inventory, args.curve)?;
    keys.retain(|known| !known.files.is_empty());
    for problem in &inventory.problems {
        ctx.out.note(format!("warning: {problem}"));
    }
    let keystore = store.keystore();
    let shown = clean_inline(&keystore.dir().display().to_string());
    if keys.is_empty() {
        ctx.out.note(format!("{shown} holds no such seeds"));
        return match args.json {
            true => ctx.out.json(&[(); 0]),
            false => Ok(()),
        };
    }
    if !args.filter.is_given() && !args.curve {
        if args.remove {
            return Err(
                Error::usage("--remove needs to know which keys: -A for all")
                    .next("nkey adopt -A --remove"),
            );
        }
        return list(args, ctx, &keys, &shown);
    }
    let mut card = match &args.store {
        Some(store) if card::is_one(store) => {
            let admin = args.admin_pin_file.as_deref();
            Some(Card::open(store, &args.access, admin, ctx)?)
        }
        _ => None,
    };
    let mut rows = Vec::new();
    for known in &keys {
        let result = adopt(args, ctx, known, card.as_mut());
        if !args.json {
            let key = &known.key;
            let name = clean_inline(&known.name());
            match &result {
                Ok(done) => ctx.out.line(format!("{key}  {done}  {name}"))?,
                Err(error) => ctx.out.line(format!("{key}  NOT ADOPTED: {error}"))?,
            }
        }
        rows.push(row(known, result.as_ref().copied(), result.as_ref().err()));
    }
    if args.json {
        ctx.out.json(&rows)?;
    }
    let failed = rows.iter().filter(|row| row.error.is_some()).count();
    if failed > 0 {
        let kept = if args.remove {
            "; no file was deleted"
        } else {
            ""
        };
        return Err(Error::failed(format!(
            "{failed} of {} keys were not adopted{kept}",
            rows.len()
        )));
    }
    if args.remove {
        return remove::run(ctx, &store, &keys);
    }
    ctx.out.note(format!(
        "{} keys are in the agent, and their seeds still in files of {shown}\ntype: nkey adopt -A --remove",
        rows.len()
    ));
    Ok(())
}

fn list(args: &Args, ctx: &mut Context, keys: &[Known], keystore: &str) -> Result<(), Error> {
    if args.json {
        let rows: Vec<Row> = keys
            .iter()
            .map(|known| row(known, Ok("found"), None))
            .collect();
        return ctx.out.json(&rows);
    }
    table(keys).write(&mut ctx.out)?;
    let files: usize = keys.iter().map(|known| known.files.len()).sum();
    ctx.out.note(format!(
        "{files} files of {keystore} hold the seeds of {} keys; this brings all of them into the agent:\ntype: nkey adopt -A",
        keys.len()
    ));
    Ok(())
}

fn row(known: &Known, result: Result<&'static str, &Error>, error: Option<&Error>) -> Row {
    Row {
        public_key: known.key.to_string(),
        name: known.name(),
        used_by: known.uses.iter().map(|used| used.shown()).collect(),
        files: known
            .files
            .iter()
            .map(|file| file.path.display().to_string())
            .collect(),
        result: result.unwrap_or("failed"),
        error: error.map(ToString::to_string),
    }
}

/// Puts a key into the agent, if it is not there, and has the agent prove that it holds it.
fn adopt(
    args: &Args,
    ctx: &mut Context,
    known: &Known,
    card: Option<&mut Card>,
) -> Result<&'static str, Error> {
    let kind = known.key.kind();
    if !matches!(
        kind,
        Kind::Operator | Kind::Account | Kind::User | Kind::Curve
    ) {
        return Err(Error::failed(format!("the agent holds no {kind} keys")));
    }
    let seed: &Seed = known
        .files
        .iter()
        .find_map(|file| file.found.seed.as_ref().ok())
        .ok_or_else(|| Error::failed("no file holds its seed"))?;
    if let Some(card) = card {
        return card.adopt(known, seed, ctx);
    }
    if let Some(store) = &args.store {
        return token::adopt(ctx, store, known, seed);
    }
    if kind == Kind::Curve {
        prove::curve(seed)?;
    }
    let held = known
        .agent
        .as_ref()
        .is_some_and(|info| info.flags & flag::VOLATILE == 0);
    if !held {
        let bits = args.flags.bits(kind);
        let added = ctx.agent()?.add(seed, &known.name(), bits)?;
        if added != known.key {
            return Err(Error::failed(format!(
                "the agent answered {added} instead of {}: do not use this agent",
                known.key
            )));
        }
    }
    prove::held(ctx, &known.key)?;
    Ok(if held {
        "already there, proved"
    } else {
        "imported, proved"
    })
}
