//! Questions on the terminal.

mod hidden;

use crate::error::Error;
use crate::output::clean;
use nkey_agent::client::Prompt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use zeroize::Zeroizing;

/// The longest answer, in bytes.
const MAX_ANSWER: u64 = 4096;

fn no_terminal(error: std::io::Error) -> Error {
    Error::usage(format!(
        "there is no terminal to ask on ({error}); give the answer by a flag"
    ))
}

/// Asks on the terminal, even where standard input is a pipe.
///
/// # Errors
/// Exit 2 if there is no terminal.
pub fn line(question: &str) -> Result<String, Error> {
    let terminal = File::options()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(no_terminal)?;
    write!(&terminal, "{} ", clean(question)).map_err(no_terminal)?;
    let mut answer = String::new();
    BufReader::new(terminal.take(MAX_ANSWER))
        .read_line(&mut answer)
        .map_err(no_terminal)?;
    if answer.is_empty() {
        return Err(Error::failed("no answer was given: nothing was changed"));
    }
    Ok(answer.trim().to_owned())
}

/// Asks for a secret on the terminal, without echo.
///
/// # Errors
/// Exit 2 if there is no terminal.
pub fn secret(question: &str) -> Result<Zeroizing<String>, Error> {
    let question = clean(question);
    let colon = if question.ends_with([':', '?']) {
        ""
    } else {
        ":"
    };
    hidden::line(&format!("{question}{colon} "))
        .map_err(no_terminal)?
        .ok_or_else(|| Error::failed("no answer was given: nothing was changed"))
}

/// A new passphrase for `what`, asked for twice.
///
/// # Errors
/// If the two differ, or there is no terminal.
pub fn new_passphrase(what: &str) -> Result<Zeroizing<String>, Error> {
    let first = secret(&format!("New passphrase for {what}:"))?;
    if first.is_empty() {
        return Err(Error::usage("the passphrase is empty: nothing was changed"));
    }
    if *first != *secret("The same again:")? {
        return Err(Error::usage(
            "the two passphrases differ: nothing was changed",
        ));
    }
    Ok(first)
}

/// Answers the agent's questions on this terminal.
#[derive(Default)]
pub struct Terminal {
    /// Why the last question was not answered.
    pub failure: Option<Error>,
}

impl Terminal {
    fn keep<T>(&mut self, answer: Result<T, Error>) -> Option<T> {
        answer.map_err(|error| self.failure = Some(error)).ok()
    }
}

impl Prompt for Terminal {
    fn message(&mut self, text: &str) {
        eprintln!("{}", clean(text));
    }

    fn secret(&mut self, text: &str) -> Option<Zeroizing<String>> {
        self.keep(secret(text))
    }

    fn public(&mut self, text: &str) -> Option<String> {
        self.keep(line(text))
    }

    fn confirm(&mut self, text: &str) -> Option<bool> {
        let answer = self.keep(line(&format!("{text} [y/n]")))?;
        Some(matches!(answer.as_str(), "y" | "Y" | "yes"))
    }
}
