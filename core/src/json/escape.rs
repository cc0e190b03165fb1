//! Go's escapes, both ways.

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The bytes with which something begins that Go does not write as it is.
const STARTS: [bool; 256] = {
    let mut starts = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        starts[byte] = true;
        byte += 1;
    }
    let others = [b'"', b'\\', b'<', b'>', b'&', 0xE2];
    let mut at = 0;
    while at < others.len() {
        starts[others[at] as usize] = true;
        at += 1;
    }
    starts
};

/// How many bytes at the front Go writes as they are, or begins with 0xE2 and has to look at.
pub(crate) fn plain_len(rest: &[u8]) -> usize {
    rest.iter()
        .position(|byte| STARTS[usize::from(*byte)])
        .unwrap_or(rest.len())
}

/// Go's spelling of the character at the front of `rest`, if Go does not write it as it is.
///
/// Returns the escape (2 or 6 bytes) and how many bytes of the text it stands for.
pub(crate) fn escape(rest: &[u8]) -> Option<(Escape, usize)> {
    let short = |letter| Some((Escape::short(letter), 1));
    match *rest.first()? {
        b'"' => short(b'"'),
        b'\\' => short(b'\\'),
        0x08 => short(b'b'),
        0x0C => short(b'f'),
        b'\n' => short(b'n'),
        b'\r' => short(b'r'),
        b'\t' => short(b't'),
        byte if byte < 0x20 || matches!(byte, b'<' | b'>' | b'&') => {
            Some((Escape::unicode(u16::from(byte)), 1))
        }
        0xE2 => match rest {
            [0xE2, 0x80, 0xA8, ..] => Some((Escape::unicode(0x2028), 3)),
            [0xE2, 0x80, 0xA9, ..] => Some((Escape::unicode(0x2029), 3)),
            _ => None,
        },
        _ => None,
    }
}

/// The length of the escape sequence at the front of `raw`, if it is one that Go writes.
pub(crate) fn escape_at(raw: &[u8]) -> Option<usize> {
    let (code, len) = match raw.get(..2)? {
        [b'\\', b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't'] => return Some(2),
        [b'\\', b'u'] => {
            let digits = raw.get(2..6)?;
            let lower = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
            if !digits.iter().all(lower) {
                return None;
            }
            (hex(digits), 6)
        }
        _ => return None,
    };
    let go = match code {
        0x08 | 0x09 | 0x0A | 0x0C | 0x0D => false,
        0..0x20 | 0x26 | 0x3C | 0x3E | 0x2028 | 0x2029 => true,
        _ => false,
    };
    go.then_some(len)
}

/// Whether every escape in what stands between quotes is one that Go writes: of a letter none is.
pub(crate) fn has_go_escapes(raw: &str) -> bool {
    let mut rest = raw.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        match escape_at(&rest[at..]) {
            Some(len) => rest = &rest[at + len..],
            None => return false,
        }
    }
    true
}

fn hex(digits: &[u8]) -> u16 {
    digits.iter().fold(0u16, |code, &digit| {
        (code << 4) | (digit as char).to_digit(16).unwrap_or(0) as u16
    })
}

/// An escape sequence of 2 or 6 bytes.
pub(crate) struct Escape {
    bytes: [u8; 6],
    len: usize,
}

impl Escape {
    fn short(letter: u8) -> Escape {
        Escape {
            bytes: [b'\\', letter, 0, 0, 0, 0],
            len: 2,
        }
    }

    fn unicode(code: u16) -> Escape {
        let digit = |shift: u32| HEX[usize::from((code >> shift) & 15)];
        Escape {
            bytes: [b'\\', b'u', digit(12), digit(8), digit(4), digit(0)],
            len: 6,
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Whether Go writes this text between its quotes as it stands.
pub fn is_plain(text: &str) -> bool {
    escape_len(text) == text.len()
}

/// Bytes of the text in Go's spelling, without the quotes.
pub fn escape_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = plain_len(bytes);
    let mut len = at;
    while at < bytes.len() {
        let (written, read) = match escape(&bytes[at..]) {
            Some((escape, read)) => (escape.as_bytes().len(), read),
            None => (1, 1),
        };
        let plain = plain_len(&bytes[at + read..]);
        len += written + plain;
        at += read + plain;
    }
    len
}

/// The bytes of a string whose escapes are Go's, decoded one at a time: fixed memory.
///
/// Made only from text that the strict reader accepted.
#[derive(Clone)]
pub struct Decoded<'a> {
    raw: &'a [u8],
    pending: [u8; 2],
    pending_len: u8,
}

impl<'a> Decoded<'a> {
    /// Over the bytes between the quotes.
    pub fn new(raw: &'a str) -> Decoded<'a> {
        Decoded {
            raw: raw.as_bytes(),
            pending: [0; 2],
            pending_len: 0,
        }
    }
}

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if self.pending_len > 0 {
            self.pending_len -= 1;
            return Some(self.pending[usize::from(1 - self.pending_len)]);
        }
        let (&first, rest) = self.raw.split_first()?;
        if first != b'\\' {
            self.raw = rest;
            return Some(first);
        }
        let (&letter, after) = rest.split_first()?;
        if letter != b'u' {
            self.raw = after;
            return Some(match letter {
                b'b' => 0x08,
                b'f' => 0x0C,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                other => other,
            });
        }
        let code = hex(after.get(..4)?);
        self.raw = &after[4..];
        match code {
            0x2028 | 0x2029 => {
                self.pending = [0x80, 0xA8 | (code & 1) as u8];
                self.pending_len = 2;
                Some(0xE2)
            }
            low => Some(low as u8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_undoes_escaping() {
        let text = "a\u{0}\u{8}\u{c}\n\r\t\u{1f}\u{7f}\"\\<>&/\u{2028}\u{2029}é😀";
        let mut written = [0u8; 128];
        let mut len = 0;
        let mut at = 0;
        while at < text.len() {
            let rest = &text.as_bytes()[at..];
            let (piece, read) = match escape(rest) {
                Some((piece, read)) => (piece, read),
                None => {
                    written[len] = rest[0];
                    len += 1;
                    at += 1;
                    continue;
                }
            };
            written[len..len + piece.as_bytes().len()].copy_from_slice(piece.as_bytes());
            len += piece.as_bytes().len();
            at += read;
        }
        assert_eq!(len, escape_len(text));
        let raw = core::str::from_utf8(&written[..len]).unwrap();
        assert!(raw.starts_with(r"a\u0000\b\f\n\r\t\u001f"));
        assert!(raw.contains(r#"\"\\\u003c\u003e\u0026/\u2028\u2029"#));
        assert!(Decoded::new(raw).eq(text.bytes()));
        assert!(!is_plain(text) && is_plain("a/é\u{7f}"));
        assert!(has_go_escapes(raw) && has_go_escapes(""));
        for other in [r"\/", r"\u0061", r"\u003C", r"\\\", r"\u00"] {
            assert!(!has_go_escapes(other), "{other}");
        }
    }
}
