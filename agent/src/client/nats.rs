//! Connects async-nats with a JWT whose key stays in an agent.
//!
//! ```no_run
//! use nkey_agent::client::{nats, socket_path};
//!
//! # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
//! let token = std::fs::read_to_string("app.jwt")?;
//! let options = nats::connect_options(&token, &socket_path(None)?)?;
//! let client = options.connect("nats://localhost:4222").await?;
//! client.publish("greet", "hello".into()).await?;
//! # Ok(()) }
//! ```

use super::Client;
use async_nats::{Auth, AuthError, ConnectOptions};
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::{creds, jwt};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Why a text is not a user's token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// The token is damaged, or its signature is not that of its issuer.
    Token(jwt::Error),
    /// The token is of another type than `user`.
    Type(String),
    /// `sub` is not a user's public key.
    Subject(nkey_core::nkey::Error),
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenError::Token(error) => write!(f, "this is not a user's JWT: {error}"),
            TokenError::Type(found) => {
                write!(f, "a user's JWT is needed, this is one of type {found}")
            }
            TokenError::Subject(error) => write!(f, "sub is not a user's public key: {error}"),
        }
    }
}

impl std::error::Error for TokenError {}

/// The user's key that a token names, its `sub`. The text may be a creds file too.
///
/// # Errors
/// [`TokenError`] says what is wrong with the token. Expiry and trust are the server's to judge.
pub fn user_key(token: &str) -> Result<PublicKey, TokenError> {
    let token = creds::parse_token(token);
    let mut scratch = vec![0; token.len()];
    let verified = jwt::verify(token, &mut scratch).map_err(TokenError::Token)?;
    if verified.claim_type != nkey_core::claims::ClaimType::User {
        return Err(TokenError::Type(verified.claim_type.to_string()));
    }
    let sub = subject(verified.payload).ok_or(TokenError::Token(jwt::Error::Payload))?;
    PublicKey::from_str(&sub)
        .and_then(|key| key.expect_kind(Kind::User))
        .map_err(TokenError::Subject)
}

fn subject(payload: &[u8]) -> Option<String> {
    let (claims, _) = nkey_core::tolerant::read_claims(payload).ok()?;
    Some(claims.standard().sub.clone())
}

/// Options that connect as the user of `token`; the agent that listens at `socket` signs the
/// server's nonce at each connection. The token may stand in a creds file; a seed beside it is not read.
///
/// The agent is asked on a blocking thread, so a device that waits for a touch holds up
/// nothing else. What the agent refused is the source of the `ConnectError`.
///
/// # Errors
/// [`TokenError`] if the text holds no user's token.
pub fn connect_options(token: &str, socket: &Path) -> Result<ConnectOptions, TokenError> {
    let key = user_key(token)?;
    let token = creds::parse_token(token).trim().to_owned();
    let socket: PathBuf = socket.to_owned();
    Ok(ConnectOptions::with_auth_callback(move |nonce| {
        let (token, socket) = (token.clone(), socket.clone());
        async move {
            let signing =
                tokio::task::spawn_blocking(move || Client::connect(&socket)?.sign(&key, &nonce));
            let signature = signing
                .await
                .map_err(AuthError::new)?
                .map_err(AuthError::new)?;
            let mut auth = Auth::new();
            auth.jwt = Some(token);
            auth.signature = Some(signature.as_bytes().to_vec());
            Ok(auth)
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nkey_core::claims::owned::{Account, Claims, User};
    use nkey_core::nkey::{KeyPair, Seed};

    fn pair(kind: Kind, byte: u8) -> KeyPair {
        KeyPair::from_seed(&Seed::from_bytes(kind, [byte; 32])).unwrap()
    }

    #[test]
    fn the_key_is_the_subject_of_a_users_token_alone() {
        let (account, user) = (pair(Kind::Account, 1), pair(Kind::User, 2));
        let mut buf = [0u8; 2048];
        let mut claims = Claims::<User>::default();
        claims.standard.sub = user.public_key().to_string();
        let token = jwt::sign(&claims, &account, 1_700_000_000, &mut buf).unwrap();
        assert_eq!(user_key(token), Ok(user.public_key()));
        let file =
            format!("-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n");
        assert_eq!(user_key(&file), Ok(user.public_key()));
        assert!(connect_options(&file, Path::new("/nowhere")).is_ok());
        let damaged = token.replacen("eyJqdGki", "eyJqdGkj", 1);
        assert!(matches!(user_key(&damaged), Err(TokenError::Token(_))));

        let mut claims = Claims::<Account>::default();
        claims.standard.sub = account.public_key().to_string();
        let token = jwt::sign(&claims, &account, 1_700_000_000, &mut buf).unwrap();
        assert_eq!(user_key(token), Err(TokenError::Type("account".to_owned())));
    }
}
