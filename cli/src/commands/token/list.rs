//! `nkey token list`.

use super::line::{LineFlags, virtual_note};
use super::words;
use crate::context::Context;
use crate::error::Error;
use crate::output::Table;
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
    let mut rows = Vec::new();
    match &args.flags.port {
        Some(port) => rows.push(ask(args, port, None)?),
        None => {
            for found in args.flags.find() {
                let row = ask(args, &found.port, Some(&found.serial));
                rows.push(row.unwrap_or_else(|error| Row {
                    port: found.port.display().to_string(),
                    is_virtual: false,
                    state: match error {
                        TokenError::InUse(_) => "in use".to_owned(),
                        _ => "silent".to_owned(),
                    },
                    serial: found.serial,
                    keys: None,
                    chip: None,
                    firmware: None,
                    remark: error.to_string(),
                }));
            }
        }
    }
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

fn ask(args: &Args, port: &Path, serial: Option<&str>) -> Result<Row, TokenError> {
    let mut token = Token::open(&args.flags.place(port, serial))?;
    let keys = match token.call(None, Command::List, &mut ()) {
        Ok(Answer::List(rows)) => Some(rows.iter().count()),
        // A broken token lists nothing.
        _ => None,
    };
    let About {
        firmware,
        serial,
        chip,
        capabilities,
        state,
        fault,
        ..
    } = token.about().clone();
    let is_virtual = capabilities & VIRTUAL != 0;
    let remark = match fault {
        Some(fault) => words::fault(fault),
        None if is_virtual => "VIRTUAL: its keys are files",
        None => "",
    };
    Ok(Row {
        serial,
        state: words::state(state).to_owned(),
        is_virtual,
        keys,
        chip: Some(chip),
        firmware: Some(firmware),
        port: port.display().to_string(),
        remark: remark.to_owned(),
    })
}
