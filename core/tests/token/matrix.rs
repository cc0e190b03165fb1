//! Every message in every state and with every authority, as the table of the page says.

use crate::board::{Flash, Model};
use crate::host::*;
use crate::page;
use nkey_core::nkey::Kind;
use nkey_core::policy::Policy;
use nkey_core::token::*;

const STATES: [State; 5] = [
    State::Empty,
    State::Locked,
    State::Unlocked,
    State::Blocked,
    State::Error,
];

/// What stands in a cell for this answer.
fn cell(reply: &Reply) -> String {
    reply
        .code()
        .map_or("ok".to_owned(), |code| format!("{code:?}"))
}

/// A token that pinned a peer, and a key sealed to it by that peer.
struct World {
    flash: Flash,
    sealed: Vec<u8>,
}

impl World {
    fn new() -> World {
        let mut tokens = [20, 21].map(|seed| Token::on(Model::seeded(Flash::new(), seed)));
        let keys = [0, 1].map(
            |at: usize| match tokens[at].ask(None, Command::Hello).answer() {
                Answer::Hello(hello) => hello.device,
                other => panic!("{other:?}"),
            },
        );
        let mut sealed = Vec::new();
        let mut flash = None;
        for (at, token) in tokens.iter_mut().enumerate() {
            let init = Init {
                peer: Some(keys[1 - at]),
                ..INIT
            };
            token.call(None, Command::Init(init)).ok();
            let session = token.unlock();
            let command = Command::Generate {
                kind: Kind::User.prefix(),
                name: "k",
                exportable: true,
            };
            token.call(Some(session), command).ok();
            if at == 0 {
                flash = Some(token.app.board().flash.restored());
            } else {
                let reply = token.call(Some(session), Command::Export { slot: 0, pin: PIN });
                match reply.answer() {
                    Answer::Bytes(bytes) => sealed = bytes.to_vec(),
                    other => panic!("{other:?}"),
                }
            }
        }
        World {
            flash: flash.expect("the first token's"),
            sealed,
        }
    }

    /// A token in this state, and the session if there is one.
    fn token(&self, state: State) -> (Token, Option<Session>) {
        let (mut token, mut session) = (Token::new(self.flash.clone()), None);
        match state {
            State::Empty => token = Token::new(Flash::new()),
            State::Locked => {}
            State::Unlocked => session = Some(token.unlock()),
            State::Blocked => {
                for _ in 0..TRIES {
                    token.ask(
                        None,
                        Command::Unlock {
                            pin: b"wrong one",
                            time: NOW,
                        },
                    );
                }
            }
            State::Error => {
                let mut board = Model::new(self.flash.clone());
                board.panicked = true;
                token = Token::on(board);
            }
        }
        assert_eq!(token.app.state(), state);
        (token, session)
    }

    fn command<'a>(&'a self, name: &str, pin: &'a [u8]) -> Command<'a> {
        let policy = Policy::new(Kind::User);
        match name {
            "Hello" => Command::Hello,
            "List" => Command::List,
            "Slot" => Command::Slot { slot: 0 },
            "Tries" => Command::Tries,
            "Counters" => Command::Counters,
            "Cancel" => Command::Cancel,
            "Init" => Command::Init(INIT),
            "Unlock" => Command::Unlock { pin, time: NOW },
            "Lock" => Command::Lock,
            "Sign" => Command::Sign {
                slot: 0,
                message: NONCE,
            },
            "Generate" => Command::Generate {
                kind: Kind::User.prefix(),
                name: "",
                exportable: false,
            },
            "Name" => Command::Name { slot: 0, name: "n" },
            "Attest" => Command::Attest {
                slot: 0,
                challenge: [1; 32],
            },
            "Random" => Command::Random { len: 8 },
            "ChangePin" => Command::ChangePin {
                old: pin,
                new: b"battery staple",
            },
            "Tighten" => Command::Tighten { slot: 0, policy },
            "Loosen" => Command::Loosen { slot: 0, policy },
            "Import" => Command::Import {
                kind: Kind::User.prefix(),
                seed: [3; 32],
                name: "",
            },
            "Erase" => Command::Erase { slot: 0 },
            "Export" => Command::Export { slot: 0, pin },
            "Receive" => Command::Receive {
                sealed: &self.sealed,
            },
            "Bootloader" => Command::Bootloader,
            "Reset" => Command::Reset,
            other => panic!("the table has an unknown message {other}"),
        }
    }
}

