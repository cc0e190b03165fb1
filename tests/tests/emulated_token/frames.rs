//! A host that sends anything.

use crate::hand::*;
use nkey_core::token::{Answer, Code, Command, Request, Response, decode, encode};
use nkey_tests::Scratch;
use nkey_tests::emulator::Emulator;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Write};

const FRAMES: usize = 10_000;
/// Frames sent at once.
const BATCH: usize = 100;

/// Always the same numbers.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn bytes(&mut self, len: u64) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// The line, and what came and nobody heard yet.
pub struct Host(File, VecDeque<u8>);

impl Host {
    pub fn open(emulator: &Emulator) -> Host {
        let mut options = File::options();
        Host(
            options
                .read(true)
                .write(true)
                .open(&emulator.path)
                .expect("the terminal"),
            VecDeque::new(),
        )
    }

    pub fn send(&mut self, frame: &[u8]) {
        self.0.write_all(frame).expect("a line");
    }

    /// Waits for an answer, which must come.
    fn wait(&self) {
        let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
        let timeout = Timespec {
            tv_sec: 60,
            tv_nsec: 0,
        };
        assert_eq!(poll(&mut fds, Some(&timeout)), Ok(1), "silence");
    }

    /// The next answer: its request, and its error.
    fn hear(&mut self) -> (u32, Option<Code>) {
        self.look(|response| match response.answer {
            Answer::Error { code, .. } => (response.id, Some(code)),
            _ => (response.id, None),
        })
    }

    /// Looks at the next answer.
    pub fn look<T>(&mut self, look: impl FnOnce(Response<'_>) -> T) -> T {
        let (mut frame, mut byte) = (Vec::new(), [0]);
        loop {
            if self.1.is_empty() {
                self.wait();
                let mut bytes = [0; 4096];
                let read = self.0.read(&mut bytes).expect("a line");
                self.1.extend(&bytes[..read]);
            }
            byte[0] = self.1.pop_front().expect("a line that is open");
            frame.push(byte[0]);
            if byte == [0] {
                break;
            }
        }
        let body = decode(&mut frame).expect("a whole frame");
        look(postcard::from_bytes(body).expect("a response"))
    }
}

pub fn request(id: u32, session: Option<[u8; 16]>, command: Command<'_>) -> Vec<u8> {
    let request = Request {
        id,
        session,
        command,
    };
    framed(|scratch, frame| encode(&request, scratch, frame))
}

fn framed(encode: impl FnOnce(&mut [u8], &mut [u8]) -> Option<usize>) -> Vec<u8> {
    let (mut scratch, mut frame) = (vec![0; 8_192], vec![0; 8_192]);
    let len = encode(&mut scratch, &mut frame).expect("a frame");
    frame.truncate(len);
    frame
}

/// A frame that no host sends: noise, noise with a checksum, or a request that was changed.
fn strange(numbers: &mut Numbers) -> Vec<u8> {
    let most = if numbers.below(20) == 0 { 600 } else { 40 };
    let len = 1 + numbers.below(most);
    let noise = numbers.bytes(len);
    match numbers.below(4) {
        0 => {
            let mut frame: Vec<u8> = noise.iter().map(|byte| (*byte).max(1)).collect();
            frame.push(0);
            frame
        }
        1 => framed(|scratch, frame| encode(&Raw(&noise), scratch, frame)),
        // An id and a session that could be, then noise.
        2 => {
            let mut body = vec![numbers.next() as u8 & 0x7F, 0, numbers.below(26) as u8];
            body.extend_from_slice(&noise);
            framed(|scratch, frame| encode(&Raw(&body), scratch, frame))
        }
        _ => {
            let session = [numbers.next() as u8; 16];
            let command = match numbers.below(5) {
                0 => Command::Sign {
                    slot: numbers.next() as u8,
                    message: &noise,
                },
                1 => Command::Random {
                    len: numbers.next() as u16,
                },
                2 => Command::Receive { sealed: &noise },
                3 => Command::ChangePin {
                    old: &noise,
                    new: &noise,
                },
                _ => Command::Slot {
                    slot: numbers.next() as u8,
                },
            };
            let mut frame = request(numbers.next() as u32 | 1, Some(session), command);
            let at = numbers.below(frame.len() as u64 - 1) as usize;
            if numbers.below(2) == 0 {
                frame[at] = (frame[at] ^ (1 << numbers.below(8))).max(1);
            }
            frame
        }
    }
}

/// Bytes as they are.
struct Raw<'a>(&'a [u8]);

impl serde::Serialize for Raw<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeTuple;
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for byte in self.0 {
            tuple.serialize_element(byte)?;
        }
        tuple.end()
    }
}

#[test]
fn each_of_10_000_strange_frames_is_answered() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    drop(open(&emulator));
    let mut host = Host::open(&emulator);
    let mut numbers = Numbers(0x6E6B_6579);
    let mut errors = 0;
    let mut sent = 0;
    // An id of four bytes, which no strange frame has.
    let mut mark = 0x0F00_0000;
    while sent < FRAMES {
        let mut frames = Vec::new();
        for _ in 0..BATCH {
            frames.extend(strange(&mut numbers));
        }
        sent += BATCH;
        mark += 2;
        // What waits for the button waits no longer.
        frames.extend(request(mark, None, Command::Cancel));
        frames.extend(request(mark + 1, None, Command::Hello));
        host.send(&frames);
        let mut answers = 0;
        loop {
            let (id, error) = host.hear();
            if id == mark + 1 {
                assert_eq!(error, None, "Hello");
                break;
            }
            if id != mark {
                answers += 1;
                errors += usize::from(error.is_some());
            }
        }
        assert!(answers >= BATCH, "{answers} answers to {BATCH} frames");
    }
    assert!(errors >= FRAMES * 9 / 10, "{errors} errors");
    drop(host);
    let mut token = open(&emulator);
    assert_eq!(keys(&mut token), [*prepared().key.as_bytes()]);
    unlock(&mut token);
    assert_eq!(emulator.state()["resets"], serde_json::json!([]));
}

#[test]
fn half_a_frame_times_out() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    drop(open(&emulator));
    let mut host = Host::open(&emulator);
    let frame = request(7, None, Command::Hello);
    host.send(&frame[..5]);
    std::thread::sleep(std::time::Duration::from_millis(100));
    emulator.pass(1_200);
    assert_eq!(host.hear(), (0, Some(Code::Frame)));
    host.send(&frame);
    assert_eq!(host.hear(), (7, None));
}
