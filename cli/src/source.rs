//! Input from a file or, for `-`, from standard input; bounded.

use crate::error::Error;
use nkey_core::jwt::MAX_TOKEN;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use zeroize::Zeroizing;

/// The longest claims, creds file or token that is read, in bytes: twice the longest token.
pub const MAX_TEXT: usize = 2 * MAX_TOKEN;

/// The content of the file `name`, or of standard input for `-`.
///
/// # Errors
/// If it cannot be read, is longer than `limit` bytes or is not UTF-8.
pub fn read(name: &str, limit: usize) -> Result<Zeroizing<String>, Error> {
    if name == "-" {
        if io::stdin().is_terminal() {
            eprintln!("reading from the terminal; end with Ctrl-D");
        }
        return take(io::stdin().lock(), "standard input", limit);
    }
    read_file(Path::new(name), limit)
}

/// The content of a regular file, or of a pipe that has a name.
///
/// # Errors
/// As [`read`].
pub fn read_file(path: &Path, limit: usize) -> Result<Zeroizing<String>, Error> {
    let shown = path.display().to_string();
    let file =
        File::open(path).map_err(|error| Error::failed(format!("cannot read {shown}: {error}")))?;
    take(file, &shown, limit)
}

/// Reads up to `limit` bytes; wiped when dropped, since it may be a seed.
fn take(source: impl Read, name: &str, limit: usize) -> Result<Zeroizing<String>, Error> {
    let failed = |error: io::Error| Error::failed(format!("cannot read {name}: {error}"));
    let mut source = source;
    let mut bytes = Zeroizing::new(vec![0u8; 4096.min(limit + 1)]);
    let mut filled = 0;
    loop {
        match source.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        }
        if filled > limit {
            return Err(Error::failed(format!(
                "{name} is longer than {limit} bytes"
            )));
        }
        if filled == bytes.len() {
            // Into a new buffer, so that the old one is wiped.
            let mut larger = Zeroizing::new(vec![0u8; (filled * 2).min(limit + 1)]);
            larger[..filled].copy_from_slice(&bytes);
            bytes = larger;
        }
    }
    match std::str::from_utf8(&bytes[..filled]) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Error::failed(format!("{name} is not UTF-8 text"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_read_whole_and_bounded() {
        let text = "x".repeat(10_000);
        assert_eq!(*take(text.as_bytes(), "text", 10_000).unwrap(), text);
        let error = take(text.as_bytes(), "text", 9_999).unwrap_err();
        assert_eq!(error.to_string(), "text is longer than 9999 bytes");
        assert!(
            take(&b"\xff"[..], "text", 10)
                .unwrap_err()
                .to_string()
                .contains("UTF-8")
        );
        assert_eq!(*take(&b""[..], "text", 10).unwrap(), "");
    }
}
