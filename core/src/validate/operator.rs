//! Operators.

use super::Findings;
use super::common::is_key;
use super::text::Quoted;
use super::url::Url;
use crate::claims::owned::Operator;
use crate::nkey::Kind;
use alloc::format;

/// `Operator.Validate`.
pub(super) fn operator(operator: &Operator, found: &mut Findings<'_>) {
    account_server(&operator.account_server_url, found);
    for (index, url) in operator.operator_service_urls.iter().enumerate() {
        service(url, &format!("nats.operator_service_urls.{index}"), found);
    }
    for (index, key) in operator.signing_keys.iter().enumerate() {
        if !is_key(key, Kind::Operator) {
            let at = &format!("nats.signing_keys.{index}");
            found.error(
                at,
                format_args!("{} is not the public key of an operator", Quoted(key)),
            );
        }
    }
    let system = &operator.system_account;
    if !system.is_empty() && !is_key(system, Kind::Account) {
        let system = Quoted(system);
        found.error(
            "nats.system_account",
            format_args!("{system} is not the public key of an account"),
        );
    }
    let version = &operator.assert_server_version;
    if !version.is_empty() && !is_version(version) {
        let version = Quoted(version);
        found.error(
            "nats.assert_server_version",
            format_args!("server version {version} is not three numbers divided by dots"),
        );
    }
}

fn account_server(url: &str, found: &mut Findings<'_>) {
    const AT: &str = "nats.account_server_url";
    if url.is_empty() {
        return;
    }
    let shown = Quoted(url);
    match Url::parse(url) {
        Err(why) => found.error(
            AT,
            format_args!("account server {shown} is not a URL: {why}"),
        ),
        Ok(url) if url.scheme.is_empty() => {
            found.error(
                AT,
                format_args!("account server {shown} has no scheme such as nats://"),
            );
        }
        Ok(_) => {}
    }
}

/// `ValidateOperatorServiceURL`: the first fault only.
fn service(url: &str, at: &str, found: &mut Findings<'_>) {
    if url.is_empty() {
        return;
    }
    let shown = Quoted(url);
    match Url::parse(url) {
        Err(why) => found.error(at, format_args!("service {shown} is not a URL: {why}")),
        Ok(url) if url.has_user => found.error(
            at,
            format_args!("service {shown} has a user, which may not stand there"),
        ),
        Ok(url) if !url.is_path_empty => {
            found.error(
                at,
                format_args!("service {shown} has a path, which may not stand there"),
            );
        }
        Ok(url) => {
            let known = ["nats", "tls", "ws", "wss"];
            if !known
                .iter()
                .any(|known| url.scheme.eq_ignore_ascii_case(known))
            {
                found.error(
                    at,
                    format_args!(
                        "service {shown} does not begin with nats://, tls://, ws:// or wss://"
                    ),
                );
            }
        }
    }
}

/// `ParseServerVersion`; Go's `Atoi` takes a sign, and minus zero is not negative.
fn is_version(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<i64>());
    let three = [numbers.next(), numbers.next(), numbers.next()];
    numbers.next().is_none() && three.iter().all(|number| matches!(number, Some(Ok(0..))))
}
