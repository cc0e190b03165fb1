//! Where accounts are pushed to and pulled from.

use crate::error::Error;
use crate::output::clean_inline;
use nkey_core::claims::owned::Operator;

/// What keeps the accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The resolvers of nats-servers: URLs of some of them.
    Resolver(Vec<String>),
    /// An HTTP account server.
    AccountServer(String),
}

/// Where to push to, as URLs divided by commas: the flag, else what the operator says.
///
/// # Errors
/// If none is known, or it is of a kind that is not talked to.
pub fn target(flag: Option<&str>, operator: &Operator) -> Result<Target, Error> {
    let text = match flag {
        Some(url) => url.to_owned(),
        None if !operator.account_server_url.is_empty() => operator.account_server_url.clone(),
        None => operator.operator_service_urls.join(","),
    };
    let urls: Vec<String> = text
        .split(',')
        .map(str::trim)
        .filter(|url| !url.is_empty())
        .map(str::to_owned)
        .collect();
    if urls.is_empty() {
        return Err(Error::usage("the operator names no server to push to")
            .next("nkey push -A -u nats://localhost:4222"));
    }
    for url in &urls {
        let scheme = url
            .split_once("://")
            .map(|(scheme, _)| scheme.to_ascii_lowercase());
        let shown = clean_inline(url);
        let authority = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let authority = authority.split(['/', '?']).next().unwrap_or_default();
        match scheme.as_deref() {
            Some("nats" | "tls" | "ws" | "wss") | None if authority.contains('@') => {
                return Err(Error::usage(
                    "the URL of the server holds a name or password: push signs in as a user of the system account",
                ));
            }
            Some("nats" | "tls" | "ws" | "wss") | None => {}
            Some("http" | "https") if urls.len() == 1 => {
                return Ok(Target::AccountServer(url.clone()));
            }
            Some("http" | "https") => {
                return Err(Error::usage(format!(
                    "{shown} is an HTTP account server, which must be named alone"
                )));
            }
            Some(_) => {
                return Err(Error::usage(format!(
                    "{shown} is no URL of a nats-server (nats, tls, ws, wss) or account server (http, https)"
                )));
            }
        }
    }
    Ok(Target::Resolver(urls))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(flag: Option<&str>, operator: &Operator) -> Vec<String> {
        match target(flag, operator).unwrap() {
            Target::Resolver(urls) => urls,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_flag_wins_then_the_account_server_then_the_services() {
        let mut operator = Operator::default();
        let error = target(None, &operator).unwrap_err();
        assert!(
            error.code() == 2 && error.to_string().contains("-u nats://"),
            "{error}"
        );
        operator.operator_service_urls = vec!["nats://a".into(), "tls://b:1".into()];
        assert_eq!(servers(None, &operator), ["nats://a", "tls://b:1"]);
        operator.account_server_url = "https://c/jwt/v2".into();
        assert_eq!(
            target(None, &operator).unwrap(),
            Target::AccountServer("https://c/jwt/v2".into())
        );
        assert_eq!(
            servers(Some("localhost:4222, wss://d"), &operator),
            ["localhost:4222", "wss://d"]
        );
    }

    #[test]
    fn what_is_not_talked_to_is_said() {
        for (url, needle) in [
            ("https://x/jwt/v1,nats://y", "named alone"),
            ("nats://y,https://x/jwt/v1", "named alone"),
            ("ftp://x", "no URL of a nats-server"),
            ("nats://user:secret@x", "name or password"),
            ("user:secret@x", "name or password"),
        ] {
            let error = target(Some(url), &Operator::default()).unwrap_err();
            assert!(
                error.to_string().contains(needle) && !error.to_string().contains("secret"),
                "{error}"
            );
        }
    }
}
