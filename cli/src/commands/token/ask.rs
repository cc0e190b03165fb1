//! What a token's commands ask the person: the PIN, the serial number, the button.

use crate::error::Error;
use crate::output::clean_inline;
use crate::prompt;
use crate::source;
use nkey_agent::token::Hand;
use nkey_core::token::{PIN_LEN, Press};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

/// The longest PIN file, in bytes.
const MAX_FILE: usize = 4096;
/// PINs below so many characters are warned of.
const SHORT: usize = 10;

/// Where the PIN comes from.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct PinFlag {
    /// A file with the PIN (one last newline is no part of it), or - for standard input
    #[arg(long, value_name = "FILE")]
    pub pin_file: Option<String>,
}

/// Leave for what cannot be taken back.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct YesFlag {
    /// Do not ask for the serial number first
    #[arg(short, long)]
    pub yes: bool,
}

impl PinFlag {
    /// The PIN of the file, if one is named.
    ///
    /// # Errors
    /// Exit 2 if no PIN can be so short or long.
    pub fn given(&self) -> Result<Option<Zeroizing<String>>, Error> {
        let file = self.pin_file.as_deref().map(read_file).transpose()?;
        file.map(checked).transpose()
    }

    /// The PIN of a token; of `left` tries, if they are not all there.
    ///
    /// # Errors
    /// Exit 2 if there is nobody to ask, or no PIN can be so short or long.
    pub fn read(&self, serial: &str, left: Option<u8>) -> Result<Zeroizing<String>, Error> {
        match self.given()? {
            Some(pin) => Ok(pin),
            None => checked(prompt::secret(&match left {
                Some(1) => format!("PIN of {serial} (the last try):"),
                Some(left) => format!("PIN of {serial} ({left} tries are left):"),
                None => format!("PIN of {serial}:"),
            })?),
        }
    }

    /// A new PIN, asked for twice where no file has it.
    ///
    /// # Errors
    /// As [`PinFlag::read`], and if the two differ.
    pub fn read_new(&self, serial: &str) -> Result<Zeroizing<String>, Error> {
        let pin = match self.given()? {
            Some(pin) => pin,
            None => {
                let first = checked(prompt::secret(&format!(
                    "New PIN or passphrase of {serial}:"
                ))?)?;
                if *first != *prompt::secret("The same again:")? {
                    return Err(Error::usage("the two PINs differ: nothing was changed"));
                }
                first
            }
        };
        if let Some(warning) = warning(&pin) {
            eprintln!("{warning}");
        }
        Ok(pin)
    }
}

/// What is said of a short one.
fn warning(pin: &str) -> Option<String> {
    let letters = pin.chars().count();
    (letters < SHORT).then(|| {
        format!(
            "warning: whoever has the board can try PINs as fast as computers do, and a PIN of {letters} characters \
             does not last: take a passphrase of several words"
        )
    })
}

fn read_file(file: &str) -> Result<Zeroizing<String>, Error> {
    let text = source::read(file, MAX_FILE)?;
    Ok(Zeroizing::new(
        text.strip_suffix('\n').unwrap_or(&text).to_owned(),
    ))
}

/// Before it costs a try.
fn checked(pin: Zeroizing<String>) -> Result<Zeroizing<String>, Error> {
    if PIN_LEN.contains(&pin.len()) {
        return Ok(pin);
    }
    Err(Error::usage(format!(
        "a PIN has {} to {} bytes, this one {}: nothing was changed",
        PIN_LEN.start(),
        PIN_LEN.end(),
        pin.len()
    )))
}

/// Has the person type the serial number of what is about to change for good.
///
/// # Errors
/// Exit 2 without a terminal, 1 if something else is typed.
pub fn confirm(serial: &str, what: &str, yes: YesFlag) -> Result<(), Error> {
    let serial = clean_inline(serial);
    eprintln!("{serial}: {what}");
    if yes.yes {
        return Ok(());
    }
    let question = format!("Type {serial} to go on:");
    let typed = prompt::line(&question).map_err(|error| match error.code() {
        2 => Error::usage(format!(
            "nobody is there to type {serial}: nothing was changed; --yes does it unasked"
        )),
        _ => error,
    })?;
    if typed == serial {
        return Ok(());
    }
    Err(Error::failed(format!(
        "{} is not {serial}: nothing was changed",
        clean_inline(&typed)
    )))
}

/// The words for a person whose finger is wanted.
pub fn wanted(serial: &str, press: Press) -> String {
    let serial = clean_inline(serial);
    match press {
        Press::Short => format!("press the button of {serial}"),
        Press::Held => format!("hold the button of {serial} for 3 s"),
    }
}

/// The person at the token; Ctrl-C takes the request back.
pub struct Person<'a> {
    /// The token's serial number.
    pub serial: &'a str,
    /// Raised by Ctrl-C.
    pub interrupted: &'a Arc<AtomicBool>,
}

impl Hand for Person<'_> {
    fn wanted(&mut self, press: Press) {
        eprintln!("{}", wanted(self.serial, press));
    }

    fn is_cancelled(&mut self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_pin_is_warned_of_by_its_characters() {
        // Eight characters of ten bytes.
        let told = warning("p\u{e4}ssw\u{f6}rt").expect("a warning");
        assert!(told.contains("8 characters"), "{told}");
        assert!(warning("123456789").is_some());
        assert_eq!(warning("1234567890"), None);
    }
}
