//! Tokens of version 1, which nothing of ours issues.

use data_encoding::BASE64URL_NOPAD;
use nkey_core::nkey::KeyPair;
use serde_json::Value;

/// The token of these claims, whose `type` stands at the top level; `iss` is the signer.
pub fn old_token(mut claims: Value, signer: &KeyPair) -> String {
    claims["iss"] = signer.public_key().to_string().into();
    let header = BASE64URL_NOPAD.encode(br#"{"typ":"jwt","alg":"ed25519"}"#);
    let payload = BASE64URL_NOPAD.encode(claims.to_string().as_bytes());
    // Version 1 signs the payload alone.
    let signature = signer.sign(payload.as_bytes());
    let signature = BASE64URL_NOPAD.encode(signature.as_bytes());
    format!("{header}.{payload}.{signature}")
}
