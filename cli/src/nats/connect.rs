//! Connecting as a user whose key stays in the agent.

use super::tls::TlsFlags;
use crate::error::Error;
use crate::output::clean_inline;
use async_nats::{Auth, AuthError, ConnectErrorKind, ConnectOptions, Event, ServerAddr};
use nkey_agent::client::Client;
use nkey_core::nkey::PublicKey;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A user that signs in through the agent.
pub struct User {
    /// Its token.
    pub token: String,
    /// Its key.
    pub key: PublicKey,
    /// The connection to the agent, to which a volatile key belongs.
    pub agent: Client,
}

/// A connection, and what the server says besides answers.
pub struct Connection {
    /// The connection.
    pub client: async_nats::Client,
    faults: Arc<Mutex<Vec<String>>>,
}

impl Connection {
    /// What the server complained about, such as missing permissions.
    pub fn faults(&self) -> Vec<String> {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// An error and what caused it, each once.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

/// Complaints that are kept; a server may repeat itself without end.
const MAX_FAULTS: usize = 20;

/// How long connecting may take at least: over the internet it does.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs what talks to servers.
///
/// # Errors
/// What it says.
pub fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::failed(format!("cannot start: {error}")))?
        .block_on(work)
}

/// Connects to one of `servers`.
///
/// # Errors
/// Names the servers, what failed, and what to do.
pub async fn connect(
    servers: &[String],
    user: User,
    tls: &TlsFlags,
    patience: Duration,
) -> Result<Connection, Error> {
    let shown = clean_inline(&servers.join(", "));
    let mut addresses = Vec::new();
    for server in servers {
        let address: ServerAddr = server.parse().map_err(|error| {
            Error::usage(format!(
                "{} is no URL of a nats-server: {error}",
                clean_inline(server)
            ))
        })?;
        addresses.push(address);
    }
    let (token, key) = (user.token, user.key);
    let agent = Arc::new(Mutex::new(user.agent));
    let faults = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&faults);
    let options = ConnectOptions::with_auth_callback(move |nonce| {
        let (token, agent) = (token.clone(), Arc::clone(&agent));
        async move {
            // A device may wait for a touch.
            let signing = tokio::task::spawn_blocking(move || {
                agent
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .sign(&key, &nonce)
            });
            let signature = signing
                .await
                .map_err(AuthError::new)?
                .map_err(AuthError::new)?;
            let mut auth = Auth::new();
            auth.jwt = Some(token);
            auth.signature = Some(signature.as_bytes().to_vec());
            Ok(auth)
        }
    })
    .name("nkey")
    .connection_timeout(patience.max(PATIENCE))
    .event_callback(move |event| {
        let kept = Arc::clone(&kept);
        async move {
            if let Event::ServerError(fault) = event {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() < MAX_FAULTS {
                    kept.push(fault.to_string());
                }
            }
        }
    });
    let client = tls.apply(options)?.connect(addresses).await.map_err(|error| {
        let message = format!("cannot connect to {shown}: {}", causes(&error));
        match error.kind() {
            ConnectErrorKind::AuthorizationViolation => Error::failed(format!(
                "{message}. The server does not take the user of the system account: does its configuration have this \
                 operator and system account?"
            ))
            .next("nkey generate config --nats-resolver"),
            ConnectErrorKind::Io | ConnectErrorKind::TimedOut | ConnectErrorKind::Dns => {
                Error::failed(format!("{message}. Is a nats-server running there? Another URL is named by -u"))
            }
            _ => Error::failed(message),
        }
    })?;
    Ok(Connection { client, faults })
}
