//! Which accounts the servers' resolvers keep, what they say of them, and deleting them.

use super::connect::Connection;
use super::reply::Server;
use super::request::{Request, ask_all, no_resolver};
use super::update::Outcome;
use crate::error::Error;
use crate::token::is_token;
use nkey_core::nkey::{Kind, PublicKey};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::time::Duration;

/// The subject that lists accounts.
pub const LIST: &str = "$SYS.REQ.CLAIMS.LIST";
/// The subject that deletes accounts.
pub const DELETE: &str = "$SYS.REQ.CLAIMS.DELETE";
/// The subject that gives all tokens of one server.
pub const PACK: &str = "$SYS.REQ.CLAIMS.PACK";
/// The subjects that give one token of every server.
pub const LOOKUP: &str = "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP";

/// Which servers keep an account.
pub type Kept = BTreeMap<String, BTreeSet<Server>>;

/// What every server keeps, and the servers.
///
/// # Errors
/// If no server answers, or one answers wrongly.
pub async fn list(
    connection: &Connection,
    patience: Duration,
) -> Result<(Kept, BTreeSet<Server>), Error> {
    let request = Request {
        subject: LIST.to_owned(),
        payload: b"",
        expected: None,
    };
    let answers = ask_all(connection, &[request], patience).await?;
    let outcome = answers
        .first()
        .map(|answers| Outcome::read(answers, None))
        .unwrap_or_default();
    if outcome.no_responders && outcome.replies.is_empty() {
        return Err(no_resolver());
    }
    if !outcome.is_complete() {
        return Err(Error::failed(format!(
            "the servers' accounts could not be listed: {}",
            outcome.lines(patience).join("; ")
        )));
    }
    let mut kept = Kept::new();
    let mut servers = BTreeSet::new();
    for reply in outcome.replies {
        let wrong = || {
            Error::failed(format!(
                "{} answered something that is no list of accounts",
                reply.server.shown()
            ))
        };
        let accounts = match &reply.result {
            Ok(Value::Array(accounts)) => accounts.as_slice(),
            // Go writes an empty list as null.
            Ok(Value::Null) => &[],
            _ => return Err(wrong()),
        };
        for account in accounts {
            let key = account
                .as_str()
                .and_then(|text| PublicKey::from_str(text).ok())
                .filter(|key| key.kind() == Kind::Account)
                .ok_or_else(wrong)?;
            kept.entry(key.to_string())
                .or_default()
                .insert(reply.server.clone());
        }
        servers.insert(reply.server);
    }
    Ok((kept, servers))
}

/// The tokens of each of `accounts` that the servers have, each with how many have it.
/// An account is kept by so many servers.
///
/// # Errors
/// If the connection breaks.
pub async fn lookup(
    connection: &Connection,
    accounts: &[(&str, Option<usize>)],
    patience: Duration,
) -> Result<Vec<BTreeMap<String, usize>>, Error> {
    let requests: Vec<Request<'_>> = accounts
        .iter()
        .map(|(account, servers)| Request {
            subject: LOOKUP.replacen('*', account, 1),
            payload: b"",
            expected: *servers,
        })
        .collect();
    let answers = ask_all(connection, &requests, patience).await?;
    let tokens = answers.iter().map(|answers| {
        let mut found: BTreeMap<String, usize> = BTreeMap::new();
        for payload in &answers.payloads {
            let token = String::from_utf8_lossy(payload).trim().to_owned();
            // An empty answer is that of a server which does not keep it.
            if is_token(&token) {
                *found.entry(token).or_default() += 1;
            }
        }
        found
    });
    Ok(tokens.collect())
}

/// Asks every server to delete the accounts that the signed request names.
///
/// # Errors
/// If the connection breaks.
pub async fn delete(
    connection: &Connection,
    request: &str,
    servers: Option<usize>,
    patience: Duration,
) -> Result<Outcome, Error> {
    let request = Request {
        subject: DELETE.to_owned(),
        payload: request.as_bytes(),
        expected: servers,
    };
    let answers = ask_all(connection, &[request], patience).await?;
    Ok(answers
        .first()
        .map(|answers| Outcome::read(answers, None))
        .unwrap_or_default())
}
