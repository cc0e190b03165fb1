//! `nkey list keys`.

use crate::context::Context;
use crate::error::Error;
use crate::key_flags::{Kinds, marks};
use crate::output::Table;
use nkey_agent::client::KeyInfo;
use nkey_agent::message::flag;
use serde::Serialize;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub kinds: Kinds,
    /// Keys of every kind, as without any of these flags
    #[arg(short = 'A', long)]
    pub all: bool,
    /// Only keys whose public key or name contains this
    #[arg(short, long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    pub json: bool,
}

/// A key as `--json` shows it.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    public_key: String,
    kind: &'static str,
    store: &'a str,
    exportable: bool,
    volatile: bool,
    any_iat: bool,
}

/// Lists the keys of the agent; works while it is locked.
///
/// # Errors
/// Exit 4 if there is no agent.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let kinds = args.kinds.chosen();
    let wanted = |info: &KeyInfo| {
        (args.all || kinds.is_empty() || kinds.contains(&info.key.kind()))
            && args
                .filter
                .as_ref()
                .is_none_or(|text| info.name.contains(text) || info.key.to_string().contains(text))
    };
    let keys: Vec<KeyInfo> = ctx.agent()?.list()?.into_iter().filter(wanted).collect();
    if args.json {
        let rows: Vec<Row<'_>> = keys.iter().map(row).collect();
        return ctx.out.json(&rows);
    }
    let mut table = Table::new(&["KIND", "PUBLIC KEY", "NAME", "STORE", "MARKS"]);
    for info in &keys {
        let key = info.key.to_string();
        table.row(&[
            info.key.kind().name(),
            &key,
            &info.name,
            &info.store,
            &marks(info.flags),
        ]);
    }
    if keys.is_empty() {
        ctx.out
            .note("the agent holds no such key\ntype: nkey generate nkey --operator --store");
        return Ok(());
    }
    table.write(&mut ctx.out)
}

fn row(info: &KeyInfo) -> Row<'_> {
    Row {
        name: &info.name,
        public_key: info.key.to_string(),
        kind: info.key.kind().name(),
        store: &info.store,
        exportable: info.flags & flag::EXPORTABLE != 0,
        volatile: info.flags & flag::VOLATILE != 0,
        any_iat: info.flags & flag::ANY_IAT != 0,
    }
}
