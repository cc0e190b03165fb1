//! `nkey agent status`.

use crate::context::Context;
use crate::error::Error;
use crate::output::{Table, clean_inline};
use serde_json::{Value, json};

#[derive(clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long, short = 'J')]
    pub json: bool,
}

/// Says whether the agent runs, and of each store whether it is unlocked.
///
/// # Errors
/// Exit 4 if there is no agent.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let client = ctx.agent()?;
    let status = client.status()?;
    let socket = client.path().display().to_string();
    if args.json {
        let stores: Vec<Value> = status
            .stores
            .iter()
            .map(|store| {
                json!({"name": store.name, "place": store.place, "locked": store.locked, "keys": store.keys})
            })
            .collect();
        return ctx.out.json(&json!({
            "version": status.version,
            "pid": status.pid,
            "socket": socket,
            "locked": status.is_locked(),
            "stores": stores,
            "warnings": status.warnings,
        }));
    }
    let version = clean_inline(&status.version);
    ctx.out.line(format!(
        "agent {version}, pid {}, at {}",
        status.pid,
        clean_inline(&socket)
    ))?;
    let mut table = Table::new(&["STORE", "STATE", "KEYS", "PLACE"]);
    for store in &status.stores {
        let state = if store.locked { "locked" } else { "unlocked" };
        table.row(&[&store.name, state, &store.keys.to_string(), &store.place]);
    }
    table.write(&mut ctx.out)?;
    for warning in &status.warnings {
        ctx.out.note(format!("warning: {warning}"));
    }
    if status.is_locked() {
        ctx.out.note("type: nkey agent unlock");
    }
    Ok(())
}
