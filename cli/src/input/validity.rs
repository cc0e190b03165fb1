//! `--expiry` and `--start`.

use super::time;
use crate::error::Error;
use nkey_core::claims::owned::Standard;

/// From when until when a token is valid.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct ValidityFlags {
    /// Until when it is valid: 3d (m, h, d, w, M, y), 2027-01-31, RFC 3339, or 0 for always
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    expiry: Option<String>,
    /// From when it is valid, in the same forms
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    start: Option<String>,
}

impl ValidityFlags {
    /// Whether one of the flags was given.
    pub fn is_given(&self) -> bool {
        self.expiry.is_some() || self.start.is_some()
    }

    /// Sets `exp` and `nbf` as the flags say.
    ///
    /// # Errors
    /// Exit 2 names the flag and the forms, or says that it would expire before it starts.
    pub fn apply(&self, standard: &mut Standard, now: i64) -> Result<(), Error> {
        let read = |flag: &str, text: &Option<String>| {
            let parsed = text
                .as_deref()
                .map(|text| time::parse(text, now))
                .transpose();
            parsed.map_err(|error| Error::usage(format!("{flag}: {error}")))
        };
        if let Some(exp) = read("--expiry", &self.expiry)? {
            standard.exp = exp;
        }
        if let Some(nbf) = read("--start", &self.start)? {
            standard.nbf = nbf;
        }
        if standard.exp != 0 && standard.nbf >= standard.exp {
            return Err(Error::usage(
                "--expiry is not after --start, so it would never be valid",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(expiry: &str, start: &str) -> Result<(i64, i64), Error> {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let flags = ValidityFlags {
            expiry: text(expiry),
            start: text(start),
        };
        let mut standard = Standard {
            exp: 9,
            ..Standard::default()
        };
        flags
            .apply(&mut standard, 1_000)
            .map(|()| (standard.exp, standard.nbf))
    }

    #[test]
    fn what_is_not_given_stays() {
        assert_eq!(apply("", "").unwrap(), (9, 0));
        assert_eq!(apply("1m", "-1m").unwrap(), (1_060, 940));
        assert_eq!(apply("0", "1m").unwrap(), (0, 1_060));
        assert!(
            apply("x", "")
                .unwrap_err()
                .to_string()
                .starts_with("--expiry: ")
        );
        assert!(
            apply("1m", "2m")
                .unwrap_err()
                .to_string()
                .contains("never be valid")
        );
    }
}
