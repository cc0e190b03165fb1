//! `nkey store enrol`.

use crate::context::Context;
use crate::error::Error;
use crate::key_flags::Kinds;
use crate::output::clean_inline;
use nkey_agent::client::Enrol;
use nkey_agent::message::flag;
use nkey_core::nkey::{Kind, PublicKey};
use serde_json::json;
use std::str::FromStr;

#[derive(clap::Args)]
pub struct Args {
    /// The store, as `nkey store list` names it
    #[arg(value_name = "STORE")]
    pub store: String,
    /// The slot's id or label; not needed where the store has one key only
    #[arg(value_name = "SLOT")]
    pub slot: Option<String>,
    #[command(flatten)]
    pub kinds: Kinds,
    /// The key's name in the agent
    #[arg(short, long, default_value = "")]
    pub name: String,
    /// The public key, for a slot that does not show it
    #[arg(long, value_name = "PUBLIC KEY")]
    pub key: Option<String>,
    /// Sign claims whatever their time of issue; otherwise it must be within 5 minutes of the clock
    #[arg(long)]
    pub any_iat: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Enrols a key: its holder proves that it has it, and the agent pins it.
///
/// # Errors
/// Exit 2 without a kind, or a slot where there are several; what the agent says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let kind = kind(args)?;
    let key = match &args.key {
        Some(text) => Some(
            PublicKey::from_str(text)
                .and_then(|key| key.expect_kind(kind))
                .map_err(|error| Error::usage(format!("--key: {error}")))?,
        ),
        None => None,
    };
    let slot = match &args.slot {
        Some(slot) => slot.clone(),
        None => only_slot(args, ctx)?,
    };
    let key = ctx.agent()?.enrol(&Enrol {
        store: &args.store,
        slot: &slot,
        kind,
        name: &args.name,
        flags: if args.any_iat { flag::ANY_IAT } else { 0 },
        key,
    })?;
    if args.json {
        return ctx.out.json(&json!({
            "name": args.name,
            "public_key": key.to_string(),
            "kind": kind.name(),
            "store": args.store,
            "slot": slot,
        }));
    }
    ctx.out.line(key.to_string())
}

fn kind(args: &Args) -> Result<Kind, Error> {
    match args.kinds.chosen()[..] {
        [kind @ (Kind::Operator | Kind::Account | Kind::User)] => Ok(kind),
        _ => Err(Error::usage(
            "say what kind of key it shall be: -o (operator), -a (account) or -u (user)",
        )),
    }
}

fn only_slot(args: &Args, ctx: &mut Context) -> Result<String, Error> {
    let mut slots = ctx.agent()?.slots(&args.store)?;
    slots.retain(|slot| slot.trouble.is_empty() && slot.enrolled.is_none());
    let store = clean_inline(&args.store);
    match slots.pop() {
        Some(slot) if slots.is_empty() => Ok(slot.id),
        Some(_) => Err(Error::usage(format!(
            "{store} has {} keys that can be enrolled: name a slot",
            slots.len() + 1
        ))
        .next(format!("nkey store list {store}"))),
        None => Err(
            Error::failed(format!("{store} has no key that can be enrolled"))
                .next(format!("nkey store list {store}")),
        ),
    }
}
