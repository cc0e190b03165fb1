//! The vault's identity and what seals it.

use super::entry::{Fault, decrypt, encrypt};
use super::files::Folder;
use super::layout::{IDENTITY, RECIPIENT};
use super::plugin::{self, Plugin};
use crate::store::locked::Secret;
use crate::store::{Prompt, StoreError};
use age::secrecy::{ExposeSecret, SecretString};
use age::x25519::{Identity, Recipient};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// The scrypt work factor of a passphrase: 2^18, about one second and 256 MiB.
pub(super) const WORK_FACTOR: u8 = 18;
/// The highest work factor that is opened: 2^20, 1 GiB.
const MAX_WORK_FACTOR: u8 = 20;
const MAX_IDENTITY: usize = 16 * 1024;
const MAX_RECIPIENT: usize = 256;

/// What seals a new vault.
pub enum Sealing {
    /// A passphrase, which must not be empty.
    Passphrase(Zeroizing<String>),
    /// An age plugin: `NAME`, as in `age-plugin-NAME` on `PATH`; the absolute path of such a
    /// program; or an identity that it made (`AGE-PLUGIN-NAME-1…`), which names it too. Without
    /// an identity the plugin's default one is used, as `age -j NAME` does.
    Plugin(String),
}

/// What opens a vault.
pub(super) enum Seal {
    Passphrase,
    Plugin(Plugin),
}

impl Seal {
    /// Finds out what seals the vault in `root`.
    pub(super) fn of(root: &Folder) -> Result<Seal, StoreError> {
        let Some(bytes) = root.read(plugin::NAME, plugin::MAX)? else {
            return Ok(Seal::Passphrase);
        };
        let plugin = Plugin::from_record(&bytes)
            .map_err(|why| StoreError::Damaged(root.path_of(plugin::NAME), why))?;
        plugin.check()?;
        Ok(Seal::Plugin(plugin))
    }

    /// Opens `identity.age`.
    pub(super) fn open(
        &self,
        root: &Folder,
        prompt: &mut dyn Prompt,
    ) -> Result<(Identity, Secret), StoreError> {
        let damaged = |why: &str| StoreError::Damaged(root.path_of(IDENTITY), why.into());
        let Some(bytes) = root.read(IDENTITY, MAX_IDENTITY)? else {
            return Err(damaged("it is missing: restore it from a backup"));
        };
        let plain = match self {
            Seal::Passphrase => {
                enough_memory(work_factor(&bytes))?;
                let text = format!("Passphrase of the vault {}", root.path());
                let passphrase = prompt.secret(&text).ok_or(StoreError::Cancelled)?;
                open_with_passphrase(&bytes, &passphrase)
            }
            Seal::Plugin(plugin) => {
                let (plain, error) = plugin.opening(prompt, |identity| decrypt(&bytes, identity));
                if let Some(error) = error {
                    return Err(error);
                }
                plain
            }
        };
        let plain = plain.map_err(|fault| match fault {
            Fault::Wrong => StoreError::WrongPassphrase,
            Fault::Work(factor) => damaged(&format!(
                "it asks for scrypt work factor {factor}, at most {MAX_WORK_FACTOR} is accepted"
            )),
            Fault::Damaged => damaged("it is not a whole age file: restore it from a backup"),
        })?;
        std::str::from_utf8(&plain)
            .ok()
            .and_then(|text| Some((text.trim_end().parse().ok()?, text.trim_end())))
            .ok_or_else(|| damaged("it holds no age identity"))
            .and_then(|(identity, text)| Ok((identity, keep(text)?)))
    }
}

/// What the header of an age file asks of scrypt; what is no such file is refused by age.
fn work_factor(bytes: &[u8]) -> u8 {
    std::str::from_utf8(bytes.get(..256).unwrap_or(bytes))
        .unwrap_or_else(|error| {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        })
        .lines()
        .find_map(|line| {
            line.strip_prefix("-> scrypt ")?
                .split(' ')
                .nth(1)?
                .parse()
                .ok()
        })
        .unwrap_or(WORK_FACTOR)
        .min(MAX_WORK_FACTOR)
}

