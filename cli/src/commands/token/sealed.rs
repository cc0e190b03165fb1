//! The file in which an exported key travels: a line that says what it is, then hexadecimal digits.

use crate::error::Error;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

/// What the sealed bytes begin with; then the two device keys.
const LABEL: &[u8] = b"nkey-token-export-v1\0";
/// The first line of the file.
const TITLE: &str = "nkey token export: open it with `nkey token receive`";
/// The longest line of digits.
const WIDTH: usize = 72;

/// The device key that bytes are sealed to.
///
/// # Errors
/// If they are no exported key.
pub fn receiver(bytes: &[u8]) -> Result<[u8; 32], Error> {
    bytes
        .strip_prefix(LABEL)
        .and_then(|rest| rest.get(32..64))
        .and_then(|peer| peer.try_into().ok())
        .ok_or_else(|| Error::failed("this is no key that a token exported"))
}

/// The file.
pub fn write(bytes: &[u8]) -> String {
    let digits = HEXLOWER.encode(bytes);
    let mut text = format!("{TITLE}\n");
    let mut rest = digits.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(WIDTH));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text
}

/// What a file holds.
///
/// # Errors
/// If it is no such file.
pub fn read(text: &str) -> Result<Vec<u8>, Error> {
    let digits = text.trim_start().strip_prefix(TITLE).unwrap_or_default();
    let digits: String = digits.split_whitespace().collect();
    let bytes = HEXLOWER_PERMISSIVE
        .decode(digits.as_bytes())
        .unwrap_or_default();
    receiver(&bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_is_written() {
        let mut bytes = LABEL.to_vec();
        bytes.extend([1; 32]);
        bytes.extend([2; 32]);
        bytes.extend([3; 200]);
        let text = write(&bytes);
        assert!(text.lines().all(|line| line.len() <= WIDTH));
        assert_eq!(read(&text).unwrap(), bytes);
        assert_eq!(receiver(&bytes).unwrap(), [2; 32]);
        for bad in ["", "6e", TITLE, &text[1..], &text[..text.len() - 2]] {
            read(bad).unwrap_err();
        }
    }
}
