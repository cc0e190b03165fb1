//! What seals the vault's identity: a passphrase, or an age plugin.

use super::files;
use super::plugin::{self, Plugin};
use crate::store::{Prompt, StoreError};
use age::secrecy::SecretString;
use std::path::Path;
use zeroize::Zeroizing;

/// The identity, sealed.
pub const IDENTITY: &str = "identity.age";

/// scrypt's work factor for new vaults: 2^18, 256 MiB and about a second.
pub const WORK_FACTOR: u8 = 18;

/// The largest that is accepted: more would be an attack on the agent's memory.
const MOST_WORK: u8 = 20;

/// How a new vault is to be sealed.
pub enum Sealing {
    /// By a passphrase.
    Passphrase(Zeroizing<String>),
    /// By an age plugin: its name (`age-plugin-NAME`), or an identity of it (`AGE-PLUGIN-…`).
    Plugin(String),
}

/// Seals an identity's text into `dir`. The identity file is written last: it completes the vault.
pub fn seal(
    dir: &Path,
    identity: &str,
    sealing: &Sealing,
    work_factor: u8,
    prompt: &mut dyn Prompt,
) -> Result<(), StoreError> {
    let sealed = match sealing {
        Sealing::Passphrase(passphrase) => {
            let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase.as_str()));
            recipient.set_work_factor(work_factor);
            age::encrypt(&recipient, identity.as_bytes()).map_err(|error| {
                StoreError::Io("cannot seal the vault".to_owned(), std::io::Error::other(error.to_string()))
            })?
        }
        Sealing::Plugin(plugin) => {
            let plugin = Plugin::find(plugin)?;
            let sealed = plugin.encrypt(identity.as_bytes(), prompt)?;
            files::write(dir, plugin::FILE, plugin.to_text().as_bytes())?;
            sealed
        }
    };
    files::write(dir, IDENTITY, &sealed)
}

/// The identity's text, asking for what opens it.
pub fn open(dir: &Path, prompt: &mut dyn Prompt) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let path = dir.join(IDENTITY);
    let sealed = files::read(&path)?.ok_or_else(|| files::damaged(&path, "it is missing"))?;
    if let Some(plugin) = Plugin::of_vault(dir)? {
        return plugin.decrypt(&path, &sealed, prompt);
    }
    let passphrase = prompt
        .secret(&format!("Passphrase of the vault {}", dir.display()))
        .ok_or(StoreError::Cancelled)?;
    let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase.as_str()));
    identity.set_max_work_factor(MOST_WORK);
    match age::decrypt(&identity, &sealed) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(age::DecryptError::KeyDecryptionFailed | age::DecryptError::DecryptionFailed) => {
            Err(StoreError::WrongPassphrase)
        }
        Err(age::DecryptError::ExcessiveWork { required, .. }) => Err(files::damaged(
            &path,
            format_args!("its scrypt work factor {required} is larger than {MOST_WORK}"),
        )),
        Err(error) => Err(files::damaged(&path, error)),
    }
}
