//! The two halves of a key on disk: what is public, and what is sealed.

use crate::store::{Flags, KeyInfo};
use nkey_core::nkey::{PublicKey, Seed};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::{Read, Write};
use std::str::FromStr;
use zeroize::Zeroizing;

/// Most bytes of a public half: a name of 255 bytes, every one escaped, fits.
pub(super) const MAX_PUBLIC: usize = 2048;
/// Most bytes of a sealed half; age's header adds some hundred.
pub(super) const MAX_SEALED: usize = 8192;
const MAX_PLAIN: usize = 4096;

/// What a person gave a key: the content of `PUB.json`, repeated inside `PUB.age`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Marks {
    pub(super) name: String,
    pub(super) any_iat: bool,
    pub(super) exportable: bool,
}

impl Marks {
    pub(super) fn new(name: &str, flags: Flags) -> Marks {
        Marks {
            name: name.to_owned(),
            any_iat: flags.any_iat,
            exportable: flags.exportable,
        }
    }

    pub(super) fn info(&self, key: PublicKey) -> KeyInfo {
        KeyInfo {
            key,
            name: self.name.clone(),
            flags: Flags {
                exportable: self.exportable,
                any_iat: self.any_iat,
                ..Flags::default()
            },
        }
    }

    /// The bytes of `PUB.json`.
    pub(super) fn encode(&self) -> Result<Vec<u8>, String> {
        let mut bytes = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads `PUB.json`; the name is checked as if it came from outside, since it does.
    pub(super) fn decode(bytes: &[u8]) -> Result<Marks, String> {
        // Not serde's message: it quotes the file, which may hold terminal sequences.
        let marks: Marks = serde_json::from_slice(bytes).map_err(|error| {
            format!(
                "it is not the public half of a key (column {})",
                error.column()
            )
        })?;
        crate::store::admit::name(&marks.name).map_err(|error| error.to_string())?;
        Ok(marks)
    }
}

/// The plaintext of `PUB.age`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed<'a> {
    key: &'a str,
    #[serde(borrow)]
    name: Cow<'a, str>,
    any_iat: bool,
    exportable: bool,
    seed: &'a str,
}

/// The bytes of `PUB.age`: a key sealed to the vault's recipient.
pub(super) fn seal(
    recipient: &age::x25519::Recipient,
    key: &PublicKey,
    marks: &Marks,
    seed: &Seed,
) -> Result<Vec<u8>, String> {
    let text = seed.encode();
    // Of full size from the start: growing would leave copies of the seed behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(MAX_PLAIN));
    serde_json::to_writer(
        &mut *plain,
        &Sealed {
            key: &key.encode(),
            name: Cow::Borrowed(&marks.name),
            any_iat: marks.any_iat,
            exportable: marks.exportable,
            seed: text.reveal(),
        },
    )
    .map_err(|error| error.to_string())?;
    plain.push(b'\n');
    encrypt(recipient, &plain).map_err(|error| error.to_string())
}

/// Opens `PUB.age` of the key `wanted`.
pub(super) fn unseal(
    identity: &age::x25519::Identity,
    wanted: &PublicKey,
    bytes: &[u8],
) -> Result<(Marks, Seed), &'static str> {
    let plain = decrypt(bytes, identity).map_err(|fault| match fault {
        Fault::Wrong => "it is not sealed to this vault, or its header is damaged",
        Fault::Work(_) | Fault::Damaged => "it is not a whole age file",
    })?;
    // serde's own messages could quote the plaintext, so they go nowhere.
    let sealed: Sealed<'_> =
        serde_json::from_slice(&plain).map_err(|_| "the sealed content is not a key")?;
    let seed = Seed::from_str(sealed.seed).map_err(|_| "the sealed seed is damaged")?;
    if sealed.key != &*wanted.encode() || seed.public_key() != *wanted {
        return Err("it holds another key than its name says");
    }
    let marks = Marks {
        name: sealed.name.into_owned(),
        any_iat: sealed.any_iat,
        exportable: sealed.exportable,
    };
    crate::store::admit::name(&marks.name).map_err(|_| "the sealed name is not one")?;
    Ok((marks, seed))
}

/// The age file of `plain`. `age::encrypt` would panic where a recipient fails.
pub(super) fn encrypt(
    recipient: &dyn age::Recipient,
    plain: &[u8],
) -> Result<Vec<u8>, age::EncryptError> {
    let mut sealed = Vec::new();
    let mut writer =
        age::Encryptor::with_recipients(std::iter::once(recipient))?.wrap_output(&mut sealed)?;
    writer.write_all(plain)?;
    writer.finish()?;
    Ok(sealed)
}

/// Why an age file did not open.
pub(super) enum Fault {
    /// The identity opens no stanza of it.
    Wrong,
    /// It asks for this scrypt work factor.
    Work(u8),
    /// It is not a whole age file.
    Damaged,
}

/// The plaintext of an age file, at most 4096 bytes.
pub(super) fn decrypt(
    bytes: &[u8],
    identity: &dyn age::Identity,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    use age::DecryptError as E;
    let reader = age::Decryptor::new_buffered(bytes)
        .and_then(|file| file.decrypt(std::iter::once(identity)))
        .map_err(|error| match error {
            E::NoMatchingKeys | E::DecryptionFailed | E::KeyDecryptionFailed => Fault::Wrong,
            E::ExcessiveWork { required, .. } => Fault::Work(required),
            _ => Fault::Damaged,
        })?;
    let mut plain = Zeroizing::new(Vec::with_capacity(MAX_PLAIN + 1));
    let mut limited = reader.take(MAX_PLAIN as u64 + 1);
    limited
        .read_to_end(&mut plain)
        .map_err(|_| Fault::Damaged)?;
    if plain.len() > MAX_PLAIN {
        return Err(Fault::Damaged);
    }
    Ok(plain)
}
