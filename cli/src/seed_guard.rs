//! Seeds do not belong on a command line: every process of the machine can read it.
//!
//! Checked before clap reads the arguments, because clap quotes them in its errors.

use crate::error::Error;
use nkey_core::nkey::{Kind, Seed};
use std::ffi::OsString;
use std::str::FromStr;

/// Characters of a seed.
const SEED_LEN: usize = 58;
/// A text of so many characters that starts as a seed is one with a slip.
const NEARLY_SEED: usize = 48;
/// As [`NEARLY_SEED`], for private keys (`P`, 108 characters).
const NEARLY_PRIVATE: usize = 96;

/// Refuses arguments that hold a seed or private key.
///
/// # Errors
/// Exit 2, without the value, with the command to type.
pub fn check_arguments(arguments: &[OsString]) -> Result<(), Error> {
    let with_secret = |argument: &OsString| has_secret(&argument.to_string_lossy());
    match arguments.iter().skip(1).position(with_secret) {
        Some(at) => Err(refusal(&format!("argument {}", at + 1))),
        None => Ok(()),
    }
}

/// The refusal of a secret that `what` holds.
pub fn refusal(what: &str) -> Error {
    Error::usage(format!(
        "{what} holds a seed, and other users can read command lines: nothing was done, and the seed \
         should be replaced where that matters. Keys are imported from a file or a pipe and then \
         named by their public key"
    ))
    .next("nkey import keys -")
}

/// Whether a text holds a seed or private key, whole or with a slip.
pub fn has_secret(text: &str) -> bool {
    let word = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_');
    text.split(|char| !word(char)).any(|word| {
        let value = match word.strip_prefix('-') {
            // The value of a short option follows its letter.
            Some(option) if !option.starts_with('-') => option.get(1..).unwrap_or_default(),
            _ => word,
        };
        is_nearly_secret(word) || is_nearly_secret(value) || has_seed(word)
    })
}

/// Whether a text holds a whole seed. Claims are full of base32, and one `jti` in 200 begins as a
/// seed does, so there only a right checksum counts.
pub fn has_whole_seed(text: &str) -> bool {
    text.split(|char: char| !char.is_ascii_alphanumeric())
        .any(has_seed)
}

/// By its beginning, its characters and its length.
fn is_nearly_secret(word: &str) -> bool {
    let upper = word.to_ascii_uppercase();
    let base32 = upper.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let seed = Kind::ALL.iter().any(|kind| {
        let mut letters = upper.chars();
        letters.next() == Some('S') && letters.next() == Some(kind.letter())
    });
    base32
        && (seed && word.len() >= NEARLY_SEED
            || upper.starts_with('P') && word.len() >= NEARLY_PRIVATE)
}

/// Anywhere, with the right checksum.
fn has_seed(word: &str) -> bool {
    let upper = word.to_ascii_uppercase();
    upper
        .as_bytes()
        .windows(SEED_LEN)
        .filter(|window| window[0] == b'S')
        .filter_map(|window| std::str::from_utf8(window).ok())
        .any(|window| Seed::from_str(window).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nkey_core::nkey::KeyPair;

    fn seed(kind: Kind) -> Seed {
        Seed::from_bytes(kind, [7; 32])
    }

    #[test]
    fn secrets_are_seen_wherever_they_stand() {
        for kind in Kind::ALL {
            let secret = seed(kind).encode();
            let text = secret.reveal();
            let mut slip = text.to_owned();
            slip.replace_range(20..21, "1");
            let short = &text[..text.len() - 3];
            for argument in [
                text.to_owned(),
                text.to_lowercase(),
                slip,
                short.to_owned(),
                format!("--key={text}"),
                format!("-K{text}"),
                format!("-iK{text}"),
                format!("x,{text},y"),
                format!("file-{text}.nk"),
                format!("-----BEGIN USER NKEY SEED-----\n{text}\n------END USER NKEY SEED------"),
            ] {
                assert!(has_secret(&argument), "{kind} {}", argument.len());
            }
        }
        let private = seed(Kind::Account).encode_private().unwrap();
        assert!(has_secret(private.reveal()));
    }

    #[test]
    fn public_keys_tokens_and_names_are_no_secrets() {
        for byte in 1..=255 {
            for kind in [Kind::Operator, Kind::Account, Kind::User] {
                let pair = KeyPair::from_seed(&Seed::from_bytes(kind, [byte; 32])).unwrap();
                let key = pair.public_key().to_string();
                assert!(
                    !has_secret(&key) && !has_secret(&format!("-k{key}")),
                    "{key}"
                );
            }
        }
        let example = include_str!("../../tests/fixtures/seed-example.txt");
        let token = example
            .split("\nuser jwt: ")
            .nth(1)
            .and_then(|rest| rest.lines().next());
        assert!(!has_secret(token.unwrap()));
        assert!(!has_secret("SUPPORT-account_of.the/SAme-operator"));
    }

    #[test]
    fn a_jti_may_begin_as_a_seed_does() {
        let jti = "SUO7LQO43XZAO5LJJXK766LCD5Y25HW3G2ZPHAZLT7FULMPLI2BQ";
        assert!(!has_whole_seed(&format!(r#"{{"jti":"{jti}"}}"#)));
        let secret = seed(Kind::User).encode();
        assert!(has_whole_seed(&format!(
            r#"{{"x":"a-{}"}}"#,
            secret.reveal()
        )));
    }

    #[test]
    fn the_refusal_names_the_place_and_not_the_value() {
        let secret = seed(Kind::User).encode();
        let arguments = ["nkey", "sign", "--key", secret.reveal()].map(OsString::from);
        let error = check_arguments(&arguments).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.code(), 2);
        assert!(
            text.contains("argument 3") && text.ends_with("type: nkey import keys -"),
            "{text}"
        );
        assert!(!text.contains(secret.reveal()));
    }
}
