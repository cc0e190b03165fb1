//! `nkey pull`.

use crate::context::Context;
use crate::error::Error;
use crate::nats::account_server::AccountServer;
use crate::nats::address::{Target, target};
use crate::nats::claims::{PACK, lookup};
use crate::nats::connect::{block_on, connect};
use crate::nats::request::ask_stream;
use crate::nats::system_user::SystemFlags;
use crate::nats::tls::TlsFlags;
use crate::output::clean_inline;
use crate::store::receive::{Received, Receiver, check_age, read};
use crate::store::trust::operator_signed;
use crate::store::{Entry, Lock, Operator, Store};
use nkey_core::claims::owned::{self, Claims};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(clap::Args)]
pub struct Args {
    /// The operator, where an account server has it, and all accounts
    #[arg(short = 'A', long, conflicts_with = "account")]
    all: bool,
    /// This account
    #[arg(short, long, value_name = "ACCOUNT", required_unless_present = "all")]
    account: Option<String>,
    /// The servers [default: the operator's account server URL, or its service URLs]
    #[arg(short = 'u', long, value_name = "URL,...")]
    account_jwt_server_url: Option<String>,
    /// Replace stored JWTs that are newer
    #[arg(short = 'F', long)]
    overwrite_newer: bool,
    #[command(flatten)]
    system: SystemFlags,
    /// How long to wait for an answer, 1 to 60 seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    timeout: u64,
    #[command(flatten)]
    tls: TlsFlags,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// What became of one token.
#[derive(Serialize)]
struct Row {
    name: String,
    public_key: String,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Row {
    fn new(name: &str, public_key: &str, result: Result<(String, Received), Error>) -> Row {
        let (name, result, error) = match result {
            Ok((name, Received::New)) => (name, "new", None),
            Ok((name, Received::Replaced)) => (name, "replaced", None),
            Ok((name, Received::Unchanged)) => (name, "unchanged", None),
            Err(error) => (name.to_owned(), "failed", Some(error.message())),
        };
        Row {
            name,
            public_key: public_key.to_owned(),
            result,
            error,
        }
    }
}

/// Brings accounts from the servers into the store.
///
/// # Errors
/// If one cannot be stored, after all others were.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut store = Store::open(&ctx.global)?;
    let operator = store.operator(None)?;
    let entry = operator.claims()?;
    let target = target(args.account_jwt_server_url.as_deref(), &entry.claims.nats)?;
    let names = match &args.account {
        Some(wanted) => vec![store.account(&operator, Some(wanted))?],
        None => operator.accounts()?,
    };
    let mut known = BTreeMap::new();
    for name in names {
        known.insert(operator.account(&name)?.claims.standard.sub, name);
    }
    let patience = Duration::from_secs(args.timeout.clamp(1, 60));
    let rows = match target {
        Target::Resolver(urls) => {
            let user = args.system.user(ctx, &operator, &entry)?;
            let tokens = block_on(async {
                let connection = connect(&urls, user, &args.tls, patience).await?;
                if args.all {
                    return pack(ask_stream(&connection, PACK, patience).await?);
                }
                let wanted: Vec<(&str, Option<usize>)> =
                    known.keys().map(|key| (key.as_str(), None)).collect();
                let found = lookup(&connection, &wanted, patience).await?;
                Ok(found
                    .into_iter()
                    .zip(&wanted)
                    .filter_map(|(found, (key, _))| Some(((*key).to_owned(), newest(found)?)))
                    .collect())
            })?;
            let lock = store.lock()?;
            let mut receiver = Receiver::new(&operator, &entry, &lock, args.overwrite_newer)?;
            resolved(args, &known, tokens, &mut receiver)
        }
        Target::AccountServer(url) => {
            let server = AccountServer::new(&url, &args.tls, patience)?;
            let lock = store.lock()?;
            served(args, &server, &operator, entry, &known, &lock)?
        }
    };
    report(args, ctx, &rows)
}

/// Takes apart what a server sends: `ACCOUNT|TOKEN` in each message.
fn pack(messages: Vec<Vec<u8>>) -> Result<BTreeMap<String, String>, Error> {
    let mut tokens = BTreeMap::new();
    for message in messages {
        let text = String::from_utf8_lossy(&message);
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (key, token) = line.split_once('|').ok_or_else(|| {
                Error::failed(
                    "the server answered something that is no account: nothing was stored",
                )
            })?;
            tokens.insert(key.to_owned(), token.trim().to_owned());
        }
    }
    Ok(tokens)
}

