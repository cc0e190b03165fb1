//! `nkey generate diagram component`.

use super::OutputFlags;
use super::drawing::{Drawing, Item, Line, Row};
use crate::context::Context;
use crate::error::Error;
use crate::store::{Entry, Store};
use nkey_core::claims::ExportType;
use nkey_core::claims::owned::{Account, Export, Import};
use nkey_core::subject::Subject;

#[derive(clap::Args)]
pub struct Args {
    /// Include descriptions
    #[arg(long)]
    detail: bool,
    #[command(flatten)]
    output: OutputFlags,
}

/// Draws which account imports what from which.
///
/// # Errors
/// If an account cannot be read.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let store = Store::open(&ctx.global)?;
    let operator = store.operator(None)?;
    let names = operator.accounts()?;
    let mut accounts = names
        .iter()
        .map(|name| operator.account(name))
        .collect::<Result<Vec<_>, _>>()?;
    accounts.retain(|account| {
        let nats = &account.claims.nats;
        !nats.imports.is_empty() || !nats.exports.is_empty()
    });
    let title = format!("Accounts of operator {}", operator.name());
    args.output.write(ctx, &draw(title, &accounts, args.detail))
}

fn draw(title: String, accounts: &[Entry<Account>], detail: bool) -> Drawing {
    let mut drawing = Drawing {
        title,
        boxes: Vec::new(),
        lines: Vec::new(),
    };
    // Row numbers of each account's exports.
    let mut exports: Vec<Vec<usize>> = Vec::new();
    for account in accounts {
        let nats = &account.claims.nats;
        let mut item = Item {
            title: format!("account {}", account.name),
            depth: 0,
            rows: Vec::new(),
        };
        if detail && !nats.description.is_empty() {
            item.rows.push(Row::new(nats.description.clone()));
        }
        let mut rows = Vec::new();
        for export in &nats.exports {
            rows.push(item.rows.len());
            item.rows.push(Row::new(export_text(export)));
            if detail && !export.description.is_empty() {
                item.rows
                    .push(Row::new(format!("    {}", export.description)));
            }
        }
        exports.push(rows);
        drawing.boxes.push(item);
    }
    for (index, account) in accounts.iter().enumerate() {
        for import in &account.claims.nats.imports {
            let found = find(accounts, import);
            let row = drawing.boxes[index].rows.len();
            drawing.boxes[index].rows.push(import_row(import, &found));
            if let Some((exporter, export)) = found.map(|(exporter, at, _)| (exporter, at)) {
                let to = exports.get(exporter).and_then(|rows| rows.get(export));
                drawing.lines.push(Line {
                    from: (index, Some(row)),
                    to: (exporter, to.copied()),
                });
            }
        }
    }
    drawing
}

/// The exporter and export that an import uses.
fn find<'a>(accounts: &'a [Entry<Account>], import: &Import) -> Option<(usize, usize, &'a Export)> {
    let exporter = accounts
        .iter()
        .position(|account| account.sub() == import.account)?;
    let exports = &accounts[exporter].claims.nats.exports;
    let wanted = Subject::new(remote(import));
    let at = exports.iter().position(|export| {
        export.kind == import.kind && wanted.is_contained_in(&Subject::new(&export.subject))
    })?;
    Some((exporter, at, &exports[at]))
}

/// The exporter's subject; the deprecated `to` turns the two around for services.
fn remote(import: &Import) -> &str {
    let turned = import.local_subject.is_empty()
        && !import.to.is_empty()
        && import.kind == Some(ExportType::Service);
    if turned { &import.to } else { &import.subject }
}

fn kind(kind: Option<ExportType>) -> &'static str {
    match kind {
        Some(ExportType::Stream) => "stream",
        Some(ExportType::Service) => "service",
        None => "unknown",
    }
}

fn export_text(export: &Export) -> String {
    let access = if export.token_req {
        "private"
    } else {
        "public"
    };
    let named = if export.name.is_empty() || export.name == export.subject {
        String::new()
    } else {
        format!(" ({})", export.name)
    };
    format!(
        "exports {access} {} {}{named}",
        kind(export.kind),
        export.subject
    )
}

fn import_row(import: &Import, found: &Option<(usize, usize, &Export)>) -> Row {
    let remote = remote(import);
    let local = match (import.local_subject.as_str(), import.to.as_str()) {
        ("", "") => remote,
        ("", _) if remote == import.to => &import.subject,
        ("", to) => to,
        (local, _) => local,
    };
    let renamed = if local == remote {
        String::new()
    } else {
        format!(" as {local}")
    };
    let text = format!("imports {} {remote}{renamed}", kind(import.kind));
    let wrong = match found {
        None => Some(format!("nothing of {} exports it", import.account)),
        Some((_, _, export)) if export.token_req && import.token.is_empty() => {
            Some("the export is private, and there is no activation".to_owned())
        }
        Some((_, _, export)) if !export.token_req && !import.token.is_empty() => {
            Some("the export is public, and needs no activation".to_owned())
        }
        _ => None,
    };
    match wrong {
        Some(why) => Row::wrong(format!("{text}: {why}")),
        None => Row::new(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Operator;
    use std::path::PathBuf;

    #[test]
    fn the_imports_of_the_fixture_find_their_exports() {
        let stores = PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/fixtures/nsc-store/stores"
        ));
        let operator = Operator::load(&stores, "demoop").unwrap();
        let accounts: Vec<_> = operator
            .accounts()
            .unwrap()
            .iter()
            .map(|name| operator.account(name).unwrap())
            .collect();
        let drawing = draw("t".into(), &accounts, true);
        let imports: usize = accounts
            .iter()
            .map(|account| account.claims.nats.imports.len())
            .sum();
        assert!(imports > 0);
        assert_eq!(drawing.lines.len(), imports);
        for line in &drawing.lines {
            let row = |(index, row): (usize, Option<usize>)| {
                drawing.boxes[index].rows[row.unwrap()].text.clone()
            };
            assert!(row(line.from).starts_with("imports "), "{}", row(line.from));
            assert!(row(line.to).starts_with("exports "), "{}", row(line.to));
            assert!(!drawing.boxes[line.from.0].rows[line.from.1.unwrap()].is_wrong);
        }
    }
}
