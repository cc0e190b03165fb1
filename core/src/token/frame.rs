//! Frames: COBS over a message and its CRC-32, ended by a zero.

use super::{FRAME_MS, MAX_MESSAGE};
use cobs::{DecodeResult, DecoderState};
use serde::Serialize;
use zeroize::Zeroize;

/// Most bytes of a message with its checksum: a signature's request and room for its envelope.
pub const FRAME_LEN: usize = MAX_MESSAGE + 64;

const CRC_LEN: usize = 4;
const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// Writes a message as a frame, through `scratch`; the bytes of the frame. None: too long.
pub fn encode(message: &impl Serialize, scratch: &mut [u8], frame: &mut [u8]) -> Option<usize> {
    let body = postcard::to_slice(message, scratch).ok()?.len();
    let sum = CRC.checksum(&scratch[..body]).to_le_bytes();
    scratch.get_mut(body..body + CRC_LEN)?.copy_from_slice(&sum);
    let len = cobs::try_encode(&scratch[..body + CRC_LEN], frame).ok()?;
    *frame.get_mut(len)? = 0;
    Some(len + 1)
}

/// The message in a frame, without its checksum; `frame` may end in its zero.
pub fn decode(frame: &mut [u8]) -> Option<&[u8]> {
    let len = frame
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(frame.len());
    let len = cobs::decode_in_place(&mut frame[..len]).ok()?;
    checked(&frame[..len])
}

/// A message whose checksum is right.
fn checked(whole: &[u8]) -> Option<&[u8]> {
    let (body, sum) = whole.split_last_chunk::<CRC_LEN>()?;
    (CRC.checksum(body).to_le_bytes() == *sum).then_some(body)
}

/// How a frame ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// A message lies in the buffer.
    Whole,
    /// It was damaged.
    Damaged,
    /// It is longer than the buffer, which holds its beginning.
    TooLong,
}

/// Takes frames apart as their bytes come.
pub(super) struct Receiver<const N: usize> {
    buffer: [u8; N],
    len: usize,
    state: DecoderState,
    active: bool,
    too_long: bool,
    last: u64,
}

impl<const N: usize> Receiver<N> {
    pub(super) const fn new() -> Receiver<N> {
        Receiver {
            buffer: [0; N],
            len: 0,
            state: DecoderState::Idle,
            active: false,
            too_long: false,
            last: 0,
        }
    }

    /// Whether a frame has begun and not ended.
    pub(super) fn active(&self) -> bool {
        self.active
    }

    /// Takes a byte.
    pub(super) fn push(&mut self, byte: u8, now: u64) -> Option<End> {
        self.last = now;
        if self.too_long {
            if byte != 0 {
                return None;
            }
            self.active = false;
            return Some(End::TooLong);
        }
        match self.state.feed(byte) {
            Ok(DecodeResult::NoData) => None,
            Ok(DecodeResult::DataStart) => {
                self.active = true;
                None
            }
            Ok(DecodeResult::DataContinue(data)) => {
                match self.buffer.get_mut(self.len) {
                    Some(place) => {
                        *place = data;
                        self.len += 1;
                    }
                    None => self.too_long = true,
                }
                None
            }
            Ok(DecodeResult::DataComplete) => {
                self.active = false;
                if let Some(body) = checked(&self.buffer[..self.len]) {
                    self.len = body.len();
                    return Some(End::Whole);
                }
                self.clear();
                Some(End::Damaged)
            }
            Err(_) => {
                self.clear();
                Some(End::Damaged)
            }
        }
    }

    /// Gives up a frame that has paused too long; whether there was one.
    pub(super) fn expire(&mut self, now: u64) -> bool {
        let expired = self.active && now.saturating_sub(self.last) > FRAME_MS;
        if expired {
            self.clear();
        }
        expired
    }

    /// The message of the last frame, or its beginning. To be cleared before the next.
    pub(super) fn message(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    /// Wipes the message and whatever has begun.
    pub(super) fn clear(&mut self) {
        // A frame's checksum lies behind its message.
        let end = (self.len + CRC_LEN).min(N);
        self.buffer[..end].zeroize();
        self.len = 0;
        self.state = DecoderState::Idle;
        self.active = false;
        self.too_long = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed<const N: usize>(receiver: &mut Receiver<N>, bytes: &[u8]) -> std::vec::Vec<End> {
        bytes
            .iter()
            .filter_map(|byte| receiver.push(*byte, 0))
            .collect()
    }

    #[test]
    fn frames_come_apart_as_they_were_put_together() {
        let (mut scratch, mut frame) = ([0u8; 600], [0u8; 700]);
        let mut receiver = Receiver::<600>::new();
        for len in [0, 1, 2, 253, 254, 255, 256, 500] {
            let message = std::vec![(len % 7) as u8; len];
            let end = encode(&message.as_slice(), &mut scratch, &mut frame).unwrap();
            assert_eq!(feed(&mut receiver, &frame[..end]), [End::Whole], "{len}");
            let body: &[u8] = postcard::from_bytes(receiver.message()).unwrap();
            assert_eq!(body, message);
            receiver.clear();
            assert!(decode(&mut frame[..end]).is_some());
        }
    }

    #[test]
    fn a_damaged_or_long_frame_says_so_once() {
        let (mut scratch, mut frame) = ([0u8; 64], [0u8; 64]);
        let end = encode(&[9u8; 16], &mut scratch, &mut frame).unwrap();
        for at in 0..end - 1 {
            for bit in 0..8 {
                let mut bad = frame;
                bad[at] ^= 1 << bit;
                let mut receiver = Receiver::<64>::new();
                let ends = feed(&mut receiver, &bad[..end]);
                assert!(!ends.contains(&End::Whole), "{at} {bit}");
                assert!(!ends.is_empty() || receiver.active(), "{at} {bit}");
            }
        }
        let mut receiver = Receiver::<8>::new();
        assert_eq!(feed(&mut receiver, &frame[..end]), [End::TooLong]);
        assert!(!receiver.active());
    }
}
