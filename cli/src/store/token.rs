//! Tokens of the store, read and verified.

use super::file;
use crate::error::Error;
use nkey_core::claims::ClaimType;
use nkey_core::claims::owned::{Account, Activation, Claims, Operator, User};
use nkey_core::creds;
use nkey_core::jwt::Algorithm;
use nkey_core::tolerant::{self, AnyClaims, Decoded, Notes};
use std::path::{Path, PathBuf};

/// A token of the store and what it says.
#[derive(Clone, Debug)]
pub struct Entry<N> {
    /// The name of its file, without `.jwt`.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// The token.
    pub token: String,
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// The claims.
    pub claims: Claims<N>,
    /// What the tolerant reader passed over.
    pub notes: Notes,
    /// The version of the claim.
    pub version: Algorithm,
}

/// A payload that the store keeps.
pub trait Typed: Sized {
    /// Its type.
    const TYPE: ClaimType;
    /// The claims, if they are of this type.
    fn from_any(claims: AnyClaims) -> Option<Claims<Self>>;
    /// The claims as ones of any type.
    fn into_any(claims: Claims<Self>) -> AnyClaims;
}

macro_rules! typed {
    ($( $payload:ident ),*) => { $(
        impl Typed for $payload {
            const TYPE: ClaimType = ClaimType::$payload;

            fn from_any(claims: AnyClaims) -> Option<Claims<$payload>> {
                match claims {
                    AnyClaims::$payload(claims) => Some(claims),
                    _ => None,
                }
            }

            fn into_any(claims: Claims<$payload>) -> AnyClaims {
                AnyClaims::$payload(claims)
            }
        }
    )* };
}
typed!(Operator, Account, User, Activation);

/// Reads and verifies the token in a file; none if there is no such file.
///
/// # Errors
/// Names the file, and the member that does not fit.
pub fn read_token(path: &Path) -> Result<Option<(Vec<u8>, String, Decoded)>, Error> {
    let Some(bytes) = file::read(path)? else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        Error::failed(format!(
            "{} is not text, so it holds no token",
            path.display()
        ))
    })?;
    let token = creds::parse_token(text).to_owned();
    let decoded = tolerant::decode(&token)
        .map_err(|error| Error::failed(format!("{}: {error}", path.display())))?;
    Ok(Some((bytes, token, decoded)))
}

impl<N: Typed> Entry<N> {
    /// Reads the token of `name`; none if there is no such file.
    ///
    /// # Errors
    /// As [`read_token`], and if it is of another type.
    pub fn read(name: &str, path: PathBuf) -> Result<Option<Entry<N>>, Error> {
        let Some((bytes, token, decoded)) = read_token(&path)? else {
            return Ok(None);
        };
        let Some(claims) = N::from_any(decoded.claims) else {
            return Err(Error::failed(format!(
                "{} is not the token of an {}",
                path.display(),
                N::TYPE
            )));
        };
        Ok(Some(Entry {
            name: name.to_owned(),
            path,
            token,
            bytes,
            claims,
            notes: decoded.notes,
            version: decoded.version,
        }))
    }

    /// The public key that the token is about.
    pub fn sub(&self) -> &str {
        &self.claims.standard.sub
    }
}
