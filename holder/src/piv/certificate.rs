//! The certificate of a slot: it names the NKey, for tools that list slots by certificate.

use super::tlv;
use nkey_agent::device::Failure;
use nkey_core::nkey::{KeyPair, Kind, PublicKey, Seed};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 2;
const BIT_STRING: u8 = 3;
const UTF8: u8 = 0x0c;
const TIME: u8 = 0x18;

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    tlv::write(&mut out, tag, &parts.concat());
    out
}

/// 1.3.101.112, which is Ed25519 as key and as signature.
fn ed25519() -> Vec<u8> {
    der(SEQUENCE, &[&[6, 3, 0x2b, 0x65, 0x70]])
}

/// 2.5.4.3, the common name.
fn name(text: &str) -> Vec<u8> {
    let text = der(UTF8, &[text.as_bytes()]);
    let pair = der(SEQUENCE, &[&[6, 3, 0x55, 4, 3], &text]);
    der(SEQUENCE, &[&der(SET, &[&pair])])
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    der(BIT_STRING, &[&[0], bytes])
}

/// A certificate for `key`, valid for ever, that a key signed which nobody has any more: an NKey
/// signs no DER.
///
/// # Errors
/// If there is no randomness.
pub fn of(key: &PublicKey) -> Result<Vec<u8>, Failure> {
    let lost = |error: &dyn std::fmt::Display| Failure::other(format!("no randomness: {error}"));
    let seed = Seed::generate(Kind::User, getrandom::fill).map_err(|error| lost(&error))?;
    let throwaway = KeyPair::from_seed(&seed).map_err(|error| lost(&error))?;
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).map_err(|error| lost(&error))?;
    // Positive, and as long as it looks.
    serial[0] = serial[0] & 0x7f | 0x40;
    let validity = der(
        SEQUENCE,
        &[
            &der(TIME, &[b"20200101000000Z"]),
            &der(TIME, &[b"99991231235959Z"]),
        ],
    );
    let content = der(
        SEQUENCE,
        &[
            &der(0xa0, &[&der(INTEGER, &[&[2]])]),
            &der(INTEGER, &[&serial]),
            &ed25519(),
            &name("nkey (no one has this key)"),
            &validity,
            &name(&key.to_string()),
            &der(SEQUENCE, &[&ed25519(), &bits(key.as_bytes())]),
        ],
    );
    let signature = throwaway.sign(&content);
    Ok(der(
        SEQUENCE,
        &[&content, &ed25519(), &bits(signature.as_bytes())],
    ))
}
