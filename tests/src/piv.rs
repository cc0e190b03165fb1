//! A PIV card for tests, as a YubiKey with firmware 5.7 answers, behind vpcd's socket. Where no
//! one has seen the real card's answer (more than 3,072 bytes, no touch) this one guesses.

use nkey_core::nkey::{KeyPair, Kind, Seed};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

const PIN: &[u8; 8] = b"123456\xff\xff";
/// Most bytes of a chained command.
const MAX: usize = 3072;

type Answer = (u16, Vec<u8>);

/// A card and what it holds.
pub struct PivCard {
    serial: u32,
    version: [u8; 3],
    /// Says before each signature what to do.
    orders: PathBuf,
    slots: BTreeMap<u8, KeyPair>,
    selected: bool,
    verified: bool,
    tries: u8,
    chained: Vec<u8>,
    waiting: Vec<u8>,
}

impl PivCard {
    /// A card whose slots hold the keys of seeds of equal bytes.
    pub fn new(serial: u32, version: [u8; 3], orders: PathBuf, slots: &[(u8, u8)]) -> PivCard {
        let pair = |byte: u8| KeyPair::from_seed(&Seed::from_bytes(Kind::User, [byte; 32]));
        PivCard {
            serial,
            version,
            orders,
            slots: slots
                .iter()
                .map(|(slot, byte)| (*slot, pair(*byte).expect("a key")))
                .collect(),
            selected: false,
            verified: false,
            tries: 3,
            chained: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// Serves vpcd until it closes, or until it is unplugged.
    ///
    /// # Errors
    /// If the socket breaks.
    pub fn serve(&mut self, mut stream: TcpStream) -> io::Result<()> {
        const ATR: &[u8] = b"\x3b\xfd\x13\x00\x00\x81\x31\xfe\x15\x80\x73\xc0\x21\xc0\x57\x59\x75\x62\x69\x4b\x65\x79\x40";
        stream.set_nodelay(true)?;
        loop {
            // vpcd sends length and data apart: a late acknowledgement would cost 40 ms.
            rustix::net::sockopt::set_tcp_quickack(&stream, true)?;
            let mut length = [0; 2];
            stream.read_exact(&mut length)?;
            rustix::net::sockopt::set_tcp_quickack(&stream, true)?;
            let mut command = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut command)?;
            let answer = match command[..] {
                [0 | 2] => {
                    self.reset();
                    continue;
                }
                [1] => continue,
                [4] => ATR.to_vec(),
                _ => match self.answer(&command) {
                    Some((status, mut body)) => {
                        body.extend(status.to_be_bytes());
                        body
                    }
                    // Unplugged.
                    None => return Ok(()),
                },
            };
            let length = u16::try_from(answer.len()).unwrap_or(u16::MAX);
            stream.write_all(&[&length.to_be_bytes()[..], &answer].concat())?;
        }
    }

    fn reset(&mut self) {
        (self.selected, self.verified) = (false, false);
        self.chained.clear();
    }

    fn order(&self) -> String {
        let text = std::fs::read_to_string(&self.orders).unwrap_or_default();
        text.trim().to_owned()
    }

    fn answer(&mut self, command: &[u8]) -> Option<Answer> {
        let [class, ins, p1, p2, rest @ ..] = command else {
            return Some((0x6700, Vec::new()));
        };
        let data = match rest {
            [length, data @ ..] if *length > 0 => data.get(..usize::from(*length)),
            _ => Some(&[][..]),
        };
        let Some(data) = data else {
            return Some((0x6700, Vec::new()));
        };
        if *ins == 0xc0 {
            return Some(self.part());
        }
        self.chained.extend(data);
        if self.chained.len() > MAX {
            self.chained.clear();
            return Some((0x6a84, Vec::new()));
        }
        if class & 0x10 != 0 {
            return Some((0x9000, Vec::new()));
        }
        let data = std::mem::take(&mut self.chained);
        let (status, body) = self.command(*ins, *p1, *p2, &data)?;
        if body.len() > 256 {
            self.waiting = body;
            return Some(self.part());
        }
        Some((status, body))
    }

    fn part(&mut self) -> Answer {
        let rest = self.waiting.split_off(self.waiting.len().min(256));
        let part = std::mem::replace(&mut self.waiting, rest);
        match self.waiting.len() {
            0 => (0x9000, part),
            left => (0x6100 | u16::try_from(left.min(255)).unwrap_or(0), part),
        }
    }

    fn command(&mut self, ins: u8, p1: u8, p2: u8, data: &[u8]) -> Option<Answer> {
        let said = |status: u16| Some((status, Vec::new()));
        if ins == 0xa4 {
            self.selected = data.starts_with(&[0xa0, 0, 0, 3, 8]);
            // Another applet makes PIV forget.
            self.verified &= self.selected;
            let management = data.starts_with(&[0xa0, 0, 0, 5, 0x27, 0x47, 0x11, 0x17]);
            return said(if self.selected || management {
                0x9000
            } else {
                0x6a82
            });
        }
        if !self.selected {
            return said(0x6d00);
        }
        match (ins, p1, p2) {
            (0xfd, 0, 0) => Some((0x9000, self.version.to_vec())),
            (0xf8, 0, 0) => Some((0x9000, self.serial.to_be_bytes().to_vec())),
            (0x20, 0xff, 0x80) => {
                self.verified = false;
                said(0x9000)
            }
            (0x20, 0, 0x80) => said(self.verify(data)),
            (0xf7, 0, slot) => match self.slots.get(&slot) {
                Some(pair) => {
                    let key = *pair.public_key().as_bytes();
                    let pin = if is_once(slot) { 2 } else { 3 };
                    let head = [1, 1, 0xe0, 2, 2, pin, 1, 3, 1, 1, 4, 34, 0x86, 32];
                    Some((0x9000, [&head[..], &key].concat()))
                }
                None => said(0x6a88),
            },
            (0x87, 0xe0, slot) => self.sign(slot, data),
            _ => said(0x6d00),
        }
    }

    fn verify(&mut self, pin: &[u8]) -> u16 {
        if self.tries == 0 {
            return 0x6983;
        }
        if pin.is_empty() {
            let left = 0x63c0 | u16::from(self.tries);
            return if self.verified { 0x9000 } else { left };
        }
        self.verified = pin == PIN;
        self.tries = if self.verified { 3 } else { self.tries - 1 };
        match (self.verified, self.tries) {
            (true, _) => 0x9000,
            (false, 0) => 0x6983,
            (false, tries) => 0x63c0 | u16::from(tries),
        }
    }

    fn sign(&mut self, slot: u8, data: &[u8]) -> Option<Answer> {
        let said = |status: u16| Some((status, Vec::new()));
        let order = self.order();
        let verified = self.verified;
        self.verified &= is_once(slot);
        if !verified || order == "untouched" {
            return said(0x6982);
        }
        let (Some(pair), Some(message)) = (self.slots.get(&slot), message(data)) else {
            return said(0x6a80);
        };
        let signature = match order.as_str() {
            "unplug" => return None,
            "hang" => loop {
                std::thread::sleep(std::time::Duration::from_secs(3600));
            },
            "slow" => {
                std::thread::sleep(std::time::Duration::from_millis(50));
                pair.sign(message)
            }
            "status" => return said(0x6f00),
            "empty" => return said(0x9000),
            "prefix" => pair.sign(&message[..message.len().min(32)]),
            "swapped" => {
                let other = Seed::from_bytes(Kind::User, [0x77; 32]);
                KeyPair::from_seed(&other).expect("a key").sign(message)
            }
            "zeros" => nkey_core::Signature::from_bytes([0; 64]),
            _ => pair.sign(message),
        };
        let head = [0x7c, 66, 0x82, 64];
        Some((0x9000, [&head[..], signature.as_bytes()].concat()))
    }
}

/// The retired slots need the PIN once, the others for each signature.
fn is_once(slot: u8) -> bool {
    (0x82..=0x95).contains(&slot)
}

/// The 81 within the 7C.
fn message(data: &[u8]) -> Option<&[u8]> {
    let take = |bytes: &'_ [u8]| -> Option<(u8, usize, usize)> {
        let (&tag, rest) = bytes.split_first()?;
        match rest {
            [0x82, high, low, ..] => Some((tag, 4, usize::from(u16::from_be_bytes([*high, *low])))),
            [0x81, length, ..] => Some((tag, 3, usize::from(*length))),
            [length, ..] => Some((tag, 2, usize::from(*length))),
            [] => None,
        }
    };
    let (0x7c, head, length) = take(data)? else {
        return None;
    };
    let mut inner = data.get(head..head + length)?;
    loop {
        let (tag, head, length) = take(inner)?;
        let value = inner.get(head..head + length)?;
        if tag == 0x81 {
            return Some(value);
        }
        inner = &inner[head + length..];
    }
}
