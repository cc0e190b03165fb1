//! Frames without number: noise, changed frames, sound ones in any order, while somebody
//! presses now and then and the line and the power fail. Each frame is answered.

use crate::board::{Flash, Model};
use crate::host::*;
use crate::noise::{Noise, alive, rounds};
use nkey_core::nkey::Kind;
use nkey_core::policy::{Policy, Presence};
use nkey_core::token::*;

struct Mix {
    token: Token,
    session: Option<Session>,
    noise: Noise,
    /// The device, and its signatures so far.
    counted: ([u8; 32], u64),
    /// Answers that were no error.
    granted: u64,
    /// Answers by their code.
    refused: [u64; 25],
}

impl Mix {
    fn new(seed: u64) -> Mix {
        let mut mix = Mix {
            token: Token::new(Flash::new()),
            session: None,
            noise: Noise(seed),
            counted: ([0; 32], 0),
            granted: 0,
            refused: [0; 25],
        };
        mix.revive();
        mix
    }

    /// Sends a frame; the token answers it.
    fn send(&mut self, frame: &[u8]) {
        self.token.send(frame);
        let replies = self.token.replies();
        assert!(!replies.is_empty(), "silence at {frame:02x?}");
        self.hear(&replies);
    }

    fn hear(&mut self, replies: &[Reply]) {
        for reply in replies {
            match reply.answer() {
                Answer::Error { code, .. } => self.refused[code as usize] += 1,
                Answer::Session { session, .. } => {
                    self.session = Some(session);
                    self.granted += 1;
                }
                _ => self.granted += 1,
            }
        }
    }

    /// A sound message, made for this session.
    fn sound(&mut self) -> Vec<u8> {
        let slot = self.noise.next(4) as u8;
        let presence = match self.noise.next(3) {
            0 => Presence::Always,
            1 => Presence::Cached(60),
            _ => Presence::Never,
        };
        let policy = Policy {
            presence,
            ..Policy::new(Kind::User)
        };
        let right = Command::Unlock {
            pin: PIN,
            time: NOW,
        };
        let command = match self.noise.next(64) {
            0..=7 => Command::Hello,
            8..=11 => Command::List,
            12..=17 => Command::Slot { slot },
            18..=21 => Command::Tries,
            22..=25 => Command::Counters,
            26..=33 => Command::Cancel,
            34 => Command::Init(INIT),
            35 => right,
            36 if self.noise.next(4) == 0 => Command::Unlock {
                pin: b"wrong one",
                time: NOW,
            },
            36 if self.noise.next(4) == 0 => Command::ChangePin { old: PIN, new: PIN },
            37 if self.noise.next(4) == 0 => Command::Lock,
            36..=44 => Command::Sign {
                slot,
                message: NONCE,
            },
            45 => Command::Generate {
                kind: Kind::User.prefix(),
                name: "x",
                exportable: false,
            },
            46..=47 => Command::Name { slot, name: "name" },
            48 => Command::Attest {
                slot,
                challenge: [1; 32],
            },
            49..=52 => Command::Random { len: 16 },
            53..=54 => Command::Tighten { slot, policy },
            55..=56 => Command::Loosen { slot, policy },
            57 => Command::Import {
                kind: Kind::User.prefix(),
                seed: [7; 32],
                name: "x",
            },
            58 => Command::Erase { slot },
            59..=60 => Command::Export { slot, pin: PIN },
            61 => Command::Receive { sealed: &[9; 300] },
            62 => Command::Bootloader,
            _ => Command::Reset,
        };
        let request = Request {
            id: self.noise.next(1 << 20) as u32,
            session: self.session,
            command,
        };
        postcard::to_allocvec(&request).expect("a request")
    }

