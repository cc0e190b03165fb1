//! Making tokens.

use super::{Error, HEADER, SIGNATURE_LEN};
use crate::canonical;
use crate::claims::{Claim, Object, Stamp, Standard};
use crate::json::{Full, Writer};
use crate::nkey::PublicKey;
use crate::{SignError, Signature, Signer};
use data_encoding::BASE64URL_NOPAD;

/// Characters of a token whose payload has this many bytes.
pub const fn token_len(payload: usize) -> usize {
    input_len(payload) + 1 + SIGNATURE_LEN
}

/// Characters of a signing input whose payload has this many bytes.
const fn input_len(payload: usize) -> usize {
    HEADER.len() + 1 + (payload * 4).div_ceil(3)
}

/// The identity of registered claims: base32 of SHA-512/256 over their JSON with `jti`
/// empty, 52 characters. `scratch` holds that JSON.
///
/// # Errors
/// [`Error::Full`] says how long `scratch` must be.
pub fn jti(standard: &Standard<'_>, scratch: &mut [u8]) -> Result<[u8; 52], Error> {
    let mut writer = Writer::new(scratch);
    let without = Standard {
        jti: "",
        ..*standard
    };
    let mut first = writer.open(b'{');
    without.write_members(&mut writer, &mut first);
    writer.close(first, b'}');
    let json = writer.finish()?;
    let json = core::str::from_utf8(json).map_err(|_| Error::Payload)?;
    Ok(canonical::hash(&[json]))
}

/// Writes the signing input `header.payload` of a claim to the front of `buf`, and returns its length.
///
/// Sets `iss`, `iat`, `jti`, `nats.type` and `nats.version`, and reads the payload back
/// through [`canonical::read`], so that nothing leaves this function that would not be signed.
/// `buf` must have room for the whole token.
///
/// # Errors
/// [`Error::Full`] with the length of the whole token; [`Error::Refused`] if the claims
/// are not ones that are signed (wrong kinds of key, keys that do not ascend).
pub fn prepare(
    claims: &impl Claim,
    issuer: &PublicKey,
    iat: i64,
    buf: &mut [u8],
) -> Result<usize, Error> {
    let iss = issuer.encode();
    let standard = Standard {
        iss: &iss,
        iat,
        jti: "",
        ..claims.standard()
    };
    // A buffer too small for the registered claims is too small for the token as well:
    // then the hash does not matter, only its length, for the length that is reported.
    let identity = jti(&standard, buf).unwrap_or([b'A'; 52]);
    let stamp = Stamp {
        standard: Standard {
            jti: core::str::from_utf8(&identity).map_err(|_| Error::Payload)?,
            ..standard
        },
        claim_type: claims.claim_type(),
    };
    let mut writer = Writer::new(buf);
    claims.write_stamped(Some(&stamp), &mut writer);
    let payload = writer.len();
    let needed = token_len(payload);
    if buf.len() < needed {
        return Err(Full { needed }.into());
    }
    canonical::read(&buf[..payload], &mut ())?;
    encode_in_place(&mut buf[..needed], payload);
    Ok(input_len(payload))
}

/// Turns `payload` bytes at the front of `buf` into the signing input.
///
/// The payload goes to the end first, then it is encoded from the front: `buf` is as long
/// as the token, so the writing end never catches up with what is still to be read.
fn encode_in_place(buf: &mut [u8], payload: usize) {
    let mut from = buf.len() - payload;
    buf.copy_within(..payload, from);
    buf[..HEADER.len()].copy_from_slice(HEADER.as_bytes());
    buf[HEADER.len()] = b'.';
    let mut to = HEADER.len() + 1;
    let mut chunk = [0u8; 48];
    while from < buf.len() {
        let read = chunk.len().min(buf.len() - from);
        chunk[..read].copy_from_slice(&buf[from..from + read]);
        let written = BASE64URL_NOPAD.encode_len(read);
        BASE64URL_NOPAD.encode_mut(&chunk[..read], &mut buf[to..to + written]);
        from += read;
        to += written;
    }
}

/// Appends a signature to the signing input at the front of `buf`; the whole token.
///
/// # Errors
/// [`Error::Full`] with the length needed.
pub fn finish<'b>(
    input: usize,
    signature: &Signature,
    buf: &'b mut [u8],
) -> Result<&'b str, Error> {
    let needed = input + 1 + SIGNATURE_LEN;
    let token = buf.get_mut(..needed).ok_or(Full { needed })?;
    token[input] = b'.';
    BASE64URL_NOPAD.encode_mut(signature.as_bytes(), &mut token[input + 1..]);
    core::str::from_utf8(token).map_err(|_| Error::Payload)
}

/// Signs a claim: the token, in `buf`. `now` is the time of issue in Unix seconds.
///
/// The signature is not verified; [`sign_checked`] does that, and whatever holds a key for
/// others must.
///
/// # Errors
/// As [`prepare`], and [`Error::Sign`] if the signer does not sign.
pub fn sign<'b>(
    claims: &impl Claim,
    signer: &(impl Signer + ?Sized),
    now: i64,
    buf: &'b mut [u8],
) -> Result<&'b str, Error> {
    let input = prepare(claims, &signer.public_key(), now, buf)?;
    let signature = signer.sign(&buf[..input])?;
    finish(input, &signature, buf)
}

/// [`sign`], and the signature is verified before the token is returned.
///
/// # Errors
/// As [`sign`], and [`Error::Signature`] if the signer signed something else.
pub fn sign_checked<'b>(
    claims: &impl Claim,
    signer: &(impl Signer + ?Sized),
    now: i64,
    buf: &'b mut [u8],
) -> Result<&'b str, Error> {
    let key = signer.public_key();
    let input = prepare(claims, &key, now, buf)?;
    let signature: Result<Signature, SignError> = signer.sign(&buf[..input]);
    let signature = signature?;
    if !key.verify(&buf[..input], &signature) {
        return Err(Error::Signature);
    }
    finish(input, &signature, buf)
}
