//! What identifies an activation. Source: nats-io/jwt `activation_claims.go`.

use crate::claims::{Activation, Claims};
use core::fmt;
use data_encoding::BASE32;
use sha2::{Digest, Sha256};

/// Characters of a [`HashId`].
pub const HASH_ID_LEN: usize = 56;

/// Names an activation by issuer, importing account and subject: base32 with padding of SHA-256
/// over `iss.sub.subject`, the subject [cleaned](clean_subject). Account servers keep
/// activations under this name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HashId([u8; HASH_ID_LEN]);

impl HashId {
    /// The 56 characters.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for HashId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for HashId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The activation lacks this member, which its [`HashId`] is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing(pub &'static str);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the activation has no `{}`, so it has no hash", self.0)
    }
}

impl core::error::Error for Missing {}

/// The subject before its first token that is a wildcard, or `_` if that is the first token.
pub fn clean_subject(subject: &str) -> &str {
    let mut start = 0;
    for token in subject.split('.') {
        if matches!(token, "*" | ">") {
            return match start {
                0 => "_",
                // `.*` has nothing before its wildcard but a dot, and Go then leaves it.
                1 => subject,
                _ => &subject[..start - 1],
            };
        }
        start += token.len() + 1;
    }
    subject
}

fn hash_id(iss: &str, sub: &str, subject: &str) -> Result<HashId, Missing> {
    let members = [("iss", iss), ("sub", sub), ("nats.subject", subject)];
    if let Some((key, _)) = members.into_iter().find(|(_, value)| value.is_empty()) {
        return Err(Missing(key));
    }
    let mut hasher = Sha256::new();
    for piece in [iss, ".", sub, ".", clean_subject(subject)] {
        hasher.update(piece.as_bytes());
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let mut text = [0; HASH_ID_LEN];
    BASE32.encode_mut(&digest, &mut text);
    Ok(HashId(text))
}

impl Claims<'_, Activation<'_>> {
    /// What names this activation.
    ///
    /// # Errors
    /// [`Missing`] without `iss`, `sub` or subject.
    pub fn hash_id(&self) -> Result<HashId, Missing> {
        hash_id(self.standard.iss, self.standard.sub, self.nats.subject)
    }
}

#[cfg(feature = "alloc")]
impl crate::claims::owned::Claims<crate::claims::owned::Activation> {
    /// What names this activation.
    ///
    /// # Errors
    /// [`Missing`] without `iss`, `sub` or subject.
    pub fn hash_id(&self) -> Result<HashId, Missing> {
        hash_id(&self.standard.iss, &self.standard.sub, &self.nats.subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::Standard;

    #[test]
    fn subjects_are_cut_before_the_first_wildcard() {
        for (subject, cleaned) in [
            ("foo", "foo"),
            ("foo.bar", "foo.bar"),
            ("foo.*", "foo"),
            ("foo.*.bar.>", "foo"),
            ("foo.bar.>", "foo.bar"),
            ("*", "_"),
            (">", "_"),
            ("*.foo", "_"),
            ("foo*.>bar", "foo*.>bar"),
            (".*", ".*"),
            ("..*", "."),
            ("", ""),
        ] {
            assert_eq!(clean_subject(subject), cleaned, "{subject}");
        }
    }

    #[test]
    fn the_hash_is_of_issuer_subject_and_cleaned_subject() {
        let claims = |iss, sub, subject| Claims {
            standard: Standard {
                iss,
                sub,
                ..Standard::default()
            },
            nats: Activation {
                subject,
                ..Activation::default()
            },
            ..Claims::default()
        };
        // printf %s A.B.foo | openssl dgst -sha256 -binary | base32 -w0
        let hash = claims("A", "B", "foo.>").hash_id().unwrap();
        assert_eq!(
            hash.as_str(),
            "3DIUQKHJCANLQSGBCKVKZU3M6O3ML5K44T63O274AAZAQNQW4EIA===="
        );
        assert_eq!(claims("A", "B", "foo.*.x").hash_id(), Ok(hash));
        assert_ne!(claims("A", "B", "foo.x").hash_id(), Ok(hash));
        assert_eq!(claims("", "B", "foo").hash_id(), Err(Missing("iss")));
        assert_eq!(claims("A", "", "foo").hash_id(), Err(Missing("sub")));
        assert_eq!(claims("A", "B", "").hash_id(), Err(Missing("nats.subject")));
    }
}