    /// The same with something else in it.
    fn changed(&mut self, mut body: Vec<u8>) -> Vec<u8> {
        match self.noise.next(4) {
            0 => body.truncate(self.noise.next(body.len() + 1)),
            1 => {
                let at = self.noise.next(body.len());
                body[at] = self.noise.next(256) as u8;
            }
            2 => {
                let at = self.noise.next(body.len());
                body[at] ^= 1 << self.noise.next(8);
            }
            _ => {
                let (from, len) = (self.noise.next(body.len()), self.noise.next(40));
                let tail = self.noise.bytes(len);
                body.splice(from.., tail);
            }
        }
        body
    }

    /// A frame of one of the sorts.
    fn frame(&mut self) -> Vec<u8> {
        match self.noise.next(16) {
            0..=7 => {
                // Never empty, and one zero at the end.
                let len = 1 + self.noise.next(60);
                let mut bytes = self.noise.bytes(len);
                for byte in &mut bytes {
                    *byte = (*byte).max(1);
                }
                bytes.push(0);
                bytes
            }
            8..=9 => {
                let body = self.sound();
                let mut frame = raw(&body);
                let at = self.noise.next(frame.len() - 1);
                frame[at] = 1 + self.noise.next(255) as u8;
                frame
            }
            10..=13 => {
                let body = self.sound();
                raw(&self.changed(body))
            }
            _ => {
                let body = self.sound();
                raw(&body)
            }
        }
    }

    /// What is not said by frames.
    fn fate(&mut self) {
        match self.noise.next(12_000) {
            0..=39 => self.token.press(100),
            40..=44 => self.token.press(3_100),
            45..=46 => self.token.wait(PRESS_MS + 50),
            47..=48 => {
                self.token.app.disconnect();
                self.session = None;
            }
            49 => {
                let token = std::mem::replace(&mut self.token, Token::new(Flash::new()));
                // Its random bytes are others, so that a reset makes another device.
                let seed = self.noise.next(1 << 30) as u64;
                self.token = Token::on(Model::seeded(token.flash(), seed));
                self.session = None;
            }
            _ => return,
        }
        let replies = self.token.replies();
        self.hear(&replies);
    }

    /// The token answers, counted on, and is of use again.
    fn revive(&mut self) {
        alive(&mut self.token);
        let hello = self.token.ask(None, Command::Hello);
        let counters = self.token.ask(None, Command::Counters);
        let (Answer::Hello(hello), Answer::Counters(counters)) =
            (hello.answer(), counters.answer())
        else {
            panic!("{:?} {:?}", hello.answer(), counters.answer())
        };
        let (device, before) = self.counted;
        assert!(device != hello.device || counters.signatures >= before);
        self.counted = (hello.device, counters.signatures);
        assert_ne!(self.token.app.state(), State::Error);
        let right = Command::Unlock {
            pin: PIN,
            time: NOW,
        };
        if self.token.app.state() == State::Locked {
            let reply = self.token.call(None, right);
            self.hear(&[reply]);
        }
        match self.token.app.state() {
            State::Unlocked => return,
            State::Empty => {}
            // Blocked, or a changed frame set another PIN or time.
            _ => {
                self.token.call(None, Command::Reset).ok();
            }
        }
        self.token.init();
        let session = self.token.unlock();
        for kind in [Kind::User, Kind::User, Kind::Account] {
            self.token.generate(session, kind);
        }
        self.session = Some(session);
    }
}

#[test]
fn frames_of_every_sort_in_any_order() {
    let mut mix = Mix::new(21);
    for round in 0..rounds(20_000, 1) {
        let frame = mix.frame();
        mix.send(&frame);
        mix.fate();
        if round % 1_000 == 0 {
            mix.revive();
        }
    }
    mix.revive();
    // It was no chat with a deaf token.
    assert!(mix.granted > 1_000, "{}", mix.granted);
    for code in [
        Code::Frame,
        Code::Unknown,
        Code::Malformed,
        Code::Busy,
        Code::Session,
        Code::Slot,
        Code::Value,
        Code::Language,
        Code::NotAllowed,
        Code::Cancelled,
    ] {
        assert!(mix.refused[code as usize] > 0, "never {code:?}");
    }
}
