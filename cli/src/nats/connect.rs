//! Connecting as a user whose key stays in the agent.

use crate::error::Error;
use crate::output::clean_inline;
use async_nats::{Auth, AuthError, ConnectErrorKind, ConnectOptions, Event, ServerAddr};
use nkey_agent::client::Client;
use nkey_core::nkey::PublicKey;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// TLS; nsc's flags.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "TLS")]
pub struct TlsFlags {
    /// Trust the certificate authorities in FILE
    #[arg(long, value_name = "FILE", env = "NATS_CA")]
    ca_cert: Option<PathBuf>,
    /// Show the server the certificate in FILE
    #[arg(long, value_name = "FILE", requires = "client_key", env = "NATS_CERT")]
    client_cert: Option<PathBuf>,
    /// The key of --client-cert
    #[arg(long, value_name = "FILE", requires = "client_cert", env = "NATS_KEY")]
    client_key: Option<PathBuf>,
    /// Start TLS before the server says anything
    #[arg(long)]
    tls_first: bool,
}

impl TlsFlags {
    fn apply(&self, mut options: ConnectOptions) -> ConnectOptions {
        if let Some(path) = &self.ca_cert {
            options = options.add_root_certificates(path.clone());
        }
        if let (Some(cert), Some(key)) = (&self.client_cert, &self.client_key) {
            options = options.add_client_certificate(cert.clone(), key.clone());
        }
        if self.tls_first {
            options.tls_first()
        } else {
            options
        }
    }
}

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

/// Complaints that are kept; a server may repeat itself without end.
const MAX_FAULTS: usize = 20;

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
    .name("nkey push")
    .connection_timeout(patience)
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
    let client = tls.apply(options).connect(addresses).await.map_err(|error| {
        let message = format!("cannot connect to {shown}: {error}");
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