/// scrypt ends the process where it gets no memory, so it is asked for before.
fn enough_memory(work_factor: u8) -> Result<(), StoreError> {
    // RFC 7914: 128 * r * N bytes, and r is 8.
    let bytes = 1usize << (work_factor + 10);
    Vec::<u8>::new().try_reserve_exact(bytes).map_err(|_| {
        StoreError::Refused(format!(
            "a passphrase takes {} MiB of memory, which this process does not get: raise its limit",
            bytes >> 20
        ))
    })
}

/// One at a time: each takes 256 MiB.
static SCRYPT: Mutex<()> = Mutex::new(());

fn open_with_passphrase(bytes: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let mut identity = age::scrypt::Identity::new(secret(passphrase));
    identity.set_max_work_factor(MAX_WORK_FACTOR);
    let _turn = SCRYPT.lock().unwrap_or_else(PoisonError::into_inner);
    decrypt(bytes, &identity)
}

/// The bytes of `identity.age` for a new identity, sealed by a passphrase.
pub(super) fn seal_with_passphrase(
    identity: &Identity,
    passphrase: &str,
    work_factor: u8,
) -> Result<Vec<u8>, StoreError> {
    if passphrase.is_empty() {
        return Err(StoreError::Refused(
            "the passphrase is empty: give one of some words".into(),
        ));
    }
    enough_memory(work_factor)?;
    let mut recipient = age::scrypt::Recipient::new(secret(passphrase));
    recipient.set_work_factor(work_factor);
    let _turn = SCRYPT.lock().unwrap_or_else(PoisonError::into_inner);
    encrypt(&recipient, line(identity).as_bytes())
        .map_err(|error| StoreError::Refused(format!("age did not seal the vault: {error}")))
}

/// The identity as `age` files hold it, with a newline.
pub(super) fn line(identity: &Identity) -> Zeroizing<String> {
    let text = identity.to_string();
    let mut line = Zeroizing::new(String::with_capacity(text.expose_secret().len() + 1));
    line.push_str(text.expose_secret());
    line.push('\n');
    line
}

/// Keeps an identity in locked memory, as text: age's own form has no way in without a copy.
pub(super) fn keep(text: &str) -> Result<Secret, StoreError> {
    Secret::fill(text.len(), |bytes| bytes.copy_from_slice(text.as_bytes()))
        .map_err(|error| StoreError::Io("no memory for the identity".into(), error))
}

/// The identity that [`keep`] kept.
pub(super) fn kept(secret: &Secret) -> Result<Identity, StoreError> {
    std::str::from_utf8(secret.expose())
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(StoreError::Mismatch)
}

/// Reads `recipient.txt`.
pub(super) fn recipient(root: &Folder) -> Result<Recipient, StoreError> {
    let damaged = |why: &str| StoreError::Damaged(root.path_of(RECIPIENT), why.into());
    let bytes = root
        .read(RECIPIENT, MAX_RECIPIENT)?
        .ok_or_else(|| damaged("it is missing: restore it from a backup"))?;
    std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.strip_suffix('\n')?.parse().ok())
        .ok_or_else(|| damaged("it holds no age recipient: restore it from a backup"))
}

/// A copy for age, of full size from the start so that no other is made.
fn secret(passphrase: &str) -> SecretString {
    let mut copy = String::with_capacity(passphrase.len());
    copy.push_str(passphrase);
    SecretString::from(copy)
}

#[cfg(test)]
mod tests {
    use super::work_factor;

    #[test]
    fn the_header_says_how_much_work_there_is() {
        let header =
            |line: &str| format!("age-encryption.org/v1\n{line}\nAAAA\n--- BBBB\n\u{fffd}");
        for (line, factor) in [
            ("-> scrypt c2FsdA 18", 18),
            ("-> scrypt c2FsdA 12", 12),
            ("-> scrypt c2FsdA 255", 20),
            ("-> scrypt c2FsdA 999", 18),
            ("-> X25519 c2FsdA", 18),
        ] {
            assert_eq!(work_factor(header(line).as_bytes()), factor, "{line}");
        }
        assert_eq!(work_factor(b"\xff"), 18);
    }
}
