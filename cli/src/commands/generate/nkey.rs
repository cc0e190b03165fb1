//! `nkey generate nkey`.

use crate::card::Maker;
use crate::context::Context;
use crate::error::Error;
use crate::key_flags::{KeyFlags, Kinds};
use crate::output::clean_inline;
use nkey_core::nkey::{Kind, Seed};
use serde_json::{Value, json};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub kinds: Kinds,
    /// Keep the key in the agent, which never shows it; in STORE, if one is named
    #[arg(short = 'S', long, value_name = "STORE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub store: Option<String>,
    /// The key's name in the agent
    #[arg(long, requires = "store")]
    pub name: Option<String>,
    #[command(flatten)]
    pub flags: KeyFlags,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Makes keys: in the agent with --store, else on standard output, seed first, as nsc does.
///
/// # Errors
/// Exit 2 without a kind; what the agent says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut kinds = args.kinds.chosen();
    if kinds.is_empty()
        && let Some(answer) = ctx.ask("Kind of key (operator, account, user, curve):")?
    {
        kinds =
            vec![Kind::from_name(&answer).ok_or_else(|| {
                Error::usage(format!("{} is no kind of key", clean_inline(&answer)))
            })?];
    }
    if kinds.is_empty() {
        return Err(Error::usage(
            "say which kind of key: -o (operator), -a (account), -u (user) or -x (curve)",
        )
        .next("nkey generate nkey --user --store"));
    }
    if kinds.len() > 1 && args.name.is_some() {
        return Err(Error::usage(
            "--name names one key, and several are asked for",
        ));
    }
    match &args.store {
        Some(store) => in_agent(args, &kinds, store, ctx),
        None if args.flags.any() => Err(Error::usage(
            "--exportable and --any-iat are marks of a key in the agent: add --store",
        )),
        None => shown(args, &kinds, ctx),
    }
}

fn in_agent(args: &Args, kinds: &[Kind], store: &str, ctx: &mut Context) -> Result<(), Error> {
    let name = args.name.as_deref().unwrap_or_default();
    let mut maker = Maker::default();
    let mut keys = Vec::new();
    for &kind in kinds {
        let flags = args.flags.bits(kind);
        keys.push(if store.is_empty() {
            ctx.agent()?.generate(kind, name, flags)?
        } else {
            maker.generate(ctx, store, kind, name, flags)?
        });
    }
    if args.json {
        let rows: Vec<Value> = keys
            .iter()
            .map(|key| json!({"name": name, "public_key": key.to_string(), "kind": key.kind().name()}))
            .collect();
        return ctx.out.json(&rows);
    }
    keys.iter()
        .try_for_each(|key| ctx.out.line(key.to_string()))
}

fn shown(args: &Args, kinds: &[Kind], ctx: &mut Context) -> Result<(), Error> {
    let seeds = kinds
        .iter()
        .map(|&kind| Seed::generate(kind, getrandom::fill))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Error::failed)?;
    if args.json {
        let rows: Vec<Value> = seeds
            .iter()
            .map(|seed| {
                let public_key = seed.public_key().to_string();
                json!({"public_key": public_key, "kind": seed.kind().name(), "seed": seed.encode().reveal()})
            })
            .collect();
        ctx.out.json(&rows)?;
    } else {
        for (index, seed) in seeds.iter().enumerate() {
            if index > 0 {
                ctx.out.line("")?;
            }
            ctx.out.line(seed.encode().reveal())?;
            ctx.out.line(seed.public_key().to_string())?;
        }
    }
    ctx.out.flush()?;
    ctx.out.note(
        "warning: the agent does not hold this key, and whoever sees the seed has it; \
         with --store the key is made in the agent and its seed is not shown",
    );
    Ok(())
}
