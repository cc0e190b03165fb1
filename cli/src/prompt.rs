//! Questions on the terminal.

mod hidden;

use crate::error::Error;
use crate::output::{clean, clean_inline};
use nkey_agent::client::Prompt;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
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

/// Whether there is a person to ask.
pub fn is_possible() -> bool {
    std::io::stdin().is_terminal()
}

/// What was given, or what a person at a terminal answers.
///
/// # Errors
/// Exit 2 if there is neither: `missing` says what to give.
pub fn or_line(given: Option<&str>, question: &str, missing: &str) -> Result<String, Error> {
    match given {
        Some(given) => Ok(given.to_owned()),
        None if is_possible() => line(question),
        None => Err(Error::usage(missing)),
    }
}

/// Which of `choices` is meant, by its number or itself: its place.
///
/// # Errors
/// Exit 2 if there is no terminal, or the answer is none of them.
pub fn choose(question: &str, choices: &[String]) -> Result<usize, Error> {
    let mut text = String::new();
    for (index, choice) in choices.iter().enumerate() {
        text.push_str(&format!("{:>4}  {}\n", index + 1, clean_inline(choice)));
    }
    let answer = line(&format!("{text}{question} [1-{}]:", choices.len()))?;
    let number = answer
        .parse()
        .ok()
        .and_then(|number: usize| number.checked_sub(1));
    let by_itself = || choices.iter().position(|choice| *choice == answer);
    number
        .filter(|index| *index < choices.len())
        .or_else(by_itself)
        .ok_or_else(|| {
            Error::usage(format!(
                "\"{}\" is none of them: nothing was changed",
                clean_inline(&answer)
            ))
        })
}

/// Whether the person says yes.
///
/// # Errors
/// Exit 2 if there is no terminal.
pub fn confirm(question: &str) -> Result<bool, Error> {
    let answer = line(&format!("{question} [y/n]"))?;
    Ok(matches!(answer.as_str(), "y" | "Y" | "yes"))
}

/// Goes on if the person says yes; where there is none, `flag` does it unasked. `what` would be
/// done, such as `changed`.
///
/// # Errors
/// If the person says no, or there is none.
pub fn agree(question: &str, what: &str, flag: &str) -> Result<(), Error> {
    if !is_possible() {
        return Err(Error::usage(format!(
            "nothing was {what}: there is no terminal to ask on, and {flag} does it unasked"
        )));
    }
    match confirm(question)? {
        true => Ok(()),
        false => Err(Error::failed(format!("nothing was {what}"))),
    }
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
    twice("passphrase", &format!("passphrase for {what}"))
}

/// A new secret, such as `PIN for the card`, asked for twice.
///
/// # Errors
/// As [`new_passphrase`].
pub fn new_secret(what: &str) -> Result<Zeroizing<String>, Error> {
    twice("answer", what)
}

fn twice(called: &str, what: &str) -> Result<Zeroizing<String>, Error> {
    let first = secret(&format!("New {what}:"))?;
    if first.is_empty() {
        return Err(Error::usage(format!(
            "the {called} is empty: nothing was changed"
        )));
    }
    if *first != *secret("The same again:")? {
        return Err(Error::usage(format!(
            "the two {called}s differ: nothing was changed"
        )));
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
        self.keep(confirm(text))
    }
}
