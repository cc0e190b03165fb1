//! What the list commands print.

use crate::error::Error;
use crate::output::{Output, Table};
use serde::Serialize;

/// One entry of a list.
#[derive(Serialize)]
pub struct Row {
    /// The name.
    pub name: String,
    /// The public key, empty if the token cannot be read.
    pub public_key: String,
    /// Why the token cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Row {
    /// The entry `name`, whose public key was read or not.
    pub fn new(name: String, public_key: Result<String, Error>) -> Row {
        match public_key {
            Ok(public_key) => Row {
                name,
                public_key,
                error: None,
            },
            Err(error) => Row {
                name,
                public_key: String::new(),
                error: Some(error.to_string()),
            },
        }
    }
}

/// Prints the entries, as JSON or for people.
///
/// # Errors
/// If a token could not be read, after all were printed.
pub fn write_rows(out: &mut Output, rows: &[Row], json: bool) -> Result<(), Error> {
    if json {
        out.json(&rows)?;
    } else {
        let mut table = Table::new(&["NAME", "PUBLIC KEY"]);
        for row in rows {
            table.row(&[&row.name, row.error.as_deref().unwrap_or(&row.public_key)]);
        }
        table.write(out)?;
    }
    match rows.iter().filter(|row| row.error.is_some()).count() {
        0 => Ok(()),
        damaged => Err(
            Error::failed(format!("{damaged} of {} tokens cannot be read", rows.len()))
                .next("nkey validate -A"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_token_is_listed_and_fails() {
        let rows = [
            Row::new("a".into(), Ok("AKEY".into())),
            Row::new("b".into(), Err(Error::failed("gone"))),
        ];
        for json in [false, true] {
            let (mut out, text, _) = Output::captured();
            let error = write_rows(&mut out, &rows, json).unwrap_err();
            assert_eq!(error.code(), 1);
            assert!(
                text.text().contains("AKEY") && text.text().contains("gone"),
                "{}",
                text.text()
            );
        }
        let (mut out, text, _) = Output::captured();
        write_rows(&mut out, &rows[..1], true).unwrap();
        let parsed: serde_json::Value = serde_json::from_str(&text.text()).unwrap();
        assert_eq!(
            parsed,
            serde_json::json!([{"name": "a", "public_key": "AKEY"}])
        );
    }
}
