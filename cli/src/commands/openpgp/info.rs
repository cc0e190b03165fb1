//! `nkey openpgp info`.

use crate::card::nonsense;
use crate::card::openpgp::{named, order};
use crate::context::Context;
use crate::error::Error;
use crate::output::{Table, clean_inline};
use jiff::Timestamp;
use nkey_agent::openpgp::{Held, Order, State};
use nkey_core::nkey::{Kind, PublicKey};
use serde_json::{Value, json};

#[derive(clap::Args)]
pub struct Args {
    /// The card, as holders.toml names it, or its serial number
    #[arg(value_name = "CARD")]
    pub card: String,
    /// Print JSON
    #[arg(long, short = 'J')]
    pub json: bool,
}

/// Shows a card, its PINs and its keys. No agent is needed.
///
/// # Errors
/// If there is no such card.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let card = named(&args.card, ctx)?;
    let state = State::read(&order(&card.serial, &Order::State)?).map_err(nonsense)?;
    let store = card.store.as_ref();
    // What overrides it is the agent's.
    let limit = store.map_or(0, |store| store.limit);
    let limit = if limit == 0 { state.facts.limit } else { limit };
    if args.json {
        let keys: Vec<Value> = state.keys.iter().map(key_json).collect();
        return ctx.out.json(&json!({
            "card": state.facts.label,
            "serial": state.facts.serial,
            "store": store.map(|store| &store.name),
            "limit": limit,
            "pin_tries": state.tries,
            "admin_pin_tries": state.admin_tries,
            "keys": keys,
        }));
    }
    let out = &mut ctx.out;
    out.line(format!("Card:      {}", clean_inline(&state.facts.label)))?;
    out.line(format!("Serial:    {}", clean_inline(&state.facts.serial)))?;
    if let Some(store) = store {
        out.line(format!("Store:     {}", clean_inline(&store.name)))?;
    }
    out.line(format!("Limit:     {limit} bytes"))?;
    out.line(format!("PIN:       {}", tries(state.tries)))?;
    out.line(format!("Admin PIN: {}", tries(state.admin_tries)))?;
    out.line("")?;
    if state.keys.is_empty() {
        out.note("it has no signature and no authentication key");
        return Ok(());
    }
    let mut table = Table::new(&["SLOT", "TOUCH", "MADE", "FINGERPRINT", "REMARK"]);
    for key in &state.keys {
        let remark = match &key.slot.trouble {
            Some(trouble) => format!("cannot be enrolled: {trouble}"),
            None => String::new(),
        };
        let made = made(key).unwrap_or_default();
        table.row(&[&key.slot.id, &key.touch, &made, &key.fingerprint, &remark]);
    }
    table.write(&mut ctx.out)
}

fn tries(left: u8) -> String {
    match left {
        0 => "blocked".to_owned(),
        1 => "one try is left".to_owned(),
        left => format!("{left} tries are left"),
    }
}

fn made(key: &Held) -> Option<String> {
    let time = Timestamp::from_second(key.created.into()).ok()?;
    (key.created > 0).then(|| time.to_string())
}

fn key_json(key: &Held) -> Value {
    // One key, under each kind that it can be enrolled as.
    let named = |kind| {
        let public = key.slot.key;
        public.map(|public| PublicKey::from_bytes(kind, public).to_string())
    };
    json!({
        "slot": key.slot.id,
        "touch": key.touch,
        "made": made(key),
        "fingerprint": key.fingerprint,
        "as_operator": named(Kind::Operator),
        "as_account": named(Kind::Account),
        "as_user": named(Kind::User),
        "trouble": key.slot.trouble,
    })
}
