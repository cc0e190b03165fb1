//! `nkey store list`.

use crate::context::Context;
use crate::error::Error;
use crate::output::{Table, clean_inline};
use nkey_agent::client::{SlotInfo, StoreInfo};
use nkey_core::nkey::{Kind, PublicKey};
use serde_json::{Value, json};

#[derive(clap::Args)]
pub struct Args {
    /// Show the slots of this store
    #[arg(value_name = "STORE")]
    pub store: Option<String>,
    /// Print JSON
    #[arg(long, short = 'J')]
    pub json: bool,
}

/// Lists the stores with their state, or the slots of one.
///
/// # Errors
/// Exit 4 if there is no agent; what the agent says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    match &args.store {
        Some(store) => slots(args, store, ctx),
        None => stores(args, ctx),
    }
}

fn stores(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let stores = ctx.agent()?.stores()?;
    if args.json {
        let rows: Vec<Value> = stores.iter().map(store_json).collect();
        return ctx.out.json(&rows);
    }
    let titles = [
        "STORE", "STATE", "KEYS", "LIMIT", "SERIAL", "POLICY", "SHARED", "PLACE",
    ];
    let mut table = Table::new(&titles);
    for store in &stores {
        let shared = if store.is_shared() { "shared" } else { "" };
        let (keys, limit) = (store.keys.to_string(), store.limit.to_string());
        table.row(&[
            &store.name,
            store.state(),
            &keys,
            &limit,
            &store.serial,
            &store.policy,
            shared,
            &store.place,
        ]);
    }
    table.write(&mut ctx.out)?;
    for store in stores.iter().filter(|store| !store.why.is_empty()) {
        ctx.out.note(format!(
            "{}: {}",
            clean_inline(&store.name),
            clean_inline(&store.why)
        ));
    }
    Ok(())
}

fn store_json(store: &StoreInfo) -> Value {
    json!({
        "name": store.name,
        "place": store.place,
        "state": store.state(),
        "why": store.why,
        "serial": store.serial,
        "limit": store.limit,
        "policy": store.policy,
        "shared": store.is_shared(),
        "keys": store.keys,
    })
}

fn slots(args: &Args, store: &str, ctx: &mut Context) -> Result<(), Error> {
    let slots = ctx.agent()?.slots(store)?;
    if args.json {
        let rows: Vec<Value> = slots.iter().map(slot_json).collect();
        return ctx.out.json(&rows);
    }
    if slots.is_empty() {
        ctx.out
            .note(format!("{} holds no key", clean_inline(store)));
        return Ok(());
    }
    let mut table = Table::new(&["SLOT", "LABEL", "ENROLLED", "REMARK"]);
    for slot in &slots {
        let enrolled = slot.enrolled.map(|key| key.to_string()).unwrap_or_default();
        table.row(&[&slot.id, &slot.label, &enrolled, &remark(slot)]);
    }
    table.write(&mut ctx.out)
}

fn remark(slot: &SlotInfo) -> String {
    match (&slot.enrolled, slot.key) {
        _ if !slot.trouble.is_empty() => format!("cannot be enrolled: {}", slot.trouble),
        (Some(pinned), Some(found)) if *pinned.as_bytes() != found => format!(
            "its key has changed: it holds {} now",
            PublicKey::from_bytes(pinned.kind(), found)
        ),
        (None, None) => "shows no public key: enrol it with --key".to_owned(),
        _ => String::new(),
    }
}

fn slot_json(slot: &SlotInfo) -> Value {
    // One key, under each kind that it can be enrolled as.
    let key = |kind| {
        slot.key
            .map(|key| PublicKey::from_bytes(kind, key).to_string())
    };
    json!({
        "slot": slot.id,
        "label": slot.label,
        "as_operator": key(Kind::Operator),
        "as_account": key(Kind::Account),
        "as_user": key(Kind::User),
        "trouble": slot.trouble,
        "enrolled": slot.enrolled.map(|key| key.to_string()),
    })
}
