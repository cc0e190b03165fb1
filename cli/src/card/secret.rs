//! PINs and the like, from files or asked for.

use crate::error::Error;
use crate::prompt;
use crate::source;
use zeroize::Zeroizing;

/// The longest file with a PIN or management key, in bytes.
const MAX_SECRET: usize = 4096;

/// The secret in a file; one last newline is no part of it.
///
/// # Errors
/// If it cannot be read.
pub fn secret_file(file: &str) -> Result<Zeroizing<String>, Error> {
    let text = source::read(file, MAX_SECRET)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Zeroizing::new(text.to_owned()))
}

/// A secret from a file, or asked for.
///
/// # Errors
/// If the file cannot be read, or there is nobody to ask.
pub fn secret(file: Option<&str>, question: &str) -> Result<Zeroizing<String>, Error> {
    match file {
        Some(file) => secret_file(file),
        None => prompt::secret(question),
    }
}

/// A new secret from a file, or asked for twice.
///
/// # Errors
/// If the file cannot be read, the two differ, or there is nobody to ask.
pub fn new_secret(file: Option<&str>, what: &str) -> Result<Zeroizing<String>, Error> {
    match file {
        Some(file) => secret_file(file),
        None => prompt::new_secret(what),
    }
}
