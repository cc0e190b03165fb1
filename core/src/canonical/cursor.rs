//! The lexical level: one spelling for each text and number.

use super::Why;
use crate::json::{escape_at, plain_len};

/// Reads the payload from the front.
pub(super) struct Cursor<'a> {
    text: &'a str,
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Cursor<'a> {
        Cursor { text, at: 0 }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Whether `byte` comes next; if so it is taken.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Takes `byte` or says what was wanted.
    pub(super) fn want(&mut self, byte: u8, what: &'static str) -> Result<(), Why> {
        if self.take(byte) {
            return Ok(());
        }
        Err(match self.peek() {
            None => Why::Ends,
            Some(b' ' | b'\t' | b'\n' | b'\r') => Why::Space,
            Some(b'n') if self.rest().starts_with(b"null") => Why::Null,
            Some(_) => Why::Wanted(what),
        })
    }

    /// A string with its quotes; what is between them, in Go's escapes.
    pub(super) fn string(&mut self) -> Result<&'a str, Why> {
        self.want(b'"', "a string")?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        loop {
            self.at += plain_len(&bytes[self.at..]);
            match bytes.get(self.at) {
                None => return Err(Why::Ends),
                Some(b'"') => {
                    let raw = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(raw);
                }
                Some(b'\\') => self.at += escape_at(&bytes[self.at..]).ok_or(Why::Escape)?,
                Some(&byte) if byte < 0x20 || matches!(byte, b'<' | b'>' | b'&') => {
                    return Err(Why::Escape);
                }
                Some(0xE2) if matches!(bytes[self.at..], [0xE2, 0x80, 0xA8 | 0xA9, ..]) => {
                    return Err(Why::Escape);
                }
                Some(_) => self.at += 1,
            }
        }
    }

    /// A whole number: `-?(0|[1-9][0-9]*)`, no minus zero.
    pub(super) fn number(&mut self) -> Result<(bool, u64), Why> {
        let negative = self.take(b'-');
        let start = self.at;
        let mut magnitude = 0u64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            magnitude = magnitude
                .checked_mul(10)
                .and_then(|tens| tens.checked_add(u64::from(digit - b'0')))
                .ok_or(Why::Number)?;
            self.at += 1;
        }
        match self.at - start {
            0 => {
                self.want(b'0', "a number")?;
                return Err(Why::Number);
            }
            1 if magnitude == 0 && negative => return Err(Why::Number),
            1 => {}
            _ if self.text.as_bytes()[start] == b'0' => return Err(Why::Number),
            _ => {}
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return Err(Why::Number);
        }
        Ok((negative, magnitude))
    }

    /// A word such as `true`.
    pub(super) fn word(&mut self, word: &'static str) -> bool {
        let found = self.rest().starts_with(word.as_bytes());
        self.at += if found { word.len() } else { 0 };
        found
    }
}
