//! `nkey migrate`.

mod found;
mod place;

use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::Edit;
use found::Found;
use place::{Placed, Placer};
use serde::Serialize;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// The account's JWT: a file, beside which its users lie, or a URL
    #[arg(
        short,
        long,
        value_name = "FILE|URL",
        required_unless_present = "operator_dir",
        conflicts_with = "operator_dir"
    )]
    url: Option<String>,
    /// The folder of an operator, all of whose accounts are brought
    #[arg(long, value_name = "DIR")]
    operator_dir: Option<PathBuf>,
    /// Replace accounts and users that have the same name and key
    #[arg(short = 'F', long)]
    force: bool,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// What became of one account.
#[derive(Serialize)]
struct Row {
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    result: &'static str,
    users: usize,
    unchanged: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Brings accounts and their users under the selected operator.
///
/// # Errors
/// If one cannot be brought, after all others were.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut all = Vec::new();
    if let Some(dir) = &args.operator_dir {
        let (files, others) = found::files(dir)?;
        for name in others {
            let folder = dir.join("accounts").join(&name);
            ctx.out.note(clean_inline(&format!(
                "{} was passed over: {name}.jwt is not in it",
                folder.display()
            )));
        }
        for file in files {
            all.push((file.display().to_string(), found::beside(&file)));
        }
    }
    if let Some(url) = &args.url {
        all.push((url.clone(), found::account(url)));
    }
    let edit = Edit::begin(ctx)?;
    let mut placer = Placer::new(ctx, &edit, args.force)?;
    let operator = clean_inline(edit.operator.name());
    let mut rows = Vec::with_capacity(all.len());
    for (source, found) in all {
        let row = Row {
            source,
            name: None,
            public_key: None,
            result: "failed",
            users: 0,
            unchanged: 0,
            error: None,
        };
        rows.push(bring(args, ctx, &mut placer, row, found, &operator)?);
    }
    let brought = rows.iter().filter(|row| row.error.is_none());
    let names: Vec<String> = brought.filter_map(|row| row.name.clone()).collect();
    if !names.is_empty() {
        placer.warn(ctx, &names)?;
    }
    if args.json {
        ctx.out.json(&rows)?;
    }
    match rows.len() - names.len() {
        0 => Ok(()),
        failed => Err(Error::failed(format!(
            "{failed} of {} accounts were not migrated",
            rows.len()
        ))),
    }
}

fn bring(
    args: &Args,
    ctx: &mut Context,
    placer: &mut Placer<'_>,
    mut row: Row,
    found: Result<Found, Error>,
    operator: &str,
) -> Result<Row, Error> {
    let source = clean_inline(&row.source);
    let mut of_url = false;
    let placed = found.and_then(|found| {
        of_url = found.dir.is_none();
        row.name = Some(found.account.name.clone());
        row.public_key = Some(found.account.sub().to_owned());
        placer.place(ctx, &found)
    });
    match placed {
        Ok(Placed { written, unchanged }) => {
            (row.result, row.users, row.unchanged) = ("migrated", written, unchanged);
            let name = clean_inline(row.name.as_deref().unwrap_or_default());
            let users = match (of_url, unchanged) {
                (true, _) => String::new(),
                (false, 0) => format!(", {written} users"),
                (false, _) => format!(", {written} users; {unchanged} were there already"),
            };
            if !args.json {
                ctx.out.line(format!(
                    "migrated account {name} to operator {operator}{users}"
                ))?;
            }
        }
        Err(error) => {
            // A reason may begin with the file itself.
            let error = match error.message().starts_with(&source) {
                true => error,
                false => error.within(&source),
            };
            row.error = Some(error.message());
            ctx.out.note(format!("not migrated: {error}"));
        }
    }
    Ok(row)
}
