//! HTTP account servers: `POST` and `GET` of `URL/accounts/PUB`, `GET` of `URL/operator`.

use super::tls::TlsFlags;
use crate::error::Error;
use crate::output::clean_inline;
use crate::token::is_token;
use nkey_core::activation::HashId;
use nkey_core::creds;
use nkey_core::jwt::MAX_TOKEN;
use std::time::Duration;
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

/// The longest body that is read, in bytes: a decorated token.
const MAX_BODY: u64 = MAX_TOKEN as u64 + 1024;

/// Characters of a server's message that are shown.
const MAX_MESSAGE: usize = 300;

/// An account server.
pub struct AccountServer {
    agent: Agent,
    url: String,
}

/// How a server took an account.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// It did.
    Now(String),
    /// It will, or somebody decides first (202).
    Later(String),
}

impl AccountServer {
    /// The server at `url`, which may take `patience` for each answer.
    ///
    /// # Errors
    /// If the files of the TLS flags cannot be read.
    pub fn new(url: &str, tls: &TlsFlags, patience: Duration) -> Result<AccountServer, Error> {
        let config = Agent::config_builder()
            .tls_config(tls.http()?)
            .timeout_global(Some(patience))
            .http_status_as_error(false)
            .user_agent(concat!("nkey/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(AccountServer {
            agent: config.new_agent(),
            url: url.trim_end_matches('/').to_owned(),
        })
    }

    fn account(&self, key: &str) -> String {
        format!("{}/accounts/{key}", self.url)
    }

    /// Sends an account's token.
    ///
    /// # Errors
    /// Says what the server answered.
    pub fn push(&self, key: &str, token: &str) -> Result<Taken, Error> {
        self.post(&self.account(key), token)
    }

    /// Sends an activation, which then stands at [`AccountServer::activation`].
    ///
    /// # Errors
    /// Says what the server answered.
    pub fn activate(&self, token: &str) -> Result<Taken, Error> {
        self.post(&format!("{}/activations", self.url), token)
    }

    /// Where the activation with this hash stands.
    pub fn activation(&self, hash: &HashId) -> String {
        format!("{}/activations/{hash}", self.url)
    }

    fn post(&self, url: &str, token: &str) -> Result<Taken, Error> {
        let answer = self
            .agent
            .post(url)
            .content_type("application/jwt")
            .send(token)
            .map_err(|error| failed(url, &error))?;
        let status = answer.status();
        let message = message(answer);
        match status {
            StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT => {
                Ok(Taken::Now(message))
            }
            _ if status.is_success() => Ok(Taken::Later(message)),
            _ => Err(refused(url, status, &message)),
        }
    }

    /// Fetches an account's token.
    ///
    /// # Errors
    /// If there is none.
    pub fn pull(&self, key: &str) -> Result<String, Error> {
        self.get(&self.account(key))
    }

    /// Fetches an account's token, if the server has one.
    ///
    /// # Errors
    /// If it cannot be had.
    pub fn find(&self, key: &str) -> Result<Option<String>, Error> {
        self.get_if_there(&self.account(key)).map(Result::ok)
    }

    /// Fetches the operator's token.
    ///
    /// # Errors
    /// If there is none.
    pub fn operator(&self) -> Result<String, Error> {
        self.get(&format!("{}/operator", self.url))
    }

    /// Fetches a token from the server's URL itself.
    ///
    /// # Errors
    /// If there is none.
    pub fn whole(&self) -> Result<String, Error> {
        self.get(&self.url)
    }

    fn get(&self, url: &str) -> Result<String, Error> {
        self.get_if_there(url)?
    }

    /// What a URL gives; within, that nothing is there.
    fn get_if_there(&self, url: &str) -> Result<Result<String, Error>, Error> {
        let mut answer = self
            .agent
            .get(url)
            .call()
            .map_err(|error| failed(url, &error))?;
        let status = answer.status();
        if !status.is_success() {
            let message = message(answer);
            let refused = refused(url, status, &message);
            return match status {
                StatusCode::NOT_FOUND => Ok(Err(refused)),
                _ => Err(refused),
            };
        }
        let text = answer
            .body_mut()
            .with_config()
            .limit(MAX_BODY)
            .read_to_string()
            .map_err(|error| failed(url, &error))?;
        let token = creds::parse_token(&text).trim();
        if is_token(token) {
            Ok(Ok(token.to_owned()))
        } else {
            Err(Error::failed(format!(
                "{} answered something that is no JWT",
                clean_inline(url)
            )))
        }
    }
}

/// How long a server that is asked by the way may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Whether a text is the URL of something to fetch, and no file.
pub fn is_url(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.starts_with("http://") || lower.starts_with("https://")
}

/// Fetches the token that a URL gives.
///
/// # Errors
/// If there is none.
pub fn fetch(url: &str) -> Result<String, Error> {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = authority.split('/').next().unwrap_or_default();
    if host.contains('@') {
        return Err(Error::usage(
            "the URL holds a name or password, which would be shown and stored",
        ));
    }
    AccountServer::new(url, &TlsFlags::default(), PATIENCE)?.whole()
}

fn failed(url: &str, error: &ureq::Error) -> Error {
    let url = clean_inline(url);
    match error {
        ureq::Error::Timeout(_) => Error::failed(format!(
            "{url} did not answer in time ({error}): --timeout waits longer"
        )),
        _ => Error::failed(format!("cannot reach {url}: {error}")),
    }
}

fn refused(url: &str, status: StatusCode, message: &str) -> Error {
    let because = if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    };
    Error::failed(format!("{} answered {status}{because}", clean_inline(url)))
}

/// The beginning of what a server says, on one line.
fn message(mut answer: Response<Body>) -> String {
    let text = answer
        .body_mut()
        .with_config()
        .limit(MAX_BODY)
        .read_to_string()
        .unwrap_or_default();
    let text = text.trim();
    let mut short: String = text.chars().take(MAX_MESSAGE).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    clean_inline(&short)
}
