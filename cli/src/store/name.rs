//! Names of operators, accounts and users: they become file names.

use crate::error::Error;
use crate::output::clean_inline;

/// The longest name in bytes, so that `NAME.creds` and temporary names fit into 255.
const MAX_NAME: usize = 200;

/// Refuses a name that would leave its folder, hide, or not be read back by nsc.
///
/// # Errors
/// Exit 2 names the rule.
pub fn check_name(what: &str, name: &str) -> Result<(), Error> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.len() > MAX_NAME {
        "it is longer than 200 bytes"
    } else if name.contains(['/', '\\']) {
        "it holds / or \\"
    } else if name.starts_with('.') {
        "it starts with a dot"
    } else if name.contains("..") {
        "it holds two dots in a row"
    } else if name.chars().any(char::is_control) {
        "it holds a control character"
    } else if name.trim() != name {
        // nsc trims names before it makes a path of them.
        "it starts or ends with a space"
    } else if name == "*" {
        // nsc makes up a name for it.
        "it is *"
    } else {
        return Ok(());
    };
    Err(Error::usage(format!(
        "\"{}\" cannot name {what}: {reason}",
        clean_inline(name)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_file_names_are_refused() {
        let long = "x".repeat(201);
        for name in [
            "", "a/b", "a\\b", "..", "a..b", ".hidden", ".", "a\0b", "a\nb", "\u{85}", " a", "a ",
            "*", &long,
        ] {
            let error = check_name("an account", name).unwrap_err();
            assert_eq!(error.code(), 2, "{name:?}");
            assert!(!error.to_string().contains(['\0', '\n']), "{error}");
        }
        for name in ["A", "a.b", "user 1", "Größe", "-x", "a*", &"x".repeat(200)] {
            check_name("an account", name).unwrap();
        }
    }
}
