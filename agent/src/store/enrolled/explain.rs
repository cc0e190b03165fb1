//! Says what a wrong signature is: some holders sign something else than they were given.

use nkey_core::Signature;
use nkey_core::nkey::PublicKey;
use sha2::{Digest, Sha256, Sha512};

/// Most prefixes that are tried: each costs a verification.
const MAX_PREFIXES: usize = 4096;

/// What `signature`, which is not that of `key` over `message`, is. `others` are further keys
/// that may have made it.
pub fn signature(
    key: &PublicKey,
    message: &[u8],
    signature: &Signature,
    others: &[PublicKey],
) -> String {
    let digests: [(&str, Vec<u8>); 2] = [
        ("SHA-256", Sha256::digest(message).to_vec()),
        ("SHA-512", Sha512::digest(message).to_vec()),
    ];
    if let Some((name, _)) = digests
        .iter()
        .find(|(_, digest)| key.verify(digest, signature))
    {
        return format!(
            "it signed the {name} digest instead of the message; Ed25519 keys of NATS sign the message itself, so it cannot be used"
        );
    }
    if let Some(other) = others
        .iter()
        .find(|other| *other != key && other.verify(message, signature))
    {
        return format!(
            "it signed with {other} instead of {key}: was the card or its key changed?"
        );
    }
    let prefixes = 0..message.len().min(MAX_PREFIXES);
    if let Some(length) = prefixes
        .into_iter()
        .find(|length| key.verify(&message[..*length], signature))
    {
        return format!(
            "it signed only the first {length} of {} bytes: its firmware is wrong, do not use it",
            message.len()
        );
    }
    if *signature.as_bytes() == [0; 64] {
        return format!("it answered zeros instead of a signature by {key}");
    }
    format!("its signature is not that of {key}: was the card or its key changed?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use nkey_core::nkey::{KeyPair, Kind, Seed};

    fn pair(byte: u8) -> KeyPair {
        KeyPair::from_seed(&Seed::from_bytes(Kind::Account, [byte; 32])).unwrap()
    }

    #[test]
    fn five_lies_are_told_apart() {
        let (right, wrong) = (pair(1), pair(2));
        let key = right.public_key();
        let message = [b'm'; 600];
        let say = |signature: &Signature, others: &[PublicKey]| {
            super::signature(&key, &message, signature, others)
        };
        let digest = right.sign(&Sha512::digest(message));
        assert!(say(&digest, &[]).contains("the SHA-512 digest"));
        let digest = right.sign(&Sha256::digest(message));
        assert!(say(&digest, &[]).contains("the SHA-256 digest"));
        let prefix = right.sign(&message[..32]);
        assert!(say(&prefix, &[]).contains("only the first 32 of 600 bytes"));
        let other = wrong.sign(&message);
        let named = say(&other, &[key, wrong.public_key()]);
        assert!(named.contains(&wrong.public_key().to_string()), "{named}");
        assert!(say(&other, &[]).contains("is not that of"));
        assert!(say(&Signature::from_bytes([0; 64]), &[]).contains("zeros"));
    }
}
