//! What each kind of key signs, and nothing else.
//!
//! The languages are disjoint: a JWT signing input is longer than a nonce and has a dot,
//! a proof of possession starts with a NUL-ended label that neither can hold, and what ssh
//! signs starts with a length or `SSHSIG`. So a server that asks for a "nonce", or an ssh
//! server that asks for a login, never gets a signature that means something else.

use crate::canonical::{self, Reading, Refusal, Visit};
use crate::json::Full;
use crate::jwt::HEADER;
use crate::nkey::{Kind, PublicKey};
use core::fmt;
use data_encoding::BASE64URL_NOPAD;

/// Characters of a server's nonce: 11 random bytes in base64url.
pub const NONCE_LEN: usize = 15;

/// The first bytes of a proof of possession; 32 bytes of the public key and 32 random bytes follow.
pub const POSSESSION: &[u8; 19] = b"nkey-possession-v1\0";

/// What a message is, by its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// J: a JWT's `header.payload`.
    Jwt,
    /// N: a server's nonce, exactly 15 characters of base64url.
    Nonce,
    /// E: a proof of possession, only inside enrolment and never on a request.
    Possession,
    /// S: an ssh login or an SSHSIG; nobody signs it.
    Ssh,
    /// Anything else; nobody signs it.
    Other,
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Language::Jwt => "a JWT",
            Language::Nonce => "a server's nonce",
            Language::Possession => "a proof of possession",
            Language::Ssh => "an ssh login or signature",
            Language::Other => "neither a JWT nor a nonce",
        })
    }
}

/// What a message is.
pub fn classify(message: &[u8]) -> Language {
    let base64url = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if message.len() == NONCE_LEN && message.iter().all(base64url) {
        Language::Nonce
    } else if message
        .strip_prefix(HEADER.as_bytes())
        .is_some_and(|rest| rest.first() == Some(&b'.'))
    {
        Language::Jwt
    } else if message.starts_with(POSSESSION) {
        Language::Possession
    } else if is_ssh(message) {
        Language::Ssh
    } else {
        Language::Other
    }
}

/// RFC 4252, section 7 (string session id, byte 50) or PROTOCOL.sshsig (`SSHSIG`).
fn is_ssh(message: &[u8]) -> bool {
    if message.starts_with(b"SSHSIG") {
        return true;
    }
    let Some((length, rest)) = message.split_first_chunk::<4>() else {
        return false;
    };
    usize::try_from(u32::from_be_bytes(*length))
        .is_ok_and(|length| length <= 64 && rest.get(length) == Some(&50))
}

/// A message that a key may sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permit<'s> {
    /// A claim, read strictly.
    Jwt(Reading<'s>),
    /// A server's nonce.
    Nonce,
}

/// Why a key does not sign a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// Keys of this kind do not sign this.
    Language {
        /// The kind of the key.
        kind: Kind,
        /// What the message is.
        language: Language,
    },
    /// The payload is not base64url without padding.
    Base64,
    /// The strict reader refused the claims.
    Claims(Refusal),
    /// The claims name another issuer than the key that is to sign.
    Issuer(PublicKey),
    /// The scratch buffer is too small.
    Full(Full),
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denial::Language { kind, language } => {
                let signs = match kind {
                    Kind::Operator | Kind::Account => "JWTs only",
                    Kind::User => "a server's nonce only",
                    _ => "nothing here",
                };
                write!(f, "a key of kind {kind} signs {signs}; this is {language}")
            }
            Denial::Base64 => f.write_str("the payload is not base64url without padding"),
            Denial::Claims(refusal) => refusal.fmt(f),
            Denial::Issuer(found) => {
                write!(f, "iss is {found}, which is not the key that is to sign")
            }
            Denial::Full(full) => full.fmt(f),
        }
    }
}

impl core::error::Error for Denial {}

/// Whether `key` may sign `message`: J for operators and accounts, N for users.
///
/// The payload is decoded into `scratch` (three quarters of the message are enough) and
/// read strictly; `visitor` sees its values.
///
/// # Errors
/// A [`Denial`] says why not.
pub fn permit<'s>(
    key: &PublicKey,
    message: &[u8],
    scratch: &'s mut [u8],
    visitor: &mut dyn Visit,
) -> Result<Permit<'s>, Denial> {
    let language = classify(message);
    match (key.kind(), language) {
        (Kind::User, Language::Nonce) => Ok(Permit::Nonce),
        (Kind::Operator | Kind::Account, Language::Jwt) => {
            let chunk = &message[HEADER.len() + 1..];
            let needed = BASE64URL_NOPAD
                .decode_len(chunk.len())
                .map_err(|_| Denial::Base64)?;
            let payload = scratch
                .get_mut(..needed)
                .ok_or(Denial::Full(Full { needed }))?;
            BASE64URL_NOPAD
                .decode_mut(chunk, payload)
                .map_err(|_| Denial::Base64)?;
            let reading = canonical::read(payload, visitor).map_err(Denial::Claims)?;
            if reading.iss != *key {
                return Err(Denial::Issuer(reading.iss));
            }
            Ok(Permit::Jwt(reading))
        }
        (kind, language) => Err(Denial::Language { kind, language }),
    }
}