/// Of several versions the one issued last.
fn newest(found: BTreeMap<String, usize>) -> Option<String> {
    let issued =
        |token: &String| read::<owned::Account>(token).map_or(0, |claims| claims.standard.iat);
    found.into_keys().max_by_key(issued)
}

fn resolved(
    args: &Args,
    known: &BTreeMap<String, String>,
    tokens: BTreeMap<String, String>,
    receiver: &mut Receiver<'_>,
) -> Vec<Row> {
    let mut rows: Vec<Row> = tokens
        .iter()
        .map(|(key, token)| {
            let name = known.get(key).unwrap_or(key);
            Row::new(name, key, receiver.put(key, token))
        })
        .collect();
    for (key, name) in known.iter().filter(|(key, _)| !tokens.contains_key(*key)) {
        rows.push(if args.all {
            Row {
                name: name.clone(),
                public_key: key.clone(),
                result: "absent",
                error: None,
            }
        } else {
            Row::new(name, key, Err(Error::failed("no server has it")))
        });
    }
    rows
}

fn served(
    args: &Args,
    server: &AccountServer,
    operator: &Operator,
    mut entry: Entry<owned::Operator>,
    known: &BTreeMap<String, String>,
    lock: &Lock,
) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    if args.all {
        let result = put_operator(args, server, operator, &entry, lock);
        rows.push(Row::new(operator.name(), entry.sub(), result));
        // Accounts are judged by the operator's new token.
        entry = operator.claims()?;
    }
    let mut receiver = Receiver::new(operator, &entry, lock, args.overwrite_newer)?;
    for (key, name) in known {
        let result = server.pull(key).and_then(|token| receiver.put(key, &token));
        rows.push(Row::new(name, key, result));
    }
    Ok(rows)
}

fn put_operator(
    args: &Args,
    server: &AccountServer,
    operator: &Operator,
    entry: &Entry<owned::Operator>,
    lock: &Lock,
) -> Result<(String, Received), Error> {
    let token = server.operator()?;
    let claims: Claims<owned::Operator> = read(&token)?;
    if claims.standard.sub != entry.sub() {
        return Err(Error::failed(format!(
            "the account server is that of another operator, {}",
            claims.standard.sub
        )));
    }
    operator_signed(&claims, Some(&entry.claims)).map_err(Error::failed)?;
    let received = check_age(
        "the JWT",
        (&entry.token, entry.claims.standard.iat),
        (&token, claims.standard.iat),
        args.overwrite_newer,
    )?;
    if received == Received::Replaced {
        operator.write_operator(lock, &token, Some(&entry.bytes))?;
    }
    Ok((operator.name().to_owned(), received))
}

fn report(args: &Args, ctx: &mut Context, rows: &[Row]) -> Result<(), Error> {
    if args.json {
        ctx.out.json(&rows)?;
    } else {
        for row in rows {
            let name = clean_inline(&row.name);
            let result = match (&row.error, row.result) {
                (Some(error), _) => format!("not stored: {error}"),
                (None, "absent") => "not on the servers".to_owned(),
                (None, result) => result.to_owned(),
            };
            ctx.out.line(format!("{name}: {result}"))?;
        }
    }
    match rows.iter().filter(|row| row.error.is_some()).count() {
        0 => Ok(()),
        failed => Err(Error::failed(format!(
            "{failed} of {} were not stored",
            rows.len()
        ))),
    }
}
