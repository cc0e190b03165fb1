//! PINs come from a terminal, a pipe or a file; never from the command line, which others see.

use crate::error::Error;
use crate::prompt;
use crate::source;
use zeroize::Zeroizing;

/// The longest PIN file, in bytes.
const MAX: usize = 4096;

/// A PIN that the card has.
///
/// # Errors
/// If the file cannot be read, or there is no terminal.
pub fn present(file: Option<&str>, what: &str) -> Result<Zeroizing<String>, Error> {
    let pin = match file {
        Some(file) => read(file)?,
        None => prompt::secret(&format!("{what}:"))?,
    };
    not_empty(pin, what)
}

/// A PIN that the card is to have; on a terminal it is asked for twice.
///
/// # Errors
/// If the file cannot be read, there is no terminal, or the two differ.
pub fn fresh(file: Option<&str>, what: &str) -> Result<Zeroizing<String>, Error> {
    let what = format!("new {what}");
    if let Some(file) = file {
        return not_empty(read(file)?, &what);
    }
    let first = not_empty(prompt::secret(&format!("{what}:"))?, &what)?;
    if *first != *prompt::secret("the same again:")? {
        return Err(Error::usage("the two differ: nothing was changed"));
    }
    Ok(first)
}

fn not_empty(pin: Zeroizing<String>, what: &str) -> Result<Zeroizing<String>, Error> {
    match pin.is_empty() {
        true => Err(Error::usage(format!(
            "the {what} is empty: nothing was changed"
        ))),
        false => Ok(pin),
    }
}

fn read(file: &str) -> Result<Zeroizing<String>, Error> {
    let text = source::read(file, MAX)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Zeroizing::new(text.to_owned()))
}
