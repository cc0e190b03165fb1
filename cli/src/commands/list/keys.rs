//! `nkey list keys`.

use crate::context::Context;
use crate::error::Error;
use crate::key_flags::marks;
use crate::output::Table;
use crate::store::Store;
use crate::store::inventory::{Inventory, KeyFilter, Known, Part, Use};
use nkey_agent::message::flag;
use serde::Serialize;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    filter: KeyFilter,
    /// Curve keys (X25519)
    #[arg(short = 'x', long)]
    curve: bool,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// A key as `--json` shows it.
#[derive(Serialize)]
struct Row {
    name: String,
    public_key: String,
    kind: &'static str,
    /// The agent's store; none if the agent does not hold the key.
    store: Option<String>,
    exportable: bool,
    volatile: bool,
    any_iat: bool,
    /// Files with the seed.
    files: Vec<String>,
    used_by: Vec<UsedBy>,
}

/// A token that a key serves.
#[derive(Serialize)]
struct UsedBy {
    operator: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    signing: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    curve: bool,
}

/// Lists keys, where each of them lives, and what it is for; works while the agent is locked.
///
/// # Errors
/// Exit 4 if there is no agent.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let held = ctx.agent()?.list()?;
    let store = Store::open(&ctx.global)?;
    let mut inventory = Inventory::take(&store, held)?;
    let keys = args.filter.choose(&mut inventory, args.curve)?;
    for problem in &inventory.problems {
        ctx.out.note(format!("warning: {problem}"));
    }
    if args.json {
        let rows: Vec<Row> = keys.iter().map(row).collect();
        return ctx.out.json(&rows);
    }
    if keys.is_empty() {
        ctx.out
            .note("there is no such key\ntype: nkey generate nkey --operator --store");
        return Ok(());
    }
    table(&keys).write(&mut ctx.out)
}

/// The keys as people read them.
pub fn table(keys: &[Known]) -> Table {
    let mut titles = vec!["KIND", "PUBLIC KEY", "NAME", "STORE", "MARKS"];
    if keys.iter().any(|known| !known.uses.is_empty()) {
        titles.push("USED BY");
    }
    let mut table = Table::new(&titles);
    for known in keys {
        let marks = known.agent.as_ref().map(|info| marks(info.flags));
        let uses: Vec<String> = known.uses.iter().map(Use::shown).collect();
        table.row(&[
            known.key.kind().name(),
            &known.key.to_string(),
            &known.name(),
            &known.place(),
            &marks.unwrap_or_default(),
            &uses.join(", "),
        ]);
    }
    table
}

fn row(known: &Known) -> Row {
    let flags = known.agent.as_ref().map_or(0, |info| info.flags);
    Row {
        name: known.name(),
        public_key: known.key.to_string(),
        kind: known.key.kind().name(),
        store: known.agent.as_ref().map(|info| info.store.clone()),
        exportable: flags & flag::EXPORTABLE != 0,
        volatile: flags & flag::VOLATILE != 0,
        any_iat: flags & flag::ANY_IAT != 0,
        files: known
            .files
            .iter()
            .map(|file| file.path.display().to_string())
            .collect(),
        used_by: known.uses.iter().map(used_by).collect(),
    }
}

fn used_by(used: &Use) -> UsedBy {
    UsedBy {
        operator: used.operator.clone(),
        account: used.account.clone(),
        user: used.user.clone(),
        signing: matches!(used.part, Part::SigningKey(_)),
        role: match &used.part {
            Part::SigningKey(role) => role.clone(),
            _ => None,
        },
        curve: used.part == Part::Curve,
    }
}
