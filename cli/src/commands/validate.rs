//! `nkey validate`.

use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::Store;
use crate::store::chain::check_store;
use crate::store::limits::Limits;
use crate::store::report::Report;
use nkey_core::jwt::MAX_TOKEN;
use nkey_core::tolerant;
use nkey_core::validate::Class;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// The longest line of a file: a token, and the account's key that a resolver puts before it.
const MAX_LINE: u64 = MAX_TOKEN as u64 + 64;

#[derive(clap::Args)]
pub struct Args {
    /// Only this account and its users
    #[arg(short, long, value_name = "ACCOUNT", conflicts_with_all = ["all_accounts", "file"])]
    account: Option<String>,
    /// All accounts and their users
    #[arg(short = 'A', long, conflicts_with = "file")]
    all_accounts: bool,
    /// The tokens in FILE, one a line, or - for standard input
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Validates the operator and accounts of the store, or the tokens of a file.
///
/// # Errors
/// Exit 1 if a server would refuse something, after all findings were printed.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let report = match &args.file {
        Some(path) => check_file(path, ctx.now())?,
        None => {
            let store = Store::open(&ctx.global)?;
            let operator = store.operator(None)?;
            let accounts = match &args.account {
                Some(_) => vec![store.account(&operator, args.account.as_deref())?],
                None if args.all_accounts => operator.accounts_and_remains()?,
                // As nsc: the selected account, if there is one.
                None => store.account(&operator, None).into_iter().collect(),
            };
            check_store(&operator, &accounts, Limits::known(ctx), ctx.now())?
        }
    };
    if args.json {
        ctx.out.json(&report.findings)?;
    } else {
        print(&report, ctx)?;
    }
    if report.is_blocking() {
        let blocking = report.blocking_count();
        return Err(Error::failed(format!(
            "{blocking} findings that servers refuse"
        )));
    }
    Ok(())
}

fn print(report: &Report, ctx: &mut Context) -> Result<(), Error> {
    let mut before = "";
    for finding in &report.findings {
        if finding.entity != before {
            ctx.out.line(format!(
                "{} ({})",
                clean_inline(&finding.entity),
                clean_inline(&finding.file)
            ))?;
            before = &finding.entity;
        }
        let field = if finding.field.is_empty() {
            String::new()
        } else {
            format!("{}: ", clean_inline(&finding.field))
        };
        ctx.out.line(format!(
            "  {:8}  {field}{}",
            finding.class,
            clean_inline(&finding.text)
        ))?;
    }
    ctx.out.line(format!(
        "{} tokens, {} findings",
        report.tokens,
        report.findings.len()
    ))
}

fn check_file(path: &Path, now: i64) -> Result<Report, Error> {
    let failed =
        |error: io::Error| Error::failed(format!("cannot read {}: {error}", path.display()));
    let source: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(path).map_err(failed)?),
    };
    let mut source = BufReader::new(source);
    let mut report = Report::default();
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        source
            .by_ref()
            .take(MAX_LINE + 1)
            .read_until(b'\n', &mut line)
            .map_err(failed)?;
        if line.is_empty() {
            break;
        }
        if line.len() as u64 > MAX_LINE {
            return Err(Error::failed(format!(
                "line {number} of {} is longer than a token can be",
                path.display()
            )));
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        // A resolver's pack has the account's key before the token.
        let token = text.split_once('|').map_or(text, |(_, token)| token);
        if token.is_empty() {
            continue;
        }
        match tolerant::decode(token) {
            Ok(decoded) => {
                report.begin(
                    format!("line {number}, {}", decoded.claims.standard().sub),
                    path,
                );
                report.claims(&decoded.claims, &decoded.notes, decoded.version, now);
            }
            Err(error) => {
                report.begin(format!("line {number}"), path);
                report.push(Class::Blocking, "", error);
            }
        }
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_judged_by_itself() {
        let good =
            include_str!("../../../tests/fixtures/nsc-store/stores/demoop/demoop.jwt").trim();
        let dir = std::env::temp_dir().join(format!("nkey-validate-{}", std::process::id()));
        std::fs::create_dir(&dir).unwrap();
        let path = dir.join("pack");
        std::fs::write(
            &path,
            format!("{good}\n\nAKEY|{good}\nnonsense\n\u{1b}.x.y\n{good}"),
        )
        .unwrap();
        let report = check_file(&path, 1_800_000_000).unwrap();
        std::fs::write(&path, vec![b'x'; MAX_LINE as usize + 2]).unwrap();
        let long = check_file(&path, 0).map(|_| ()).unwrap_err();
        std::fs::remove_dir_all(&dir).unwrap();
        assert_eq!(report.tokens, 5);
        let entities: Vec<_> = report
            .findings
            .iter()
            .map(|finding| finding.entity.as_str())
            .collect();
        assert_eq!(entities, ["line 4", "line 5"]);
        assert!(report.is_blocking());
        assert!(long.to_string().contains("line 1 of"), "{long}");
    }
}
