//! `nkey add users --from`: what each row says.

use super::user::UserFlags;
use crate::error::Error;
use crate::input::rows::{self, Row};
use crate::output::clean_inline;
use crate::seed_guard;
use clap::{CommandFactory, FromArgMatches, Parser};
use nkey_core::nkey::{Kind, PublicKey};
use std::collections::BTreeSet;
use std::str::FromStr;

/// The columns: the flags of `add user`, without dashes.
#[derive(Parser)]
#[command(
    no_binary_name = true,
    disable_help_flag = true,
    disable_version_flag = true
)]
struct Columns {
    #[arg(long)]
    name: String,
    #[arg(long)]
    account: Option<String>,
    #[arg(long)]
    public_key: Option<String>,
    #[command(flatten)]
    flags: UserFlags,
}

/// A user that a row describes.
pub struct Described {
    /// The line of the row.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// Its account, if the row names one.
    pub account: Option<String>,
    /// Its key, if it is not to be made.
    pub key: Option<PublicKey>,
    /// What it may do.
    pub flags: UserFlags,
}

/// Reads the users of a table.
///
/// # Errors
/// Exit 2 names the line and the column.
pub fn read(text: &str) -> Result<Vec<Described>, Error> {
    let rows = rows::parse(text)?;
    let mut command = Columns::command();
    let known: BTreeSet<String> = command
        .get_arguments()
        .filter_map(|argument| argument.get_long().map(str::to_owned))
        .collect();
    for row in &rows {
        for (column, _) in &row.cells {
            if !known.contains(column) {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                return Err(Error::usage(format!(
                    "line {}: there is no column {}; the columns are {}",
                    row.line,
                    clean_inline(column),
                    known.join(", ")
                )));
            }
        }
    }
    rows.into_iter()
        .map(|row| describe(&mut command, row))
        .collect()
}

fn describe(command: &mut clap::Command, row: Row) -> Result<Described, Error> {
    let line = row.line;
    let wrong = |text: &str| Error::usage(format!("line {line}: {}", clean_inline(text)));
    let given = |column: &str| {
        let mut cells = row.cells.iter();
        cells.any(|(name, values)| name == column && !values.is_empty())
    };
    if !given("name") {
        return Err(wrong("name is required"));
    }
    let mut arguments = Vec::new();
    for (column, values) in &row.cells {
        for value in values {
            if seed_guard::has_secret(value) {
                return Err(wrong(&format!(
                    "{column} holds a seed, and a table takes public keys only: nothing was done"
                ))
                .next("nkey import keys -"));
            }
            match (column.as_str(), value.as_str()) {
                ("bearer", "true" | "yes" | "1") => arguments.push("--bearer".to_owned()),
                ("bearer", "false" | "no" | "0") => {}
                ("bearer", other) => {
                    return Err(wrong(&format!(
                        "bearer: {other:?} is neither true nor false"
                    )));
                }
                _ => arguments.push(format!("--{column}={value}")),
            }
        }
    }
    let columns = command
        .try_get_matches_from_mut(arguments)
        .and_then(|mut matches| Columns::from_arg_matches_mut(&mut matches))
        .map_err(|error| {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            wrong(first.strip_prefix("error: ").unwrap_or(first))
        })?;
    let key = columns
        .public_key
        .map(|text| {
            PublicKey::from_str(&text)
                .and_then(|key| key.expect_kind(Kind::User))
                .map_err(|error| wrong(&format!("public-key: {error}")))
        })
        .transpose()?;
    Ok(Described {
        line,
        name: columns.name,
        account: columns.account,
        key,
        flags: columns.flags,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_the_flags_of_add_user() {
        for (text, said) in [
            ("name,frob\n", ""),
            (
                "name,frob\na,b\n",
                "line 2: there is no column frob; the columns are account, allow-pub",
            ),
            ("account\nx\n", "line 2: name is required"),
            (
                "name,data\na,much\n",
                "line 2: invalid value 'much' for '--data",
            ),
            (
                "{\"name\":\"a\",\"bearer\":\"perhaps\"}",
                "line 1: bearer: \"perhaps\" is neither",
            ),
            ("name,public-key\na,AA\n", "line 2: public-key: "),
        ] {
            let read = read(text);
            match (said, read) {
                ("", Ok(users)) => assert_eq!(users.len(), 0),
                (_, Err(error)) => assert!(error.to_string().contains(said), "{error}"),
                (_, Ok(_)) => panic!("{text} was read"),
            }
        }
        let users =
            read("{\"name\":\"a\",\"bearer\":false,\"tag\":[\"x\",\"y\"],\"subs\":5}").unwrap();
        assert_eq!(
            (users.len(), users[0].name.as_str(), users[0].line),
            (1, "a", 1)
        );
    }

    #[test]
    fn a_seed_is_not_repeated() {
        let seed = "SUAI3GDJ7HGKXGVS2UJCRGOZTFMDQY6WLJOBGXC2MVTMA2AXJDGYT62FQU";
        for text in [
            format!("name,public-key\na,{seed}\n"),
            format!("name,data\na,{seed}\n"),
        ] {
            let Err(error) = read(&text) else {
                panic!("it was read");
            };
            assert!(!error.to_string().contains("SUAI3"), "{error}");
        }
    }
}
