//! `nkey token list`.

use super::line::{Line, LineFlags, stores, virtual_note};
use super::words;
use crate::context::Context;
use crate::error::Error;
use crate::output::Table;
use nkey_agent::message::condition;
use nkey_agent::token::{About, Token, TokenError};
use nkey_core::token::{Answer, Command, VIRTUAL};
use serde::Serialize;
use std::path::Path;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    flags: LineFlags,
    /// Print JSON
    #[arg(long, short = 'J')]
    json: bool,
}

/// A token, as far as it answers.
#[derive(Serialize)]
struct Row {
    serial: String,
    state: String,
    #[serde(rename = "virtual")]
    is_virtual: bool,
    keys: Option<usize>,
    chip: Option<String>,
    firmware: Option<String>,
    port: String,
    remark: String,
}

/// Lists the tokens that are plugged in; each is asked who it is, and nothing is changed.
///
/// # Errors
/// If the port that was named has no token.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let rows = match &args.flags.port {
        Some(port) => vec![ask(args, port, None)?],
        None => all(args, ctx)?,
    };
    if args.json {
        return ctx.out.json(&rows);
    }
    if rows.is_empty() {
        ctx.out
            .note("no token is plugged in; a bare board becomes one by `nkey token flash`");
        return Ok(());
    }
    let titles = [
        "SERIAL", "STATE", "KEYS", "CHIP", "FIRMWARE", "PORT", "REMARK",
    ];
    let mut table = Table::new(&titles);
    for row in &rows {
        let keys = row.keys.map(|keys| keys.to_string()).unwrap_or_default();
        table.row(&[
            &row.serial,
            &row.state,
            &keys,
            row.chip.as_deref().unwrap_or_default(),
            row.firmware.as_deref().unwrap_or_default(),
            &row.port,
            &row.remark,
        ]);
    }
    table.write(&mut ctx.out)?;
    for row in rows.iter().filter(|row| row.is_virtual) {
        ctx.out.note(virtual_note(&row.serial));
    }
    Ok(())
}

/// What is plugged in, and what the agent knows besides.
fn all(args: &Args, ctx: &mut Context) -> Result<Vec<Row>, Error> {
    let stores = stores(ctx)?;
    let mut rows = Vec::new();
    for found in args.flags.find() {
        let held = stores.iter().any(|store| store.serial == found.serial);
        rows.push(match ask(args, &found.port, Some(&found.serial)) {
            Ok(row) => row,
            Err(TokenError::InUse(_)) if held => by_agent(ctx, &found.serial)?,
            Err(error) => {
                let state = match error {
                    TokenError::InUse(_) => "in use",
                    _ => "silent",
                };
                Row {
                    port: found.port.display().to_string(),
                    ..Row::silent(found.serial, state, &error)
                }
            }
        });
    }
    for store in stores {
        if rows.iter().all(|row| row.serial != store.serial) {
            rows.push(match store.condition {
                condition::ABSENT => Row::silent(store.serial, "absent", &store.why),
                _ => by_agent(ctx, &store.serial)?,
            });
        }
    }
    Ok(rows)
}

/// A token that the agent has.
fn by_agent(ctx: &mut Context, serial: &str) -> Result<Row, Error> {
    let mut line = match Line::by_agent(ctx, serial) {
        Ok(line) => line,
        Err(error) => return Ok(Row::silent(serial.to_owned(), "silent", &error.message())),
    };
    let keys = line.numbers().ok().map(|numbers| numbers.len());
    Ok(Row::of(line.about(), keys, "the agent"))
}

impl Row {
    fn silent(serial: String, state: &str, why: &impl ToString) -> Row {
        Row {
            serial,
            state: state.to_owned(),
            is_virtual: false,
            keys: None,
            chip: None,
            firmware: None,
            port: String::new(),
            remark: why.to_string(),
        }
    }

    fn of(about: &About, keys: Option<usize>, port: &str) -> Row {
        let is_virtual = about.capabilities & VIRTUAL != 0;
        let remark = match about.fault {
            Some(fault) => words::fault(fault),
            None if is_virtual => "VIRTUAL: its keys are files",
            None => "",
        };
        Row {
            serial: about.serial.clone(),
            state: words::state(about.state).to_owned(),
            is_virtual,
            keys,
            chip: Some(about.chip.clone()),
            firmware: Some(about.firmware.clone()),
            port: port.to_owned(),
            remark: remark.to_owned(),
        }
    }
}

fn ask(args: &Args, port: &Path, serial: Option<&str>) -> Result<Row, TokenError> {
    let mut token = Token::open(&args.flags.place(port, serial))?;
    let keys = match token.call(None, Command::List, &mut ()) {
        Ok(Answer::List(rows)) => Some(rows.iter().count()),
        // A broken token lists nothing.
        _ => None,
    };
    Ok(Row::of(token.about(), keys, &port.display().to_string()))
}
