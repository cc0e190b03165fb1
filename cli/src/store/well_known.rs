//! Operators that nsc knows by name: `synadia`, and `NSC_<NAME>_OPERATOR` in the environment.

use crate::error::Error;
use crate::nats::account_server;
use crate::output::clean_inline;

/// nsc's own list (`cmd/wellknownoperator.go`).
const KNOWN: [(&str, &str); 1] = [("synadia", "https://api.synadia.io/jwt/v1/operator")];

/// The URL of a name, or of a URL itself; none for anything else, such as a file.
pub fn url(text: &str) -> Option<String> {
    if account_server::is_url(text) {
        return Some(text.to_owned());
    }
    let lower = text.to_ascii_lowercase();
    let named = |name: &str| name.to_ascii_lowercase() == format!("nsc_{lower}_operator");
    let variable = std::env::vars().find(|(name, _)| named(name));
    variable.map(|(_, url)| url).or_else(|| {
        KNOWN
            .iter()
            .find(|(name, _)| *name == lower)
            .map(|(_, url)| (*url).to_owned())
    })
}

/// Fetches the operator's token from its URL.
///
/// # Errors
/// If there is none.
pub fn fetch(url: &str) -> Result<String, Error> {
    account_server::fetch(url).map_err(|error| match error.code() {
        1 => Error::failed(format!("the operator of {}: {error}", clean_inline(url))),
        _ => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_urls_and_files_are_told_apart() {
        assert!(url("Synadia").unwrap().starts_with("https://"));
        assert_eq!(url("http://x/op").unwrap(), "http://x/op");
        assert_eq!(url("operator.jwt"), None);
        assert!(fetch("https://u:secret@x").unwrap_err().code() == 2);
    }
}
