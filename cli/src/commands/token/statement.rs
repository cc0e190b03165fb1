//! The file in which a statement of a device key travels.

use crate::error::Error;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use nkey_core::Signature;
use serde_json::{Value, json};

/// Where the device key stands in a statement, behind its label.
const DEVICE: std::ops::Range<usize> = 26..58;

/// A statement and its signature.
pub struct Statement {
    /// What is stated.
    pub bytes: Vec<u8>,
    /// The device key's signature of it.
    pub signature: Signature,
}

impl Statement {
    /// The file's content.
    pub fn json(&self) -> Value {
        json!({
            "statement": HEXLOWER.encode(&self.bytes),
            "signature": HEXLOWER.encode(self.signature.as_bytes()),
        })
    }

    /// Reads it again.
    ///
    /// # Errors
    /// If it is something else.
    pub fn read(text: &str) -> Result<Statement, Error> {
        let wrong = || Error::failed("this is no statement of a token");
        let value: Value = serde_json::from_str(text).map_err(|_| wrong())?;
        let bytes = |name: &str| {
            let digits = value.get(name)?.as_str()?;
            HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()
        };
        let signature: [u8; 64] = bytes("signature")
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(wrong)?;
        Ok(Statement {
            bytes: bytes("statement").ok_or_else(wrong)?,
            signature: Signature::from_bytes(signature),
        })
    }

    /// The device key that it names itself, which proves nothing.
    pub fn device(&self) -> Option<[u8; 32]> {
        self.bytes.get(DEVICE)?.try_into().ok()
    }
}