#[test]
fn every_message_in_every_state() {
    let world = World::new();
    let rows = page::table("#", "Message");
    assert_eq!(rows.len(), COMMANDS as usize);
    for row in &rows {
        let command = world.command(&row[1], PIN);
        let body = postcard::to_allocvec(&command).expect("a command");
        assert_eq!(
            u32::from(body[0]).to_string(),
            row[0],
            "number of {}",
            row[1]
        );
        for (state, wanted) in STATES.into_iter().zip(&row[3..]) {
            let (mut token, session) = world.token(state);
            let reply = token.call(session, command);
            assert_eq!(&cell(&reply), wanted, "{} when {state:?}", row[1]);
        }
    }
}

#[test]
fn no_message_with_less_authority() {
    let world = World::new();
    for row in page::table("#", "Message") {
        let command = world.command(&row[1], PIN);
        let parts: Vec<&str> = row[2].split(", ").collect();
        let state = if row[1] == "Init" {
            State::Empty
        } else {
            State::Unlocked
        };
        let fresh = || world.token(state);
        // With a session where none is needed, and without one where it is.
        let (mut token, session) = fresh();
        if parts.contains(&"session") {
            for wrong in [
                None,
                session.map(|id| id.map(|byte| byte ^ 1)),
                Some([0; 16]),
            ] {
                assert_eq!(
                    token.call(wrong, command).code(),
                    Some(Code::Session),
                    "{}",
                    row[1]
                );
            }
        } else {
            let reply = token.call(None, command);
            assert_eq!(reply.code(), None, "{} {:?}", row[1], reply.answer());
        }
        // The button as the table says, no less.
        let (mut token, session) = fresh();
        let reply = token.ask(session, command);
        let wanted = match (parts.contains(&"press"), parts.contains(&"held")) {
            (true, _) => Some(Press::Short),
            (_, true) => Some(Press::Held),
            _ => None,
        };
        let Some(press) = wanted else {
            assert!(!matches!(reply.answer(), Answer::Waiting(_)), "{}", row[1]);
            continue_with_pin(&world, &row, &parts);
            continue;
        };
        assert_eq!(reply.answer(), Answer::Waiting(press), "{}", row[1]);
        if press == Press::Held {
            token.press(2_800);
            assert!(token.replies().is_empty(), "{}: not held for 3 s", row[1]);
        }
        token.wait(PRESS_MS);
        assert_eq!(token.replies()[0].code(), Some(Code::NoPress), "{}", row[1]);
        // Held down since before.
        let (mut token, session) = fresh();
        token.app.board().pressed = true;
        token.ask(session, command);
        token.wait(PRESS_MS + 100);
        assert_eq!(token.replies()[0].code(), Some(Code::NoPress), "{}", row[1]);
        continue_with_pin(&world, &row, &parts);
    }
}

fn continue_with_pin(world: &World, row: &[String], parts: &[&str]) {
    if parts.contains(&"PIN") {
        let (mut token, session) = world.token(State::Unlocked);
        let wrong = world.command(&row[1], b"wrong one");
        assert_eq!(
            token.call(session, wrong).code(),
            Some(Code::Pin),
            "{}",
            row[1]
        );
        assert_eq!(
            token.ask(None, Command::Tries).answer(),
            Answer::Tries(TRIES - 1)
        );
    }
}

#[test]
fn every_code_is_in_its_table() {
    for (number, row) in page::table("#", "Code").iter().enumerate() {
        let code: Code = postcard::from_bytes(&[number as u8]).expect("a code");
        assert_eq!([number.to_string(), format!("{code:?}")], row[..2]);
        assert!(!code.text().is_empty());
    }
    let codes = page::table("#", "Code").len() as u8;
    assert!(postcard::from_bytes::<Code>(&[codes]).is_err());
    for (number, row) in page::table("#", "Fault").iter().enumerate() {
        let fault: Fault = postcard::from_bytes(&[number as u8]).expect("a fault");
        assert_eq!([number.to_string(), format!("{fault:?}")], row[..2]);
    }
    let faults = page::table("#", "Fault").len() as u8;
    assert!(postcard::from_bytes::<Fault>(&[faults]).is_err());
}
