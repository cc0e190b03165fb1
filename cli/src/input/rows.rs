//! Rows of a table: CSV with a header, or a JSON object on each line.

use crate::error::Error;
use crate::output::clean_inline;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// One row.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The line that it starts on.
    pub line: usize,
    /// Columns and what stands in them; a list has several values, what is empty is left out.
    pub cells: Vec<(String, Vec<String>)>,
}

/// Reads a table. A first character `{` says that it is JSON.
///
/// # Errors
/// Exit 2 names the line.
pub fn parse(text: &str) -> Result<Vec<Row>, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.trim_start().starts_with('{') {
        true => json(text),
        false => csv(text),
    }
}

fn wrong(line: usize, error: impl fmt::Display) -> Error {
    Error::usage(format!("line {line}: {error}"))
}

fn json(text: &str) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    for (index, text) in text.lines().enumerate() {
        let line = index + 1;
        if text.trim().is_empty() {
            continue;
        }
        let Members(members) =
            serde_json::from_str(text).map_err(|error| wrong(line, format!("no JSON: {error}")))?;
        let mut cells: Vec<(String, Vec<String>)> = Vec::new();
        for (column, value) in members {
            if cells.iter().any(|(known, _)| *known == column) {
                let column = clean_inline(&column);
                return Err(wrong(line, format!("{column} stands twice")));
            }
            let Some(values) = values(&value) else {
                let column = clean_inline(&column);
                return Err(wrong(
                    line,
                    format!("{column} is no text, number, boolean or list of them"),
                ));
            };
            cells.push((column, values));
        }
        rows.push(Row { line, cells });
    }
    Ok(rows)
}

/// What a member gives, empty ones left out.
fn values(value: &Value) -> Option<Vec<String>> {
    let one = |value: &Value| match value {
        Value::Null => Some(String::new()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        Value::Array(_) | Value::Object(_) => None,
    };
    let mut values: Vec<String> = match value {
        Value::Array(items) => items.iter().map(one).collect::<Option<_>>()?,
        value => vec![one(value)?],
    };
    values.retain(|value| !value.is_empty());
    Some(values)
}

/// The members of an object in order, repeated ones as well.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

fn csv(text: &str) -> Result<Vec<Row>, Error> {
    let mut records = Records {
        rest: text,
        line: 1,
    };
    let Some((line, header)) = records.next()? else {
        return Ok(Vec::new());
    };
    let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    for (index, name) in header.iter().enumerate() {
        if header[..index].contains(name) {
            return Err(wrong(
                line,
                format!("the column {} stands twice", clean_inline(name)),
            ));
        }
    }
    let mut rows = Vec::new();
    while let Some((line, cells)) = records.next()? {
        if cells.len() != header.len() {
            return Err(wrong(
                line,
                format!("{} cells, and the header has {}", cells.len(), header.len()),
            ));
        }
        let values = cells.into_iter().map(|cell| match cell.is_empty() {
            true => Vec::new(),
            false => vec![cell],
        });
        rows.push(Row {
            line,
            cells: header.iter().cloned().zip(values).collect(),
        });
    }
    Ok(rows)
}

/// The records of a CSV text (RFC 4180).
struct Records<'a> {
    rest: &'a str,
    line: usize,
}

impl Records<'_> {
    /// The next record that is not empty, and its line.
    fn next(&mut self) -> Result<Option<(usize, Vec<String>)>, Error> {
        while !self.rest.is_empty() {
            let line = self.line;
            let record = self.record()?;
            if record != [""] {
                return Ok(Some((line, record)));
            }
        }
        Ok(None)
    }

    fn record(&mut self) -> Result<Vec<String>, Error> {
        let mut record = Vec::new();
        loop {
            let cell = match self.rest.strip_prefix('"') {
                Some(rest) => self.quoted(rest)?,
                None => {
                    let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
                    let (cell, rest) = self.rest.split_at(end);
                    self.rest = rest;
                    // The end of the line belongs to no cell.
                    let cell = match rest.starts_with(',') {
                        true => cell,
                        false => cell.strip_suffix('\r').unwrap_or(cell),
                    };
                    if cell.contains('"') {
                        return Err(wrong(
                            self.line,
                            "a quote within a cell: quote the whole cell",
                        ));
                    }
                    cell.to_owned()
                }
            };
            record.push(cell);
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                continue;
            }
            self.rest = self.rest.strip_prefix('\r').unwrap_or(self.rest);
            self.rest = self.rest.strip_prefix('\n').unwrap_or(self.rest);
            self.line += 1;
            return Ok(record);
        }
    }

    /// A cell after its opening quote; two quotes are one.
    fn quoted(&mut self, mut rest: &str) -> Result<String, Error> {
        let opened = self.line;
        let mut cell = String::new();
        loop {
            let Some((text, after)) = rest.split_once('"') else {
                return Err(wrong(opened, "a quote is not closed"));
            };
            cell.push_str(text);
            self.line += text.matches('\n').count();
            match after.strip_prefix('"') {
                Some(after) => {
                    cell.push('"');
                    rest = after;
                }
                None => {
                    let ended = after.trim_start_matches('\r');
                    if !(ended.is_empty() || ended.starts_with([',', '\n'])) {
                        return Err(wrong(self.line, "text after a closing quote"));
                    }
                    let at = self.rest.len() - after.len();
                    self.rest = &self.rest[at..];
                    return Ok(cell);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(row: &Row) -> Vec<(&str, Vec<&str>)> {
        let cells = row.cells.iter();
        cells
            .map(|(column, values)| (column.as_str(), values.iter().map(String::as_str).collect()))
            .collect()
    }

    #[test]
    fn csv_is_read_with_quotes_lines_and_empty_cells() {
        let rows = parse("\u{feff}name,tag\r\n\r\na,\"x,y\"\r\n\"b \"\"\n c\",\r\nd,z").unwrap();
        assert_eq!(cells(&rows[0]), [("name", vec!["a"]), ("tag", vec!["x,y"])]);
        assert_eq!(
            cells(&rows[1]),
            [("name", vec!["b \"\n c"]), ("tag", vec![])]
        );
        assert_eq!((rows[1].line, rows[2].line, rows.len()), (4, 6, 3));
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn json_lines_are_read_with_lists_and_nulls() {
        let rows = parse(
            "{\"name\":\"a\",\"tag\":[\"x\",\"\"],\"subs\":5}\n\n{\"bearer\":true,\"tag\":null}\n",
        )
        .unwrap();
        assert_eq!(
            cells(&rows[0]),
            [("name", vec!["a"]), ("tag", vec!["x"]), ("subs", vec!["5"])]
        );
        assert_eq!(cells(&rows[1]), [("bearer", vec!["true"]), ("tag", vec![])]);
        assert_eq!(rows[1].line, 3);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, said) in [
            ("a,a\n", "line 1: the column a stands twice"),
            ("a\nx,y\n", "line 2: 2 cells, and the header has 1"),
            ("a\n\"x\n", "line 2: a quote is not closed"),
            ("a\n\"x\"y\n", "line 2: text after a closing quote"),
            ("a\nx\"y\n", "line 2: a quote within a cell"),
            ("{\"a\":1}\n[1]\n", "line 2: no JSON"),
            ("{\"a\":1}\n{\"a\":1,\"a\":2}\n", "line 2: a stands twice"),
            ("{\"a\":{}}\n", "line 1: a is no text"),
            ("{\"a\":[[1]]}\n", "line 1: a is no text"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.to_string().contains(said), "{text:?}: {error}");
            assert_eq!(error.code(), 2);
        }
    }
}
