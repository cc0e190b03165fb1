//! Base32 and the checksum, shared by public keys, seeds and private keys.

use super::{Error, Kind};
use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

/// Characters of a public key.
pub const PUBLIC_LEN: usize = 56;
/// Characters of a seed.
pub const SEED_LEN: usize = 58;
/// Characters of an Ed25519 private key (`P`).
pub const PRIVATE_LEN: usize = 108;
/// Characters of the longest form.
pub const MAX_TEXT: usize = PRIVATE_LEN;

pub(super) const PREFIX_SEED: u8 = 18 << 3;
pub(super) const PREFIX_PRIVATE: u8 = 15 << 3;

const MAX_RAW: usize = 1 + 64 + 2;

/// CRC-16/XMODEM: polynomial 0x1021, initial value 0, nothing reflected.
pub(super) fn crc16(data: &[u8]) -> u16 {
    data.iter().fold(0u16, |crc, &byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            if crc & 0x8000 != 0 {
                (crc << 1) ^ 0x1021
            } else {
                crc << 1
            }
        })
    })
}

/// Writes `prefix`, `key` and their checksum as base32 into `text`, which has the exact length.
pub(super) fn encode(prefix: &[u8], key: &[u8], text: &mut [u8]) {
    let mut raw = Zeroizing::new([0u8; MAX_RAW]);
    let body = prefix.len() + key.len();
    raw[..prefix.len()].copy_from_slice(prefix);
    raw[prefix.len()..body].copy_from_slice(key);
    let crc = crc16(&raw[..body]).to_le_bytes();
    raw[body..body + 2].copy_from_slice(&crc);
    BASE32_NOPAD.encode_mut(&raw[..body + 2], text);
}

/// The bytes of `text` without their checksum, at the front of the returned array.
pub(super) fn decode<const N: usize>(text: &str) -> Result<Zeroizing<[u8; N]>, Error> {
    let wanted = BASE32_NOPAD.encode_len(N);
    if text.len() != wanted {
        return Err(Error::Length {
            found: text.chars().count(),
            wanted,
        });
    }
    let mut raw = Zeroizing::new([0u8; N]);
    BASE32_NOPAD
        .decode_mut(text.as_bytes(), &mut raw[..])
        .map_err(|partial| Error::Base32 {
            position: partial.error.position,
        })?;
    let body = N - 2;
    if crc16(&raw[..body]).to_le_bytes() != raw[body..] {
        return Err(Error::Checksum);
    }
    Ok(raw)
}

/// What the first characters say `text` is, so that an error can name it.
pub(super) enum Form {
    Public(Kind),
    Seed,
    Private,
    Unknown,
}

pub(super) fn form(text: &str) -> Form {
    let mut letters = text.chars();
    match (letters.next(), letters.next(), text.len()) {
        (Some('S'), _, SEED_LEN) => Form::Seed,
        (Some('P'), _, PRIVATE_LEN) => Form::Private,
        (Some(first), _, PUBLIC_LEN) => Kind::ALL
            .into_iter()
            .find(|kind| kind.letter() == first)
            .map_or(Form::Unknown, Form::Public),
        _ => Form::Unknown,
    }
}
