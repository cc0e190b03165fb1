//! The JOSE header.

use super::Error;
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

/// How a token is signed, as its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `ed25519`: version 1, over the payload alone.
    V1,
    /// `ed25519-nkey`: version 2, over header and payload.
    V2,
}

#[derive(Deserialize)]
struct Header<'a> {
    typ: &'a str,
    alg: &'a str,
}

/// Reads a header; `typ` and `alg` in any letter case, as nats-io/jwt does.
pub(super) fn read(chunk: &str) -> Result<Algorithm, Error> {
    if chunk == super::HEADER {
        return Ok(Algorithm::V2);
    }
    let mut raw = [0u8; 192];
    let len = BASE64URL_NOPAD
        .decode_len(chunk.len())
        .map_err(|_| Error::Base64("header"))?;
    let raw = raw.get_mut(..len).ok_or(Error::Header)?;
    BASE64URL_NOPAD
        .decode_mut(chunk.as_bytes(), raw)
        .map_err(|_| Error::Base64("header"))?;
    let (header, read) =
        serde_json_core::from_slice::<Header<'_>>(raw).map_err(|_| Error::Header)?;
    if read != raw.len() || !header.typ.eq_ignore_ascii_case("JWT") {
        return Err(Error::Header);
    }
    if header.alg.eq_ignore_ascii_case("ed25519-nkey") {
        Ok(Algorithm::V2)
    } else if header.alg.eq_ignore_ascii_case("ed25519") {
        Ok(Algorithm::V1)
    } else {
        Err(Error::Header)
    }
}
