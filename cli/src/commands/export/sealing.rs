//! Encrypting exported seeds with age.

use crate::error::Error;
use crate::prompt;
use crate::source;
use crate::store::file;
use age::secrecy::{ExposeSecret, SecretString};
use age::x25519::{Identity, Recipient};
use std::io::Write;
use std::path::Path;
use std::str::FromStr;
use zeroize::Zeroizing;

/// The scrypt work factor of a passphrase: 2^18, as the vault's.
const WORK_FACTOR: u8 = 18;

/// The longest passphrase file, in bytes.
const MAX_PASSPHRASE: usize = 4096;

/// The file in which the identity lies that a passphrase opens.
pub const IDENTITY: &str = "identity.age";

/// How seeds are encrypted.
#[derive(clap::Args)]
#[command(next_help_heading = "Encryption")]
pub struct SealingFlags {
    /// Encrypt to this age recipient instead of a passphrase
    #[arg(long, value_name = "AGE1...")]
    recipient: Vec<String>,
    /// A file with the passphrase (one last newline is no part of it), or - for standard input
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["recipient", "plain"])]
    passphrase_file: Option<String>,
    /// Do not encrypt: whoever reads the files has the keys
    #[arg(long, conflicts_with = "recipient")]
    plain: bool,
}

/// Encrypts, or leaves as it is.
pub struct Sealing(Vec<Recipient>);

impl SealingFlags {
    /// Finds out how to encrypt. For a passphrase, an identity that it opens is written into
    /// `dir`: one passphrase for all files, which `age -d -i identity.age` opens.
    ///
    /// # Errors
    /// If a recipient is none, or there is no terminal to ask for a passphrase.
    pub fn sealing(&self, dir: &Path) -> Result<Sealing, Error> {
        if self.plain {
            return Ok(Sealing(Vec::new()));
        }
        if !self.recipient.is_empty() {
            let recipients = self.recipient.iter().map(|text| {
                Recipient::from_str(text).map_err(|error| {
                    Error::usage(format!(
                        "--recipient {}: {error}",
                        crate::output::clean_inline(text)
                    ))
                })
            });
            return Ok(Sealing(recipients.collect::<Result<_, _>>()?));
        }
        let path = dir.join(IDENTITY);
        if path.exists() {
            return Err(Error::failed(format!(
                "{} exists already, from an earlier export: choose another folder",
                path.display()
            )));
        }
        let passphrase = match &self.passphrase_file {
            Some(name) => {
                let text = source::read(name, MAX_PASSPHRASE)?;
                let text = text.strip_suffix('\n').unwrap_or(&text);
                Zeroizing::new(text.strip_suffix('\r').unwrap_or(text).to_owned())
            }
            None => prompt::new_passphrase("the exported keys")?,
        };
        if passphrase.is_empty() {
            return Err(Error::usage(
                "the passphrase is empty: nothing was exported",
            ));
        }
        let identity = Identity::generate();
        let mut recipient = age::scrypt::Recipient::new(SecretString::from(passphrase.as_str()));
        recipient.set_work_factor(WORK_FACTOR);
        let line = Zeroizing::new(format!("{}\n", identity.to_string().expose_secret()));
        let sealed = encrypt(
            std::iter::once(&recipient as &dyn age::Recipient),
            line.as_bytes(),
        )?;
        file::replace(&path, &sealed, None)?;
        Ok(Sealing(vec![identity.to_public()]))
    }
}

impl Sealing {
    /// Whether files are encrypted.
    pub fn is_sealed(&self) -> bool {
        !self.0.is_empty()
    }

    /// What is written of `plain`.
    ///
    /// # Errors
    /// If age fails.
    pub fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, Error> {
        if self.0.is_empty() {
            return Ok(plain.to_vec());
        }
        encrypt(
            self.0
                .iter()
                .map(|recipient| recipient as &dyn age::Recipient),
            plain,
        )
    }
}

fn encrypt<'a>(
    recipients: impl Iterator<Item = &'a dyn age::Recipient>,
    plain: &[u8],
) -> Result<Vec<u8>, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::failed(format!("age: {error}"));
    let mut sealed = Vec::new();
    let mut writer = age::Encryptor::with_recipients(recipients)
        .map_err(|error| failed(&error))?
        .wrap_output(&mut sealed)
        .map_err(|error| failed(&error))?;
    writer.write_all(plain).map_err(|error| failed(&error))?;
    writer.finish().map_err(|error| failed(&error))?;
    Ok(sealed)
}
