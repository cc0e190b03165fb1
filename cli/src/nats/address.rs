//! Where accounts are pushed to.

use crate::error::Error;
use crate::output::clean_inline;
use nkey_core::claims::owned::Operator;

/// The servers to push to, as URLs divided by commas: the flag, else what the operator says.
///
/// # Errors
/// If none is known, or it is of a kind that is not talked to.
pub fn servers(flag: Option<&str>, operator: &Operator) -> Result<Vec<String>, Error> {
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
        match scheme.as_deref() {
            Some("nats" | "tls") | None => {}
            Some("http" | "https") => {
                return Err(Error::usage(format!(
                    "{shown} is an HTTP account server, which this version does not push to: name a nats-server with the \
                     full resolver by -u"
                )));
            }
            Some("ws" | "wss") => {
                return Err(Error::usage(format!(
                    "{shown} is a WebSocket, which this version does not push to: name the server's nats:// or tls:// URL by -u"
                )));
            }
            Some(_) => {
                return Err(Error::usage(format!(
                    "{shown} is no URL of a nats-server (nats:// or tls://)"
                )));
            }
        }
        let authority = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        if authority.contains('@') {
            return Err(Error::usage(
                "the URL of the server holds a name or password: push signs in as a user of the system account",
            ));
        }
    }
    Ok(urls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_then_the_account_server_then_the_services() {
        let mut operator = Operator::default();
        let error = servers(None, &operator).unwrap_err();
        assert!(
            error.code() == 2 && error.to_string().contains("-u nats://"),
            "{error}"
        );
        operator.operator_service_urls = vec!["nats://a".into(), "tls://b:1".into()];
        assert_eq!(servers(None, &operator).unwrap(), ["nats://a", "tls://b:1"]);
        operator.account_server_url = "nats://c".into();
        assert_eq!(servers(None, &operator).unwrap(), ["nats://c"]);
        assert_eq!(
            servers(Some("localhost:4222, nats://d"), &operator).unwrap(),
            ["localhost:4222", "nats://d"]
        );
    }

    #[test]
    fn what_is_not_talked_to_is_said() {
        for (url, needle) in [
            ("https://x/jwt/v1", "HTTP account server"),
            ("wss://x", "WebSocket"),
            ("ftp://x", "no URL of a nats-server"),
            ("nats://user:secret@x", "name or password"),
        ] {
            let error = servers(Some(url), &Operator::default()).unwrap_err();
            assert!(
                error.to_string().contains(needle) && !error.to_string().contains("secret"),
                "{error}"
            );
        }
    }
}
