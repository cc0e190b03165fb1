//! The strings and integers of RFC 9987 (and RFC 4251, section 5), bounded.

use nkey_core::nkey::PublicKey;
use std::fmt;
use zeroize::Zeroize;

/// The name of Ed25519 keys and signatures in blobs (RFC 8709).
pub const ED25519: &[u8] = b"ssh-ed25519";

/// A message that does not have the form of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed message: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

/// Takes a message apart from the front.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Over the bytes of a message.
    pub const fn new(rest: &'a [u8]) -> Reader<'a> {
        Reader { rest }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(Malformed("it ends too early"))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`Malformed`] if the message ends.
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        self.take::<1>().map(|[byte]| byte)
    }

    /// An unsigned integer of 32 bits, big endian.
    ///
    /// # Errors
    /// [`Malformed`] if the message ends.
    pub fn uint32(&mut self) -> Result<u32, Malformed> {
        self.take().map(u32::from_be_bytes)
    }

    /// A signed integer of 64 bits, big endian.
    ///
    /// # Errors
    /// [`Malformed`] if the message ends.
    pub fn int64(&mut self) -> Result<i64, Malformed> {
        self.take().map(i64::from_be_bytes)
    }

    /// A string: its length in 32 bits, then its bytes.
    ///
    /// # Errors
    /// [`Malformed`] if the message ends.
    pub fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.uint32()? as usize;
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(Malformed("a string is longer than the message"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// A string of UTF-8.
    ///
    /// # Errors
    /// [`Malformed`] if the message ends or the string is not UTF-8.
    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.string()?).map_err(|_| Malformed("a text is not UTF-8"))
    }

    /// The 32 bytes of an Ed25519 key blob that is the next string.
    ///
    /// # Errors
    /// [`Malformed`] if it is another kind of blob.
    pub fn key_blob(&mut self) -> Result<[u8; 32], Malformed> {
        const WRONG: Malformed = Malformed("the key blob is not one of ssh-ed25519");
        let mut blob = Reader::new(self.string()?);
        if blob.string()? != ED25519 {
            return Err(WRONG);
        }
        let key = blob.string()?.try_into().map_err(|_| WRONG)?;
        blob.end()?;
        Ok(key)
    }

    /// What is left.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// [`Malformed`] if something is.
    pub fn end(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed("bytes follow its end"))
        }
    }
}

/// Puts a message together. Wiped when dropped: it may hold a seed or a passphrase.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty message.
    pub fn new() -> Writer {
        Writer::default()
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Writer {
        self.grow(bytes.len());
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// One byte.
    pub fn byte(&mut self, byte: u8) -> &mut Writer {
        self.raw(&[byte])
    }

    /// An unsigned integer of 32 bits.
    pub fn uint32(&mut self, value: u32) -> &mut Writer {
        self.raw(&value.to_be_bytes())
    }

    /// A signed integer of 64 bits.
    pub fn int64(&mut self, value: i64) -> &mut Writer {
        self.raw(&value.to_be_bytes())
    }

    /// A string. Nothing longer than 4 GiB is ever given.
    pub fn string(&mut self, bytes: &[u8]) -> &mut Writer {
        self.uint32(u32::try_from(bytes.len()).unwrap_or(u32::MAX))
            .raw(bytes)
    }

    /// The key blob of a public key, as a string.
    pub fn key_blob(&mut self, key: &PublicKey) -> &mut Writer {
        let blob = key_blob(key);
        self.string(&blob)
    }

    /// The bytes so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets all bytes, wiping them, and keeps the room.
    pub fn clear(&mut self) {
        self.bytes.as_mut_slice().zeroize();
        self.bytes.clear();
    }

    /// Leaves room for a length of 32 bits; give its place to [`Writer::end_frame`].
    pub fn begin_frame(&mut self) -> usize {
        let at = self.bytes.len();
        self.uint32(0);
        at
    }

    /// Writes the length of what followed [`Writer::begin_frame`].
    pub fn end_frame(&mut self, at: usize) {
        let length = self.bytes.len().saturating_sub(at + 4);
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        }
    }

    /// Grows by hand, so that the old bytes are wiped when they move.
    fn grow(&mut self, more: usize) {
        let needed = self.bytes.len() + more;
        if needed > self.bytes.capacity() {
            let mut larger = Vec::with_capacity(needed.next_power_of_two().max(256));
            larger.extend_from_slice(&self.bytes);
            self.bytes.as_mut_slice().zeroize();
            self.bytes = larger;
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.bytes.as_mut_slice().zeroize();
    }
}

/// `string "ssh-ed25519", string key`: 51 bytes (RFC 8709).
pub fn key_blob(key: &PublicKey) -> [u8; 51] {
    let mut blob = [0u8; 51];
    blob[3] = 11;
    blob[4..15].copy_from_slice(ED25519);
    blob[18] = 32;
    blob[19..].copy_from_slice(key.as_bytes());
    blob
}

#[cfg(test)]
mod tests {
    use super::*;
    use nkey_core::nkey::Kind;

    #[test]
    fn what_is_written_is_read_and_every_cut_is_an_error() {
        let key = PublicKey::from_bytes(Kind::User, [9; 32]);
        let mut message = Writer::new();
        message
            .byte(7)
            .uint32(8)
            .int64(-9)
            .string(b"text")
            .key_blob(&key);
        let bytes = message.as_bytes();
        let read = |bytes| -> Result<_, Malformed> {
            let mut reader = Reader::new(bytes);
            let all = (
                reader.byte()?,
                reader.uint32()?,
                reader.int64()?,
                reader.text()?,
                reader.key_blob()?,
            );
            reader.end()?;
            Ok(all)
        };
        assert_eq!(read(bytes), Ok((7, 8, -9, "text", [9; 32])));
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(Reader::new(&u32::MAX.to_be_bytes()).string().is_err());
    }
}
