//! Seeds in files, directories and pipes.

use crate::error::Error;
use crate::seed_guard;
use crate::source;
use nkey_core::creds;
use nkey_core::nkey::Seed;
use std::path::{Path, PathBuf};

/// No file with seeds is longer, in bytes: a creds file holds a token of at most 1 MiB.
const MAX_FILE: usize = source::MAX_TEXT;
/// The deepest directory that is searched.
const MAX_DEPTH: usize = 32;

/// A seed, or why there is none.
pub struct Found {
    /// The file, or `-`.
    pub source: String,
    /// The file, if it is one of a directory.
    pub path: Option<PathBuf>,
    /// The seed, or a sentence that says why there is none.
    pub seed: Result<Seed, String>,
}

/// The seeds of a file, or of standard input for `-`.
pub fn in_source(name: &str, all: &mut Vec<Found>) {
    match source::read(name, MAX_FILE) {
        Ok(text) => in_text(name, &text, all),
        Err(error) => all.push(failed(name, error)),
    }
}

/// The seeds of a directory's files. Files without any are passed over, unless they are called so.
pub fn in_directory(dir: &Path, recurse: bool, all: &mut Vec<Found>) {
    let mut left = vec![(dir.to_owned(), 0)];
    while let Some((dir, depth)) = left.pop() {
        let entries = match sorted_entries(&dir) {
            Ok(entries) => entries,
            Err(error) => {
                let name = dir.display().to_string();
                all.push(failed(
                    &name,
                    Error::failed(format!("cannot read the directory: {error}")),
                ));
                continue;
            }
        };
        for path in entries {
            // A link to a directory could lead in circles; one to a file is a file.
            let is_link = path
                .symlink_metadata()
                .is_ok_and(|found| found.file_type().is_symlink());
            if path.is_dir() {
                if recurse && !is_link && depth < MAX_DEPTH {
                    left.push((path, depth + 1));
                }
            } else if path.is_file() {
                in_directory_file(&path, all);
            }
        }
    }
}

fn sorted_entries(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = std::fs::read_dir(dir)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

fn in_directory_file(path: &Path, all: &mut Vec<Found>) {
    let name = path.display().to_string();
    if seed_guard::has_secret(&name) {
        let dir = path.parent().unwrap_or(path).display().to_string();
        let reason = format!("{dir}: a file's name holds a seed, and was not read: rename it");
        all.push(failed(&dir, Error::failed(reason)));
        return;
    }
    let called_so = path
        .extension()
        .is_some_and(|end| end == "nk" || end == "creds");
    let mut seeds = Vec::new();
    match source::read_file(path, MAX_FILE) {
        Ok(text) => in_text(&name, &text, &mut seeds),
        Err(error) => seeds.push(failed(&name, error)),
    }
    let seeds = seeds
        .into_iter()
        .filter(|found| called_so || found.seed.is_ok());
    all.extend(seeds.map(|found| Found {
        path: Some(path.to_owned()),
        ..found
    }));
}

/// A decorated text has one seed, a bare one may have one on each line.
fn in_text(name: &str, text: &str, all: &mut Vec<Found>) {
    let found = |text: &str| Found {
        source: name.to_owned(),
        path: None,
        seed: creds::parse_seed(text).map_err(|error| match error {
            creds::Error::NoSeed => format!("{name} holds no seed"),
            creds::Error::Seed(error) => format!("{name}: a seed is damaged: {error}"),
            error => format!("{name}: {error}"),
        }),
    };
    if text.contains("-----BEGIN") {
        all.push(found(text));
        return;
    }
    let before = all.len();
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with('S'));
    all.extend(lines.map(found));
    if all.len() == before {
        all.push(found(""));
    }
}

fn failed(name: &str, error: Error) -> Found {
    Found {
        source: name.to_owned(),
        path: None,
        seed: Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nkey_core::nkey::Kind;

    fn texts(text: &str) -> Vec<Result<Kind, String>> {
        let mut all = Vec::new();
        in_text("x", text, &mut all);
        all.into_iter()
            .map(|found| found.seed.map(|seed| seed.kind()))
            .collect()
    }

    #[test]
    fn seeds_are_found_bare_in_lines_and_in_creds() {
        let seed = |kind| Seed::from_bytes(kind, [5; 32]).encode();
        let (user, account) = (seed(Kind::User), seed(Kind::Account));
        assert_eq!(texts(user.reveal()), [Ok(Kind::User)]);
        let lines = format!("  {}\n\n{}\r\n", user.reveal(), account.reveal());
        assert_eq!(texts(&lines), [Ok(Kind::User), Ok(Kind::Account)]);
        let mut buf = [0; 2048];
        let creds =
            creds::write("a.b.c", &Seed::from_bytes(Kind::User, [5; 32]), &mut buf).unwrap();
        assert_eq!(texts(creds), [Ok(Kind::User)]);
    }

    #[test]
    fn a_damaged_seed_is_told_without_showing_it() {
        let mut text = Seed::from_bytes(Kind::User, [5; 32])
            .encode()
            .reveal()
            .to_owned();
        text.replace_range(30..31, "1");
        let reason = texts(&text).remove(0).unwrap_err();
        assert!(
            reason.contains("character 31") && !reason.contains(&text[..10]),
            "{reason}"
        );
        assert_eq!(texts("nothing here"), [Err("x holds no seed".to_owned())]);
        assert_eq!(texts(""), [Err("x holds no seed".to_owned())]);
    }
}
