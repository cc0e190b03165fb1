//! Checking tokens that others made.

use super::peek::Peek;
use super::{Algorithm, Error, header};
use crate::Signature;
use crate::claims::ClaimType;
use crate::json::Full;
use crate::nkey::PublicKey;
use core::str::FromStr;
use data_encoding::BASE64URL_NOPAD;

/// The longest token that nats-io/jwt reads, in bytes.
pub const MAX_TOKEN: usize = 1024 * 1024;

/// A token taken apart, nothing verified.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// What the header says.
    pub algorithm: Algorithm,
    /// `header.payload`, what version 2 signs.
    pub input: &'a str,
    /// The payload in base64url, what version 1 signs.
    pub payload: &'a str,
    /// The signature.
    pub signature: Signature,
}

impl<'a> Parts<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// Names the part that is wrong.
    pub fn new(token: &'a str) -> Result<Parts<'a>, Error> {
        if token.len() > MAX_TOKEN {
            return Err(Error::TooLarge(token.len()));
        }
        let mut chunks = token.split('.');
        let (Some(head), Some(payload), Some(signature), None) =
            (chunks.next(), chunks.next(), chunks.next(), chunks.next())
        else {
            return Err(Error::Parts(token.split('.').count()));
        };
        let algorithm = header::read(head)?;
        let mut raw = [0u8; 66];
        let len = BASE64URL_NOPAD
            .decode_len(signature.len())
            .map_err(|_| Error::Base64("signature"))?;
        if len != 64 {
            return Err(Error::SignatureLength(len));
        }
        BASE64URL_NOPAD
            .decode_mut(signature.as_bytes(), &mut raw[..len])
            .map_err(|_| Error::Base64("signature"))?;
        let mut bytes = [0u8; 64];
        bytes.copy_from_slice(&raw[..64]);
        Ok(Parts {
            algorithm,
            input: &token[..head.len() + 1 + payload.len()],
            payload,
            signature: Signature::from_bytes(bytes),
        })
    }

    /// Bytes of the decoded payload.
    ///
    /// # Errors
    /// [`Error::Base64`] if no base64url text has this length.
    pub fn payload_len(&self) -> Result<usize, Error> {
        BASE64URL_NOPAD
            .decode_len(self.payload.len())
            .map_err(|_| Error::Base64("payload"))
    }

    /// Decodes the payload into `scratch`.
    ///
    /// # Errors
    /// [`Error::Full`] with the length needed, [`Error::Base64`].
    pub fn decode_payload<'s>(&self, scratch: &'s mut [u8]) -> Result<&'s [u8], Error> {
        let needed = self.payload_len()?;
        let payload = scratch.get_mut(..needed).ok_or(Full { needed })?;
        BASE64URL_NOPAD
            .decode_mut(self.payload.as_bytes(), payload)
            .map_err(|_| Error::Base64("payload"))?;
        Ok(payload)
    }

    /// Whether the signature is that of `iss` for a claim of this version.
    pub fn is_signed_by(&self, iss: &PublicKey, version: Algorithm) -> bool {
        let message = match version {
            Algorithm::V1 => self.payload,
            Algorithm::V2 => self.input,
        };
        iss.verify(message.as_bytes(), &self.signature)
    }
}

/// A token whose signature is right. Whether `iss` is trusted is for the caller to say.
#[derive(Clone, Copy, Debug)]
pub struct Verified<'s> {
    /// The key that signed.
    pub iss: PublicKey,
    /// The claim's type.
    pub claim_type: ClaimType,
    /// The version of the claim.
    pub version: Algorithm,
    /// The payload, JSON.
    pub payload: &'s [u8],
}

/// Which rule the signature follows: by the claim's version, for generic claims by the header.
pub(crate) fn rule(
    old_type: bool,
    claim_type: ClaimType,
    version: i64,
    algorithm: Algorithm,
) -> Result<Algorithm, Error> {
    match (old_type, claim_type, version) {
        (_, _, 3..) => Err(Error::Version(version)),
        (_, ClaimType::Generic, _) => Ok(algorithm),
        (true, ..) => Ok(Algorithm::V1),
        (false, _, 2) => Ok(Algorithm::V2),
        // Go loads these two whatever their version, and then applies the rule of its number.
        (false, ClaimType::AuthorizationRequest | ClaimType::AuthorizationResponse, _)
        | (false, _, 1) => Ok(Algorithm::V1),
        (false, ..) => Err(Error::Version(version)),
    }
}

/// Verifies a token: header, signature of `iss`, and that a key of its kind may issue the claim.
///
/// Reads the payload into `scratch` (three quarters of the token's length are enough).
/// Not checked: expiry, and whether `iss` is trusted. A payload that repeats a member, or
/// spells one otherwise, is refused; `tolerant` (feature `alloc`) reads those as Go does.
///
/// # Errors
/// Names what is wrong; [`Error::Full`] says how long `scratch` must be.
pub fn verify<'s>(token: &str, scratch: &'s mut [u8]) -> Result<Verified<'s>, Error> {
    let parts = Parts::new(token)?;
    let payload = parts.decode_payload(scratch)?;
    let peek = Peek::read(payload).ok_or(Error::Payload)?;
    let claim_type = ClaimType::from_name(peek.name());
    let version = rule(
        peek.old_type.is_some(),
        claim_type,
        peek.nats.version,
        parts.algorithm,
    )?;
    let iss = PublicKey::from_str(peek.iss).map_err(Error::Issuer)?;
    let issuers = claim_type.issuers();
    if let (Some(&wanted), false) = (issuers.first(), issuers.contains(&iss.kind())) {
        return Err(Error::Issuer(crate::nkey::Error::WrongKind {
            found: iss.kind(),
            wanted,
        }));
    }
    if !parts.is_signed_by(&iss, version) {
        return Err(Error::Signature);
    }
    Ok(Verified {
        iss,
        claim_type,
        version,
        payload,
    })
}
