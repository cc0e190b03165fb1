//! A PIV card for tests, as a YubiKey with firmware 5.7 answers, behind vpcd's socket. Where no
//! one has seen the real card's answer (more than 3,072 bytes, no touch) this one guesses.

mod applet;
mod attestation;
mod der;
mod management;

use applet::Applet;
pub use attestation::attestors;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

/// Most bytes of a chained command.
const MAX: usize = 3072;
/// Most bytes of a response to a short command.
const PART: usize = 256;
const PIV: &[u8] = &[0xa0, 0, 0, 3, 8];
const MANAGEMENT: &[u8] = &[0xa0, 0, 0, 5, 0x27, 0x47, 0x11, 0x17];

type Answer = (u16, Vec<u8>);

fn said(status: u16) -> Option<Answer> {
    Some((status, Vec::new()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Selected {
    Nothing,
    Piv,
    Management,
}

/// A card and what it holds.
pub struct PivCard {
    applet: Applet,
    selected: Selected,
    chained: Vec<u8>,
    waiting: Vec<u8>,
}

impl PivCard {
    /// A card whose slots hold the keys of seeds of equal bytes. With a folder of [`attestors`]
    /// it attests.
    pub fn new(
        serial: u32,
        version: [u8; 3],
        orders: PathBuf,
        attestors: Option<&Path>,
        slots: &[(u8, u8)],
    ) -> PivCard {
        PivCard {
            applet: Applet::new(serial, version, orders, attestors, slots),
            selected: Selected::Nothing,
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
            if self.applet.order() == "unplug" {
                return Ok(());
            }
            let answer = match command[..] {
                [0 | 2] => {
                    self.select(Selected::Nothing);
                    self.chained.clear();
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
            let answer = self.odd(&command, answer);
            let length = u16::try_from(answer.len()).unwrap_or(u16::MAX);
            stream.write_all(&[&length.to_be_bytes()[..], &answer].concat())?;
        }
    }

    /// What an order makes of the bytes of an answer to a signature.
    fn odd(&self, command: &[u8], answer: Vec<u8>) -> Vec<u8> {
        if !matches!(command, [class, 0x87, 0xe0, ..] if class & 0x10 == 0) {
            return answer;
        }
        match self.applet.order().as_str() {
            "truncated" => vec![0x90],
            "oversized" => [&[7; 2000][..], &[0x90, 0]].concat(),
            _ => answer,
        }
    }

    /// Another applet makes PIV forget.
    fn select(&mut self, selected: Selected) {
        if selected != Selected::Piv {
            self.applet.forget();
        }
        self.selected = selected;
    }

    fn answer(&mut self, command: &[u8]) -> Option<Answer> {
        let [class, ins, p1, p2, rest @ ..] = command else {
            return said(0x6700);
        };
        let extended = matches!(rest, [0, _, _, ..]);
        let data = match rest {
            [] | [_] | [0, _, _] => Some(&[][..]),
            [0, high, low, data @ ..] => data.get(..usize::from(u16::from_be_bytes([*high, *low]))),
            [length, data @ ..] => data.get(..usize::from(*length)),
        };
        let Some(data) = data else {
            return said(0x6700);
        };
        if *ins == 0xc0 {
            if self.applet.order() == "endless" {
                return Some((0x61ff, vec![7; PART]));
            }
            return Some(self.part());
        }
        self.chained.extend(data);
        if self.chained.len() > MAX {
            self.chained.clear();
            return said(0x6a84);
        }
        if class & 0x10 != 0 {
            return said(0x9000);
        }
        let data = std::mem::take(&mut self.chained);
        let (status, body) = self.command([*ins, *p1, *p2], &data)?;
        if body.len() > PART && !extended {
            self.waiting = body;
            return Some(self.part());
        }
        Some((status, body))
    }

    fn part(&mut self) -> Answer {
        let rest = self.waiting.split_off(self.waiting.len().min(PART));
        let part = std::mem::replace(&mut self.waiting, rest);
        match self.waiting.len() {
            0 => (0x9000, part),
            left => (0x6100 | u16::try_from(left.min(255)).unwrap_or(0), part),
        }
    }

    fn command(&mut self, command: [u8; 3], data: &[u8]) -> Option<Answer> {
        match (command, self.selected) {
            ([0xa4, 4, _], _) if data == PIV => {
                self.select(Selected::Piv);
                let template =
                    b"\x61\x11\x4f\x06\x00\x00\x10\x00\x01\x00\x79\x07\x4f\x05\xa0\x00\x00\x03\x08";
                Some((0x9000, template.to_vec()))
            }
            ([0xa4, 4, _], _) if data == MANAGEMENT => {
                self.select(Selected::Management);
                let name = format!("Virtual mgr - FW version {}", self.applet.firmware());
                Some((0x9000, name.into_bytes()))
            }
            // What is not there does not take the place of what is.
            ([0xa4, ..], _) => said(0x6a82),
            ([0x1d, 0, _], Selected::Management) => Some((0x9000, self.applet.device())),
            (_, Selected::Piv) => self.applet.command(command, data),
            _ => said(0x6d00),
        }
    }
}
