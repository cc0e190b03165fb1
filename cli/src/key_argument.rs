//! Arguments that name a key of the agent: a public key or a name, never a secret.

use crate::error::Error;
use crate::output::clean_inline;
use crate::seed_guard;
use crate::source;
use nkey_agent::client::KeyInfo;
use nkey_core::nkey::{self, PublicKey};
use std::path::Path;
use std::str::FromStr;

/// What a key argument means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyArgument {
    /// The key itself.
    Public(PublicKey),
    /// A name or, where the command knows roles, a role.
    Name(String),
}

impl KeyArgument {
    /// Reads the value of `flag`.
    ///
    /// # Errors
    /// Exit 2 if it is a seed, a file, or a damaged public key. A secret is never quoted.
    pub fn parse(flag: &str, text: &str) -> Result<KeyArgument, Error> {
        if seed_guard::has_secret(text) {
            return Err(seed_guard::refusal(flag));
        }
        match PublicKey::from_str(text) {
            Ok(key) => Ok(KeyArgument::Public(key)),
            Err(nkey::Error::IsSeed | nkey::Error::IsPrivate) => Err(seed_guard::refusal(flag)),
            Err(error) if looks_like_a_key(text) => {
                Err(Error::usage(format!("{flag} {}: {error}", clean_inline(text))))
            }
            Err(_) if is_file(text) => Err(Error::usage(format!(
                "{flag} takes a public key or a name, and {} is a file; the agent has to hold the key",
                clean_inline(text)
            ))
            .next(format!("nkey import keys {}", shell_word(text)))),
            Err(_) if text.is_empty() => {
                Err(Error::usage(format!("{flag} takes a public key or a name")).next("nkey list keys"))
            }
            Err(_) => Ok(KeyArgument::Name(text.to_owned())),
        }
    }

    /// The one key among `keys` that is meant.
    ///
    /// # Errors
    /// If there is none, or several have the name.
    pub fn find(&self, keys: Vec<KeyInfo>) -> Result<KeyInfo, Error> {
        let matches = |info: &KeyInfo| match self {
            KeyArgument::Public(key) => info.key == *key,
            KeyArgument::Name(name) => info.name == *name,
        };
        let mut found = keys.into_iter().filter(matches);
        let Some(first) = found.next() else {
            let what = match self {
                KeyArgument::Public(key) => format!("the agent does not hold {key}"),
                KeyArgument::Name(name) => {
                    format!("the agent has no key named {}", clean_inline(name))
                }
            };
            return Err(Error::failed(what).next("nkey list keys"));
        };
        let others: Vec<String> = found.map(|info| info.key.to_string()).collect();
        if others.is_empty() {
            return Ok(first);
        }
        let name = clean_inline(&first.name);
        Err(Error::failed(format!(
            "{} keys are named {name}: {}, {}; name one by its public key",
            others.len() + 1,
            first.key,
            others.join(", ")
        )))
    }
}

/// The public key that the value of `flag` is.
///
/// # Errors
/// Exit 2 if it is none. A secret is never quoted.
pub fn public(flag: &str, text: &str) -> Result<PublicKey, Error> {
    match KeyArgument::parse(flag, text)? {
        KeyArgument::Public(key) => Ok(key),
        KeyArgument::Name(name) => Err(Error::usage(format!(
            "{flag} takes a public key, and {} is none",
            clean_inline(&name)
        ))),
    }
}

/// 50 and more characters of base32 are no name that anybody types: a public key with a slip.
fn looks_like_a_key(text: &str) -> bool {
    let starts = ["O", "A", "U", "N", "C", "X"]
        .iter()
        .any(|letter| text.starts_with(letter));
    starts && text.len() >= 50 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A path, or a file with a seed. A name may be that of some other file that lies here.
fn is_file(text: &str) -> bool {
    let path = Path::new(text);
    [".nk", ".creds"].iter().any(|end| text.ends_with(end))
        || text.contains('/') && path.exists()
        || path.is_file()
            && source::read_file(path, source::MAX_TEXT)
                .is_ok_and(|text| seed_guard::has_secret(&text))
}

/// The word as a shell takes it.
pub fn shell_word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%~".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nkey_core::nkey::Kind;

    fn info(byte: u8, name: &str) -> KeyInfo {
        KeyInfo {
            key: PublicKey::from_bytes(Kind::Account, [byte; 32]),
            name: name.to_owned(),
            store: "vault".to_owned(),
            flags: 0,
        }
    }

    #[test]
    fn a_key_is_found_by_itself_or_by_a_name_that_is_its_own() {
        let keys = || vec![info(1, "one"), info(2, "two"), info(3, "two")];
        let public = KeyArgument::parse("--key", &info(2, "").key.to_string()).unwrap();
        assert_eq!(public.find(keys()).unwrap(), info(2, "two"));
        let name = |name| KeyArgument::parse("--key", name).unwrap().find(keys());
        assert_eq!(name("one").unwrap(), info(1, "one"));
        let several = name("two").unwrap_err();
        assert!(
            several.to_string().contains(&info(3, "").key.to_string()),
            "{several}"
        );
        assert_eq!(several.code(), 1);
        assert!(
            name("three")
                .unwrap_err()
                .to_string()
                .ends_with("\ntype: nkey list keys")
        );
    }

    #[test]
    fn a_mistyped_public_key_is_no_name() {
        let mut text = info(1, "").key.to_string();
        text.replace_range(9..10, "7");
        let error = KeyArgument::parse("--key", &text).unwrap_err();
        assert_eq!(error.code(), 2);
        assert!(error.to_string().contains("checksum"), "{error}");
    }

    #[test]
    fn files_are_refused_with_the_import_to_type() {
        for path in [
            "keys/my operator.nk",
            "x.creds",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ] {
            let error = KeyArgument::parse("-K", path).unwrap_err();
            assert_eq!(error.code(), 2);
            assert!(
                error
                    .to_string()
                    .contains(&format!("type: nkey import keys {}", shell_word(path))),
                "{error}"
            );
        }
        assert_eq!(shell_word("a'b"), "'a'\\''b'");
    }
}
