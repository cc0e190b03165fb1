//! Frames of noise: always an error code, never silence, never a hang.

use crate::board::{Flash, step_noise};
use crate::host::*;
use nkey_core::nkey::Kind;
use nkey_core::policy::Policy;
use nkey_core::token::*;

pub struct Noise(pub u64);

impl Noise {
    pub fn next(&mut self, below: usize) -> usize {
        self.0 = step_noise(self.0);
        (self.0 >> 33) as usize % below
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next(256) as u8).collect()
    }
}

/// `few` rounds, or those of TOKEN_ROUNDS frames, of which a round is worth so many.
pub fn rounds(few: usize, worth: usize) -> usize {
    let Ok(frames) = std::env::var("TOKEN_ROUNDS") else {
        return few;
    };
    few.max(frames.parse::<usize>().expect("a number") / worth)
}

fn commands(session: Session) -> Vec<Vec<u8>> {
    let policy = Policy::new(Kind::User);
    [
        Command::Hello,
        Command::List,
        Command::Slot { slot: 0 },
        Command::Counters,
        Command::Unlock {
            pin: PIN,
            time: NOW,
        },
        Command::Sign {
            slot: 1,
            message: NONCE,
        },
        Command::Generate {
            kind: Kind::User.prefix(),
            name: "x",
            exportable: false,
        },
        Command::Name {
            slot: 0,
            name: "name",
        },
        Command::Attest {
            slot: 0,
            challenge: [1; 32],
        },
        Command::Random { len: 16 },
        Command::Tighten { slot: 1, policy },
        Command::Loosen { slot: 1, policy },
        Command::Erase { slot: 0 },
        Command::Receive { sealed: &[0; 300] },
        Command::Reset,
    ]
    .map(|command| {
        let request = Request {
            id: 5,
            session: Some(session),
            command,
        };
        postcard::to_allocvec(&request).expect("a request")
    })
    .to_vec()
}

/// The token still answers, each frame with an error or an answer.
pub fn alive(token: &mut Token) {
    token.send(&[0]);
    token.replies();
    token.send(&frame(&Request {
        id: 1,
        session: None,
        command: Command::Cancel,
    }));
    let replies = token.replies();
    assert_eq!(replies.last().map(|reply| reply.response().id), Some(1));
    assert!(matches!(
        token.ask(None, Command::Hello).answer(),
        Answer::Hello(_)
    ));
}

#[test]
fn bytes_without_a_meaning() {
    let (mut token, _) = ready();
    let mut noise = Noise(11);
    for round in 0..rounds(20_000, 10) {
        let len = 1 + noise.next(60);
        let mut bytes = noise.bytes(len);
        bytes.push(0);
        token.send(&bytes);
        token.replies();
        if round % 500 == 0 {
            alive(&mut token);
        }
    }
    alive(&mut token);
}

#[test]
fn whole_frames_without_a_meaning() {
    let (mut token, session) = ready();
    let known = commands(session);
    let mut noise = Noise(12);
    for round in 0..rounds(20_000, 10) {
        let mut body = known[noise.next(known.len())].clone();
        match noise.next(3) {
            0 => body.truncate(noise.next(body.len() + 1)),
            1 => {
                let at = noise.next(body.len());
                body[at] = noise.next(256) as u8;
            }
            _ => {
                let from = noise.next(body.len());
                let len = noise.next(40);
                let tail = noise.bytes(len);
                body.splice(from.., tail);
            }
        }
        token.send(&raw(&body));
        let replies = token.replies();
        assert!(!replies.is_empty(), "silence at {body:?}");
        // Nobody presses.
        if round % 50 == 0 {
            alive(&mut token);
        }
    }
    alive(&mut token);
    assert!(
        matches!(token.ask(None, Command::List).answer(), Answer::List(rows) if rows.iter().count() >= 3)
    );
}

#[test]
fn flash_full_of_noise_never_panics() {
    let mut noise = Noise(13);
    for _ in 0..rounds(20, 50_000) {
        let mut flash = Flash::new();
        let len = flash.bytes.len();
        flash.bytes = noise.bytes(len);
        let mut token = Token::new(flash);
        assert_eq!(token.app.state(), State::Error);
        alive(&mut token);
    }
}

#[test]
fn an_unknown_command_has_a_code_of_its_own() {
    let (mut token, _) = ready();
    for (body, code) in [
        (&[7, 0, COMMANDS as u8][..], Code::Unknown),
        (&[7, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], Code::Unknown),
        (&[7, 0, 0, 0], Code::Malformed),
        (&[7, 2, 0], Code::Malformed),
        (&[7, 0], Code::Malformed),
        (&[7], Code::Malformed),
        (&[], Code::Malformed),
    ] {
        token.send(&raw(body));
        let replies = token.replies();
        assert_eq!(replies[0].code(), Some(code), "{body:?}");
        assert_eq!(replies[0].response().id, u32::from(!body.is_empty()) * 7);
    }
}

#[test]
fn the_fuzz_target_with_noise() {
    let mut noise = Noise(14);
    for _ in 0..rounds(150, 5_000) {
        let len = noise.next(400);
        crate::app::app(&noise.bytes(len));
    }
}

#[test]
fn the_fuzz_target_with_a_life() {
    // Init, unlock, generate, sign, each with its press; then the power fails here and there.
    let life = [1, 0, 5, 0, 9, 0, 17, 0, 33, 0, 5, 0, 23, 40, 9, 0, 17, 0];
    let mut noise = Noise(15);
    crate::app::app(&life);
    for _ in 0..rounds(150, 5_000) {
        let mut bytes = life.to_vec();
        for _ in 0..3 {
            let at = noise.next(bytes.len());
            bytes[at] = noise.next(256) as u8;
        }
        let more = noise.bytes(30);
        bytes.extend_from_slice(&more);
        crate::app::app(&bytes);
    }
}
