//! Stanzas on the pipes to an age plugin. Source: C2SP `age-plugin.md`, `age.md`.

use data_encoding::BASE64_NOPAD;
use std::io::{self, Read, Write};
use zeroize::Zeroizing;

const MAX_LINE: usize = 8192;
const MAX_BODY: usize = 16 * 1024;
/// Characters of a full line of a body; a shorter one ends it.
const COLUMNS: usize = 64;

/// A command or an answer: `-> tag args…`, then the body. The body may be secret.
pub(super) struct Stanza {
    pub(super) tag: String,
    pub(super) args: Vec<String>,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// Both ends of a plugin. Its own small buffer, since a std one would keep what passed through it.
pub(super) struct Wire<R, W> {
    reader: R,
    writer: W,
    buffer: Zeroizing<[u8; 512]>,
    start: usize,
    end: usize,
}

impl<R: Read, W: Write> Wire<R, W> {
    pub(super) fn new(reader: R, writer: W) -> Wire<R, W> {
        Wire {
            reader,
            writer,
            buffer: Zeroizing::new([0; 512]),
            start: 0,
            end: 0,
        }
    }

    /// Sends one stanza.
    pub(super) fn send(&mut self, tag: &str, args: &[&str], body: &[u8]) -> io::Result<()> {
        let encoded = BASE64_NOPAD.encode_len(body.len());
        let head: usize = args.iter().map(|arg| arg.len() + 1).sum();
        let size = 8 + tag.len() + head + encoded + encoded / COLUMNS;
        // Of full size from the start: growing would leave copies of a secret body behind.
        let mut text = Zeroizing::new(String::with_capacity(size));
        text.push_str("-> ");
        text.push_str(tag);
        for arg in args {
            text.push(' ');
            text.push_str(arg);
        }
        text.push('\n');
        // 48 bytes make a full line; a body of full lines ends with an empty one.
        for line in body.chunks(COLUMNS / 4 * 3) {
            BASE64_NOPAD.encode_append(line, &mut text);
            text.push('\n');
        }
        if body.len().is_multiple_of(COLUMNS / 4 * 3) {
            text.push('\n');
        }
        self.writer.write_all(text.as_bytes())?;
        self.writer.flush()
    }

    /// Reads one stanza; lengths are bounded.
    pub(super) fn receive(&mut self) -> io::Result<Stanza> {
        let head = self.line()?;
        let head = std::str::from_utf8(&head).map_err(|_| malformed())?;
        let mut words = head.strip_prefix("-> ").ok_or_else(malformed)?.split(' ');
        let arbitrary =
            |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
        let tag = words
            .next()
            .filter(arbitrary)
            .ok_or_else(malformed)?
            .to_owned();
        let args = words
            .map(|word| {
                Some(word)
                    .filter(arbitrary)
                    .map(str::to_owned)
                    .ok_or_else(malformed)
            })
            .collect::<io::Result<Vec<String>>>()?;
        let mut body = Zeroizing::new(Vec::with_capacity(MAX_BODY));
        loop {
            let line = self.line()?;
            if line.len() > COLUMNS || body.len() + COLUMNS > MAX_BODY {
                return Err(malformed());
            }
            let mut decoded = Zeroizing::new([0; COLUMNS]);
            let length = BASE64_NOPAD
                .decode_len(line.len())
                .map_err(|_| malformed())?;
            let decoded = &mut decoded[..length];
            BASE64_NOPAD
                .decode_mut(&line, decoded)
                .map_err(|_| malformed())?;
            body.extend_from_slice(decoded);
            if line.len() < COLUMNS {
                return Ok(Stanza { tag, args, body });
            }
        }
    }

    fn line(&mut self) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut line = Zeroizing::new(Vec::with_capacity(MAX_LINE));
        loop {
            if self.start == self.end {
                self.start = 0;
                self.end = self.reader.read(&mut self.buffer[..])?;
                if self.end == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            let waiting = &self.buffer[self.start..self.end];
            let newline = waiting.iter().position(|byte| *byte == b'\n');
            let taken = newline.unwrap_or(waiting.len());
            if line.len() + taken > MAX_LINE {
                return Err(malformed());
            }
            line.extend_from_slice(&waiting[..taken]);
            self.start += taken;
            if newline.is_some() {
                self.start += 1;
                return Ok(line);
            }
        }
    }
}

fn malformed() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "it does not speak the age plugin protocol",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(text: &str) -> io::Result<Stanza> {
        Wire::new(text.as_bytes(), io::sink()).receive()
    }

    #[test]
    fn what_is_sent_is_received() {
        for length in [0, 1, 16, 47, 48, 49, 96, 300] {
            let body: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            let mut sent = Vec::new();
            Wire::new(io::empty(), &mut sent)
                .send("tag", &["one", "two"], &body)
                .unwrap();
            let text = String::from_utf8(sent).unwrap();
            assert!(text.lines().skip(1).all(|line| line.len() <= 64), "{text}");
            let stanza = receive(&text).unwrap();
            assert_eq!(
                (stanza.tag.as_str(), stanza.args.join(" ")),
                ("tag", "one two".into())
            );
            assert_eq!(*stanza.body, body);
        }
    }

    #[test]
    fn stanzas_follow_each_other() {
        let mut wire = Wire::new(&b"-> msg\naGVsbG8\n-> done\n\n"[..], io::sink());
        assert_eq!(&**wire.receive().unwrap().body, b"hello");
        assert_eq!(wire.receive().unwrap().tag, "done");
        assert_eq!(
            wire.receive().err().unwrap().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }

    #[test]
    fn anything_else_is_an_error_and_lengths_are_bounded() {
        for text in [
            "hello\n\n",
            "->done\n\n",
            "-> \n\n",
            "-> a  b\n\n",
            "-> a\u{1b}\n\n",
            "-> a\n!!\n",
            "-> a\nAAA=\n",
            "-> a\nAB\n",
            &format!("-> a\n{}\n", "A".repeat(65)),
            &format!("-> {}\n\n", "a".repeat(MAX_LINE)),
            &format!("-> a\n{}", format!("{}\n", "A".repeat(64)).repeat(400)),
        ] {
            let kind = receive(text).err().map(|error| error.kind());
            assert_eq!(kind, Some(io::ErrorKind::InvalidData), "{text:.40}");
        }
        for text in ["", "-> a", "-> a\n", "-> a\nAA"] {
            let kind = receive(text).err().map(|error| error.kind());
            assert_eq!(kind, Some(io::ErrorKind::UnexpectedEof), "{text}");
        }
    }
}
