//! `nkey import keys`.

use crate::context::Context;
use crate::error::Error;
use crate::found::{self, Found};
use crate::key_flags::{KeyFlags, marks};
use crate::output::clean_inline;
use nkey_agent::client::KeyInfo;
use nkey_agent::message::flag;
use serde::Serialize;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// Files with seeds (.nk, .creds or bare), or - for standard input
    #[arg(value_name = "FILE", required_unless_present = "dir")]
    pub files: Vec<String>,
    /// Import from the files of this directory
    #[arg(short, long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// And from those of its subdirectories
    #[arg(short = 'R', long, requires = "dir")]
    pub recurse: bool,
    /// The key's name in the agent
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    pub flags: KeyFlags,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What became of one seed.
#[derive(Serialize)]
struct Row {
    source: String,
    public_key: Option<String>,
    result: &'static str,
    reason: Option<String>,
}

/// Puts seeds into the agent. One that is there already is fine; a bad file does not stop the others.
///
/// # Errors
/// Exit 1 if one was not imported; if the agent refuses them, its exit code.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut all = Vec::new();
    for file in &args.files {
        found::in_source(file, &mut all);
    }
    if let Some(dir) = &args.dir {
        found::in_directory(dir, args.recurse, &mut all);
    }
    let seeds = all.iter().filter(|found| found.seed.is_ok()).count();
    if args.name.is_some() && seeds > 1 {
        return Err(Error::usage(format!(
            "--name names one key, and {seeds} were found"
        )));
    }
    let mut held = if seeds > 0 {
        ctx.agent()?.list()?
    } else {
        Vec::new()
    };
    let mut rows = Vec::new();
    let mut first_failure = None;
    for found in &all {
        rows.push(match import(args, found, &mut held, ctx) {
            Ok((key, result)) => Row {
                source: found.source.clone(),
                public_key: Some(key),
                result,
                reason: None,
            },
            Err(error) => {
                let reason = Some(error.to_string());
                first_failure.get_or_insert(error);
                Row {
                    source: found.source.clone(),
                    public_key: found
                        .seed
                        .as_ref()
                        .ok()
                        .map(|seed| seed.public_key().to_string()),
                    result: "failed",
                    reason,
                }
            }
        });
    }
    report(args, &rows, ctx)?;
    let failed = rows.iter().filter(|row| row.result == "failed").count();
    match first_failure {
        None if rows.is_empty() => Err(Error::failed("no seeds were found")),
        None => Ok(()),
        // One source: its reason is the whole story, and its exit code ours.
        Some(error) if rows.len() == 1 => Err(error),
        Some(_) => Err(Error::failed(format!(
            "{failed} of {} were not imported",
            rows.len()
        ))),
    }
}

fn import(
    args: &Args,
    found: &Found,
    held: &mut Vec<KeyInfo>,
    ctx: &mut Context,
) -> Result<(String, &'static str), Error> {
    let seed = found.seed.as_ref().map_err(Error::failed)?;
    let key = seed.public_key();
    let bits = args.flags.bits(seed.kind());
    if let Some(info) = held.iter().find(|info| info.key == key) {
        let wanted = bits & (flag::EXPORTABLE | flag::ANY_IAT);
        if wanted & !info.flags != 0 {
            return Err(Error::failed(format!(
                "the agent holds {key} already, with other marks than {}: \
                 they are sealed with the key and stay as they are",
                marks(wanted)
            ))
            .next("nkey list keys"));
        }
        return Ok((key.to_string(), "already there"));
    }
    let name = args.name.as_deref().unwrap_or_default();
    let added = ctx.agent()?.add(seed, name, bits)?;
    if added != key {
        return Err(Error::failed(format!(
            "the agent answered {added} instead of {key}: do not use this agent"
        )));
    }
    held.push(KeyInfo {
        key,
        name: name.to_owned(),
        store: String::new(),
        flags: bits,
    });
    Ok((key.to_string(), "imported"))
}

fn report(args: &Args, rows: &[Row], ctx: &mut Context) -> Result<(), Error> {
    if args.json {
        return ctx.out.json(&rows);
    }
    for row in rows {
        let source = clean_inline(&row.source);
        match (&row.public_key, &row.reason) {
            (Some(key), None) => ctx.out.line(format!("{key}  {}  {source}", row.result))?,
            // Of one alone the error says it.
            (_, Some(reason)) if rows.len() > 1 => ctx.out.note(format!("not imported: {reason}")),
            _ => {}
        }
    }
    Ok(())
}
