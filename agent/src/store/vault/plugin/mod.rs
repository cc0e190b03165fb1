//! Age plugins: programs that seal the vault's identity to hardware or anything else.
//!
//! The protocol is spoken here rather than by the age crate, which finds plugins on `PATH`,
//! leaves zombies, and copies every secret to stderr when `AGEDEBUG` is set. A plugin is started
//! only by the absolute path that was recorded when the vault was sealed.

mod path;
mod record;
mod talk;
mod wire;

use crate::store::{Prompt, StoreError};
pub(super) use record::{MAX, NAME};

use super::entry::encrypt;
use age::{DecryptError, EncryptError};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use age_core::secrecy::ExposeSecret;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use talk::{Answer, converse};
use zeroize::Zeroizing;

/// A plugin, and the identity that it knows the vault's identity by (not secret).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plugin {
    name: String,
    binary: PathBuf,
    identity: String,
}

impl Plugin {
    /// The plugin that a person names: `NAME`, the absolute path of an `age-plugin-NAME`, or an
    /// identity `AGE-PLUGIN-NAME-1…`.
    pub(super) fn named(text: &str) -> Result<Plugin, StoreError> {
        let (name, binary, identity) = if let Some(name) = record::identity_plugin(text) {
            (name.clone(), path::find(&name)?, text.to_owned())
        } else if text.starts_with('/') {
            let name = path::plugin_name(text)?;
            let identity = record::default_identity(&name)?;
            (name, path::canonical(text.as_ref())?, identity)
        } else {
            let identity = record::default_identity(text)?;
            (text.to_owned(), path::find(text)?, identity)
        };
        Plugin {
            name,
            binary,
            identity,
        }
        .consistent()
    }

    /// Refuses a binary that is gone, or that others could have replaced.
    ///
    /// # Errors
    /// [`StoreError::Plugin`] says which path is wrong and what to do.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        path::check(&self.binary).map_err(|why| self.failed(why))
    }

    fn failed(&self, what: impl fmt::Display) -> StoreError {
        StoreError::Plugin(self.binary.display().to_string(), what.to_string())
    }

    /// Seals `plain` (an age file); the plugin may ask through `prompt`.
    pub(super) fn seal(
        &self,
        plain: &[u8],
        prompt: &mut dyn Prompt,
    ) -> Result<Vec<u8>, StoreError> {
        let side = Side::new(self, prompt);
        encrypt(&side, plain).map_err(|_| side.error("it sealed nothing that age accepts"))
    }

    /// The end of a conversation that opens an age file: `decrypt` drives it with the identity.
    pub(super) fn opening<T>(
        &self,
        prompt: &mut dyn Prompt,
        decrypt: impl FnOnce(&dyn age::Identity) -> T,
    ) -> (T, Option<StoreError>) {
        let side = Side::new(self, prompt);
        let result = decrypt(&side);
        (result, side.error.into_inner())
    }
}

/// The side of the conversation that age calls. age's own errors cannot carry ours, so the first
/// one is kept here.
struct Side<'a> {
    plugin: &'a Plugin,
    prompt: RefCell<&'a mut dyn Prompt>,
    error: RefCell<Option<StoreError>>,
}

impl<'a> Side<'a> {
    fn new(plugin: &'a Plugin, prompt: &'a mut dyn Prompt) -> Side<'a> {
        Side {
            plugin,
            prompt: RefCell::new(prompt),
            error: RefCell::new(None),
        }
    }

    fn error(&self, otherwise: &str) -> StoreError {
        self.error
            .take()
            .unwrap_or_else(|| self.plugin.failed(otherwise))
    }

    fn unwrap(&self, stanzas: &[Stanza]) -> Result<FileKey, StoreError> {
        let mut found = Zeroizing::new([0; FILE_KEY_BYTES]);
        let mut opened = false;
        let complaint = converse(
            self.plugin,
            "identity-v1",
            &mut **self.prompt.borrow_mut(),
            |pipes| {
                pipes.send("add-identity", &[&self.plugin.identity], &[])?;
                for stanza in stanzas {
                    let head = ["0", stanza.tag.as_str()].into_iter();
                    let args: Vec<&str> =
                        head.chain(stanza.args.iter().map(String::as_str)).collect();
                    pipes.send("recipient-stanza", &args, &stanza.body)?;
                }
                pipes.send("done", &[], &[])
            },
            |stanza| match <&[u8; FILE_KEY_BYTES]>::try_from(stanza.body.as_slice()) {
                Ok(key) if stanza.tag == "file-key" && stanza.args == ["0"] && !opened => {
                    *found = *key;
                    opened = true;
                    Answer::Ok
                }
                _ => Answer::Fail,
            },
        )?;
        if !opened {
            return Err(complaint.error(self.plugin));
        }
        Ok(FileKey::init_with_mut(|key| *key = *found))
    }

    fn wrap(&self, key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), StoreError> {
        let mut stanzas = Vec::new();
        let mut labels = HashSet::new();
        let complaint = converse(
            self.plugin,
            "recipient-v1",
            &mut **self.prompt.borrow_mut(),
            |pipes| {
                pipes.send("add-identity", &[&self.plugin.identity], &[])?;
                pipes.send("extension-labels", &[], &[])?;
                pipes.send("wrap-file-key", &[], key.expose_secret())?;
                pipes.send("done", &[], &[])
            },
            |stanza| match (stanza.tag.as_str(), stanza.args.as_slice()) {
                ("recipient-stanza", [file, tag, args @ ..])
                    if file == "0" && stanzas.is_empty() =>
                {
                    stanzas.push(Stanza {
                        tag: tag.clone(),
                        args: args.to_vec(),
                        body: stanza.body.to_vec(),
                    });
                    Answer::Ok
                }
                ("labels", given) => {
                    labels.extend(given.iter().cloned());
                    Answer::Ok
                }
                _ => Answer::Fail,
            },
        )?;
        if stanzas.is_empty() {
            return Err(match complaint.error(self.plugin) {
                StoreError::WrongPassphrase => self.plugin.failed("it sealed nothing"),
                error => error,
            });
        }
        Ok((stanzas, labels))
    }
}

impl age::Identity for Side<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        self.unwrap_stanzas(std::slice::from_ref(stanza))
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, DecryptError>> {
        Some(self.unwrap(stanzas).map_err(|error| {
            self.error.replace(Some(error));
            DecryptError::DecryptionFailed
        }))
    }
}

impl age::Recipient for Side<'_> {
    fn wrap_file_key(&self, key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        self.wrap(key).map_err(|error| {
            self.error.replace(Some(error));
            EncryptError::Io(std::io::ErrorKind::Other.into())
        })
    }
}
