//! `nkey expirations`.

use crate::context::Context;
use crate::error::Error;
use crate::input::time;
use crate::output::Table;
use crate::source;
use crate::store::receive::read;
use crate::store::{Entry, Store};
use crate::text;
use jiff::Timestamp;
use nkey_core::claims::owned::{Claims, Standard, User};
use nkey_core::creds;
use serde::Serialize;
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    /// What expires until then expires soon: 1w (m, h, d, w, M, y), 2027-01-31 or RFC 3339
    #[arg(short = 'e', long, value_name = "TIME", default_value = "1M")]
    within: String,
    /// Leave out what neither has expired nor expires soon
    #[arg(long)]
    skip: bool,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// One token; nsc's members.
#[derive(Serialize)]
struct Row {
    resource: String,
    id: String,
    when: String,
    expiry: i64,
    expiration_date: String,
    expires_soon: bool,
    expired: bool,
}

/// Lists when the tokens of the operator expire.
///
/// # Errors
/// Exit 1 if one has expired or expires soon, so that a monitor can ask.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let now = ctx.now();
    let until = time::parse(&args.within, now)
        .map_err(|error| Error::usage(format!("--within: {error}")))?;
    let store = Store::open(&ctx.global)?;
    let operator = store.operator(None)?;
    let row = |resource: String, standard: &Standard| row(resource, standard, now, until);
    let name = operator.name();
    let mut rows = Vec::new();
    // What cannot be read hides nothing else.
    let mut unread: Vec<Error> = Vec::new();
    match operator.claims() {
        Ok(entry) => rows.push(row(name.to_owned(), &entry.claims.standard)),
        Err(error) => unread.push(error),
    }
    for account in operator.accounts()? {
        match operator.account(&account) {
            Ok(entry) => rows.push(row(format!("{name}/{account}"), &entry.claims.standard)),
            Err(error) => unread.push(error),
        }
        for user in operator.users(&account)? {
            match operator.user(&account, &user) {
                Ok(entry) => {
                    let entry: Entry<User> = entry;
                    rows.push(row(
                        format!("{name}/{account}/{user}"),
                        &entry.claims.standard,
                    ));
                }
                Err(error) => unread.push(error),
            }
            let path = store.keystore().creds(name, &account, &user);
            if path.is_file() {
                let shown = path.display().to_string();
                let claims = source::read_file(&path, source::MAX_TEXT).and_then(|text| {
                    let claims: Result<Claims<User>, _> = read(creds::parse_token(&text));
                    claims.map_err(|error| Error::failed(format!("{shown}: {error}")))
                });
                match claims {
                    Ok(claims) => rows.push(row(shown, &claims.standard)),
                    Err(error) => unread.push(error),
                }
            }
        }
    }
    let all = rows.len();
    let expired = rows.iter().filter(|row| row.expired).count();
    let soon = rows.iter().filter(|row| row.expires_soon).count();
    if args.skip {
        rows.retain(|row| row.expired || row.expires_soon);
    }
    if args.json {
        ctx.out
            .json(&json!({ "expiration_threshold": date(until), "report": rows }))?;
    } else {
        let mut table = Table::new(&["EXPIRED", "TOKEN", "EXPIRES"]);
        for row in &rows {
            let state = match (row.expired, row.expires_soon) {
                (true, _) => "yes",
                (false, true) => "soon",
                (false, false) => "no",
            };
            let when = match row.expiry {
                0 => "never".to_owned(),
                expiry => format!("{} ({})", text::time(expiry), row.when),
            };
            table.row(&[state, &row.resource, &when]);
        }
        table.write(&mut ctx.out)?;
    }
    for error in &unread {
        ctx.out.note(format!("warning: {}", error.message()));
    }
    match expired + soon {
        0 if unread.is_empty() => Ok(()),
        0 => Err(Error::failed(format!(
            "{} tokens cannot be read, so nobody knows when they expire",
            unread.len()
        ))
        .next("nkey validate -A")),
        _ => Err(Error::failed(format!(
            "of {all} tokens {expired} have expired, and {soon} expire until {}",
            text::time(until)
        ))),
    }
}

fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| String::new(), |time| time.to_string())
}

fn row(resource: String, standard: &Standard, now: i64, until: i64) -> Row {
    let expiry = standard.exp;
    let expired = expiry != 0 && now > expiry;
    Row {
        resource,
        id: standard.sub.clone(),
        when: match expiry {
            0 => "never".to_owned(),
            expiry => text::distance(expiry, now),
        },
        expiry,
        expiration_date: match expiry {
            0 => String::new(),
            expiry => date(expiry),
        },
        expires_soon: expiry != 0 && !expired && until > expiry,
        expired,
    }
}
