//! What can go wrong with a token.

use crate::SignError;
use crate::canonical::Refusal;
use crate::json::Full;
use crate::nkey;
use core::fmt;

/// Why a token was not made or not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A buffer is too small.
    Full(Full),
    /// The claims that were written are not ones that are signed.
    Refused(Refusal),
    /// The signer did not sign.
    Sign(SignError),
    /// The token is longer than [`super::MAX_TOKEN`] bytes.
    TooLarge(usize),
    /// The token has this many parts instead of three.
    Parts(usize),
    /// This part is not base64url without padding.
    Base64(&'static str),
    /// The header is not that of a NATS JWT.
    Header,
    /// The payload is not a JSON object with the members that a claim has.
    Payload,
    /// The version of the format is newer than 2 or missing.
    Version(i64),
    /// `iss` is no public key.
    Issuer(nkey::Error),
    /// The signature is not 64 bytes.
    SignatureLength(usize),
    /// The signature is not that of `iss`.
    Signature,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Full(full) => full.fmt(f),
            Error::Refused(refusal) => write!(f, "the claims are refused: {refusal}"),
            Error::Sign(error) => error.fmt(f),
            Error::TooLarge(len) => write!(
                f,
                "a token of {len} bytes is longer than the {} that servers read",
                super::MAX_TOKEN
            ),
            Error::Parts(found) => write!(
                f,
                "a token has three parts divided by dots, this has {found}"
            ),
            Error::Base64(part) => write!(f, "the {part} is not base64url without padding"),
            Error::Header => f.write_str("the header is not that of a NATS JWT"),
            Error::Payload => f.write_str("the payload is not the JSON of a claim"),
            Error::Version(version) => write!(f, "JWT format version {version} is not supported"),
            Error::Issuer(error) => write!(f, "iss is not a public key: {error}"),
            Error::SignatureLength(len) => write!(f, "the signature has {len} bytes instead of 64"),
            Error::Signature => f.write_str("the signature is not that of the issuer"),
        }
    }
}

impl core::error::Error for Error {}

impl From<Full> for Error {
    fn from(full: Full) -> Error {
        Error::Full(full)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        Error::Refused(refusal)
    }
}

impl From<SignError> for Error {
    fn from(error: SignError) -> Error {
        Error::Sign(error)
    }
}
