//! The writer: counts past the end, so that "too small" says how much is needed.

use super::escape::{escape, plain_len};
use core::fmt;

/// The buffer was too small; nothing in it may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// Bytes that the whole output needs.
    pub needed: usize,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the buffer is too small: {} bytes are needed",
            self.needed
        )
    }
}

impl core::error::Error for Full {}

/// Writes JSON into a fixed buffer, compact or indented by two spaces as Go's `MarshalIndent`.
pub struct Writer<'b> {
    out: &'b mut [u8],
    len: usize,
    indent: bool,
    depth: usize,
}

impl<'b> Writer<'b> {
    /// A writer of compact JSON.
    pub fn new(out: &'b mut [u8]) -> Writer<'b> {
        Writer {
            out,
            len: 0,
            indent: false,
            depth: 0,
        }
    }

    /// A writer of JSON indented by two spaces a level.
    pub fn indented(out: &'b mut [u8]) -> Writer<'b> {
        Writer {
            indent: true,
            ..Writer::new(out)
        }
    }

    /// Bytes written, or that would have been with room enough.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The written bytes.
    ///
    /// # Errors
    /// [`Full`] with the length needed, if the buffer was too small.
    pub fn finish(self) -> Result<&'b mut [u8], Full> {
        let needed = self.len;
        self.out.get_mut(..needed).ok_or(Full { needed })
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if let Some(room) = self.out.get_mut(self.len..end) {
            room.copy_from_slice(bytes);
        }
        self.len = end;
    }

    /// A string with its quotes and Go's escapes.
    pub fn text(&mut self, text: &str) {
        self.raw(b"\"");
        let bytes = text.as_bytes();
        let mut plain = 0;
        let mut at = plain_len(bytes);
        while at < bytes.len() {
            match escape(&bytes[at..]) {
                None => at += 1,
                Some((escaped, read)) => {
                    self.raw(&bytes[plain..at]);
                    self.raw(escaped.as_bytes());
                    at += read;
                    plain = at;
                }
            }
            at += plain_len(&bytes[at..]);
        }
        self.raw(&bytes[plain..]);
        self.raw(b"\"");
    }

    /// A whole number: its sign and magnitude.
    pub fn number(&mut self, negative: bool, magnitude: u64) {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        let mut rest = magnitude;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if negative {
            self.raw(b"-");
        }
        self.raw(&digits[at..]);
    }

    /// Opens an object or array; the flag to give to [`Writer::item`] and [`Writer::close`].
    pub fn open(&mut self, bracket: u8) -> bool {
        self.raw(&[bracket]);
        self.depth += 1;
        true
    }

    /// Goes to the next item of an object or array.
    pub fn item(&mut self, first: &mut bool) {
        if !core::mem::replace(first, false) {
            self.raw(b",");
        }
        self.line();
    }

    /// The key of a member, before its value.
    pub fn key(&mut self, first: &mut bool, key: &str) {
        self.item(first);
        self.text(key);
        self.raw(if self.indent { b": " } else { b":" });
    }

    /// Closes an object or array.
    pub fn close(&mut self, empty: bool, bracket: u8) {
        self.depth = self.depth.saturating_sub(1);
        if !empty {
            self.line();
        }
        self.raw(&[bracket]);
    }

    fn line(&mut self) {
        if self.indent {
            self.raw(b"\n");
            for _ in 0..self.depth {
                self.raw(b"  ");
            }
        }
    }
}

/// A value that can be written.
pub trait Write {
    /// Writes the value.
    fn write(&self, writer: &mut Writer<'_>);

    /// Whether Go's `omitempty` leaves the member out, or the value is not there.
    fn is_absent(&self) -> bool;
}

/// A JSON object with free keys, borrowed. Its entries must ascend by key: Go sorts them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Map<'a, V>(pub &'a [(&'a str, V)]);

impl<V> Default for Map<'_, V> {
    fn default() -> Self {
        Map(&[])
    }
}

impl<V: Write> Write for Map<'_, V> {
    fn write(&self, writer: &mut Writer<'_>) {
        let mut first = writer.open(b'{');
        for (key, value) in self.0 {
            writer.key(&mut first, key);
            value.write(writer);
        }
        writer.close(first, b'}');
    }

    fn is_absent(&self) -> bool {
        self.0.is_empty()
    }
}

impl Write for str {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.text(self);
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Write + ?Sized> Write for &T {
    fn write(&self, writer: &mut Writer<'_>) {
        (**self).write(writer);
    }

    fn is_absent(&self) -> bool {
        (**self).is_absent()
    }
}

impl<T: Write> Write for [T] {
    fn write(&self, writer: &mut Writer<'_>) {
        let mut first = writer.open(b'[');
        for item in self {
            writer.item(&mut first);
            item.write(writer);
        }
        writer.close(first, b']');
    }

    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Write> Write for Option<T> {
    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Some(value) => value.write(writer),
            None => writer.raw(b"null"),
        }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl Write for bool {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.raw(if *self { b"true" } else { b"false" });
    }

    fn is_absent(&self) -> bool {
        !self
    }
}

impl Write for i64 {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.number(*self < 0, self.unsigned_abs());
    }

    fn is_absent(&self) -> bool {
        *self == 0
    }
}

impl Write for u64 {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.number(false, *self);
    }

    fn is_absent(&self) -> bool {
        *self == 0
    }
}

impl Write for u8 {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.number(false, u64::from(*self));
    }

    fn is_absent(&self) -> bool {
        *self == 0
    }
}

#[cfg(feature = "alloc")]
mod owned {
    use super::{Write, Writer};
    use alloc::collections::BTreeMap;
    use alloc::string::String;
    use alloc::vec::Vec;

    impl Write for String {
        fn write(&self, writer: &mut Writer<'_>) {
            writer.text(self);
        }

        fn is_absent(&self) -> bool {
            self.is_empty()
        }
    }

    impl<T: Write> Write for Vec<T> {
        fn write(&self, writer: &mut Writer<'_>) {
            self.as_slice().write(writer);
        }

        fn is_absent(&self) -> bool {
            self.is_empty()
        }
    }

    impl<V: Write> Write for BTreeMap<String, V> {
        fn write(&self, writer: &mut Writer<'_>) {
            let mut first = writer.open(b'{');
            for (key, value) in self {
                writer.key(&mut first, key);
                value.write(writer);
            }
            writer.close(first, b'}');
        }

        fn is_absent(&self) -> bool {
            self.is_empty()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_small_says_how_much_is_needed() {
        let map = Map(&[("a", 1i64), ("b<", i64::MIN)]);
        let mut small = [0u8; 5];
        let mut writer = Writer::new(&mut small);
        map.write(&mut writer);
        let Full { needed } = writer.finish().unwrap_err();
        let mut exact = [0u8; 64];
        let mut writer = Writer::new(&mut exact[..needed]);
        map.write(&mut writer);
        assert_eq!(
            writer.finish().unwrap(),
            br#"{"a":1,"b\u003c":-9223372036854775808}"#
        );
    }

    #[test]
    fn indents_as_go_does() {
        let mut out = [0u8; 128];
        let mut writer = Writer::indented(&mut out);
        let empty: &[&str] = &[];
        Map(&[("a", &["x", "y"][..]), ("b", empty)]).write(&mut writer);
        let text = core::str::from_utf8(writer.finish().unwrap()).unwrap();
        assert_eq!(
            text,
            "{\n  \"a\": [\n    \"x\",\n    \"y\"\n  ],\n  \"b\": []\n}"
        );
    }
}
