//! `nkey export keys`.

use super::sealing::{IDENTITY, Sealing, SealingFlags};
use crate::context::Context;
use crate::error::Error;
use crate::key_argument::{self, shell_word};
use crate::output::clean_inline;
use crate::store::inventory::{Inventory, KeyFilter, Known, Part};
use crate::store::{Store, file};
use nkey_agent::message::flag;
use nkey_core::nkey::Kind;
use serde::Serialize;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

#[derive(clap::Args)]
pub struct Args {
    /// The folder to write to
    #[arg(short, long, value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    filter: KeyFilter,
    /// Curve keys (X25519)
    #[arg(long)]
    curves: bool,
    /// Of the curve keys only this one
    #[arg(long, value_name = "KEY")]
    curve: Option<String>,
    /// Replace files
    #[arg(short = 'F', long)]
    force: bool,
    /// Remove each key from the agent once its file is on disk
    #[arg(short = 'R', long)]
    remove: bool,
    /// Write the JWTs of the keys as well, which are public
    #[arg(long)]
    include_jwts: bool,
    #[command(flatten)]
    sealing: SealingFlags,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// What became of one key.
#[derive(Serialize)]
struct Row {
    public_key: String,
    name: String,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Writes the seeds of exportable keys to files.
///
/// # Errors
/// If one key of those that were asked for cannot leave the agent.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let held = ctx.agent()?.list()?;
    let store = Store::open(&ctx.global)?;
    let mut inventory = Inventory::take(&store, held)?;
    let curves = args.curves || args.curve.is_some();
    let mut keys = args.filter.choose(&mut inventory, curves)?;
    if let Some(text) = &args.curve {
        let wanted = key_argument::public("--curve", text)?;
        keys.retain(|known| known.key.kind() != Kind::Curve || known.key == wanted);
    }
    for problem in &inventory.problems {
        ctx.out.note(format!("warning: {problem}"));
    }
    if args.remove && args.filter.needs_every_token() && !inventory.problems.is_empty() {
        return Err(Error::failed(
            "which keys no token names cannot be told while tokens cannot be read: nothing was exported or removed",
        )
        .next("nkey validate -A"));
    }
    if keys.iter().all(|known| known.agent.is_none()) {
        return Err(Error::failed("the agent holds no such keys").next("nkey list keys"));
    }
    file::make_dir(&args.dir)?;
    let sealing = args.sealing.sealing(&args.dir)?;
    let mut rows = Vec::new();
    let mut failed = 0;
    for known in &keys {
        let result = export(args, ctx, known, &sealing);
        failed += usize::from(result.is_err());
        if !args.json {
            match &result {
                Ok((done, Some(path))) => ctx.out.line(format!(
                    "{}  {done}  {}",
                    known.key,
                    clean_inline(&path.display().to_string())
                ))?,
                Ok((done, None)) => ctx.out.line(format!("{}  {done}", known.key))?,
                Err(error) => ctx
                    .out
                    .line(format!("{}  NOT EXPORTED: {error}", known.key))?,
            }
        }
        rows.push(row(known, result));
    }
    if args.json {
        ctx.out.json(&rows)?;
    }
    explain(args, ctx, &sealing);
    match failed {
        0 => Ok(()),
        failed => Err(Error::failed(format!(
            "{failed} of {} keys were not exported",
            keys.len()
        ))),
    }
}

fn row(known: &Known, result: Result<(&'static str, Option<PathBuf>), Error>) -> Row {
    let (result, file, error) = match result {
        Ok((done, path)) => (done, path.map(|path| path.display().to_string()), None),
        Err(error) => ("failed", None, Some(error.to_string())),
    };
    Row {
        public_key: known.key.to_string(),
        name: known.name(),
        result,
        file,
        error,
    }
}

fn explain(args: &Args, ctx: &mut Context, sealing: &Sealing) {
    let dir = shell_word(&args.dir.display().to_string());
    if !sealing.is_sealed() {
        ctx.out
            .note("the seeds are not encrypted: whoever reads the files has the keys");
    } else if args.dir.join(IDENTITY).exists() {
        ctx.out.note(format!(
            "to bring a key back: age -d -i {dir}/{IDENTITY} {dir}/KEY.nk.age | nkey import keys -"
        ));
    }
}

fn export(
    args: &Args,
    ctx: &mut Context,
    known: &Known,
    sealing: &Sealing,
) -> Result<(&'static str, Option<PathBuf>), Error> {
    if args.include_jwts {
        for used in known.uses.iter().filter(|used| used.part == Part::Identity) {
            let path = args.dir.join(format!("{}.jwt", known.key));
            put(&path, used.token.as_bytes(), args.force)?;
        }
    }
    let Some(info) = &known.agent else {
        return Ok(match known.files.is_empty() {
            true => ("missing", None),
            // nkey adopt brings it in; the file is an export already.
            false => (
                "in a file",
                known.files.first().map(|file| file.path.clone()),
            ),
        });
    };
    if info.flags & flag::EXPORTABLE == 0 {
        return Err(Error::refused(
            "it was not added as exportable, so its seed stays in the agent",
        ));
    }
    let seed = ctx.agent()?.export(&known.key)?;
    if seed.public_key() != known.key {
        return Err(Error::failed(
            "the agent gave another seed than the one that was asked for: do not use this agent",
        ));
    }
    let line = Zeroizing::new(format!("{}\n", seed.encode().reveal()));
    let end = if sealing.is_sealed() { "nk.age" } else { "nk" };
    let path = args.dir.join(format!("{}.{end}", known.key));
    let bytes = Zeroizing::new(sealing.seal(line.as_bytes())?);
    put(&path, &bytes, args.force)?;
    if args.remove {
        ctx.agent()?.remove(&known.key)?;
        return Ok(("moved", Some(path)));
    }
    Ok(("exported", Some(path)))
}

fn put(path: &Path, bytes: &[u8], force: bool) -> Result<(), Error> {
    file::write_output(path, bytes, force)
}
