//! Lists: commas and repeated flags, as pflag's `StringSlice` reads them, quotes included.

use crate::error::Error;
use crate::output::{Output, clean_inline};

/// The items of all values of a flag, in order, empty ones left out, each once (`StringList.Add`).
///
/// # Errors
/// If a quote is not closed.
pub fn split(values: &[String]) -> Result<Vec<String>, String> {
    let mut items: Vec<String> = Vec::new();
    for value in values {
        for item in record(value)? {
            if !item.is_empty() && !items.contains(&item) {
                items.push(item);
            }
        }
    }
    Ok(items)
}

/// [`split`], trimmed and in lower case (`TagList.Add`).
///
/// # Errors
/// As [`split`].
pub fn split_tags(values: &[String]) -> Result<Vec<String>, String> {
    let mut tags: Vec<String> = Vec::new();
    for item in split(values)? {
        let tag = item.trim().to_lowercase();
        if !tag.is_empty() && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

/// [`split`] of the values of `flag`.
///
/// # Errors
/// Exit 2 names the flag.
pub fn of(flag: &str, values: &[String]) -> Result<Vec<String>, Error> {
    split(values).map_err(|error| Error::usage(format!("{flag}: {error}")))
}

/// [`split_tags`] of the values of `flag`.
///
/// # Errors
/// Exit 2 names the flag.
pub fn tags_of(flag: &str, values: &[String]) -> Result<Vec<String>, Error> {
    split_tags(values).map_err(|error| Error::usage(format!("{flag}: {error}")))
}

/// The items of all values of `flag`, those that stand twice as well.
///
/// # Errors
/// Exit 2 names the flag.
pub fn items(flag: &str, values: &[String]) -> Result<Vec<String>, Error> {
    let mut items = Vec::new();
    for value in values {
        items.extend(record(value).map_err(|error| Error::usage(format!("{flag}: {error}")))?);
    }
    items.retain(|item| !item.is_empty());
    Ok(items)
}

/// Adds the items that are not there yet (`StringList.Add`).
pub fn add(list: &mut Vec<String>, items: Vec<String>) {
    for item in items {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

/// Removes the items; one that is not there is named on standard error.
pub fn remove(list: &mut Vec<String>, flag: &str, items: &[String], out: &mut Output) {
    for item in items {
        match list.iter().position(|known| known == item) {
            Some(at) => drop(list.remove(at)),
            None => note_absent(out, flag, item),
        }
    }
}

/// Says that what a flag is to remove is not there.
pub fn note_absent(out: &mut Output, flag: &str, item: &str) {
    out.note(format!("{flag} {}: it was not there", clean_inline(item)));
}

/// One record of Go's encoding/csv: an item in quotes may hold commas, and `""` for a quote.
fn record(value: &str) -> Result<Vec<String>, String> {
    let mut items = Vec::new();
    let mut rest = value;
    loop {
        let Some(mut quoted) = rest.strip_prefix('"') else {
            let (item, next) = rest
                .split_once(',')
                .map_or((rest, None), |(item, next)| (item, Some(next)));
            items.push(item.to_owned());
            match next {
                Some(next) => rest = next,
                None => return Ok(items),
            }
            continue;
        };
        let mut item = String::new();
        loop {
            let Some((text, after)) = quoted.split_once('"') else {
                return Err(format!("a quote is not closed in {value}"));
            };
            item.push_str(text);
            match after.strip_prefix('"') {
                Some(after) => {
                    item.push('"');
                    quoted = after;
                }
                None => {
                    quoted = after;
                    break;
                }
            }
        }
        items.push(item);
        match quoted.strip_prefix(',') {
            Some(next) => rest = next,
            None if quoted.is_empty() => return Ok(items),
            None => return Err(format!("a comma is missing after a quote in {value}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Result<Vec<String>, String> {
        split(
            &values
                .iter()
                .map(|&value| value.to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn commas_and_repetition_make_one_list() {
        assert_eq!(of(&["a,b", "c", "a"]).unwrap(), ["a", "b", "c"]);
        assert_eq!(of(&["", ",a,,"]).unwrap(), ["a"]);
        assert_eq!(
            of(&["\"a,b\",c", "\"x\"\"y\""]).unwrap(),
            ["a,b", "c", "x\"y"]
        );
        assert_eq!(of(&["foo queue"]).unwrap(), ["foo queue"]);
        for broken in ["\"a", "\"a\"b", "x,\""] {
            assert!(of(&[broken]).unwrap_err().contains(broken), "{broken}");
        }
    }

    #[test]
    fn tags_are_trimmed_and_lower_case() {
        let tags = split_tags(&["Env:Test, B".to_owned(), "b".to_owned(), " ".to_owned()]).unwrap();
        assert_eq!(tags, ["env:test", "b"]);
    }
}
