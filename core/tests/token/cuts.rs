//! The power is cut at every byte of a program and inside every erase, while a key is made,
//! a message signed, the PIN changed; the token comes back in the old state or the new one.

use crate::board::{Flash, Model, Torn};
use crate::host::*;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::*;

/// All that a token shows and keeps, as far as it can be told from outside.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    state: State,
    device: [u8; 32],
    keys: Vec<PublicKey>,
    signatures: u64,
    tries: u8,
    latest: u64,
    witnessed: u64,
    pins: [bool; 2],
}

const OTHER_PIN: &[u8] = b"battery staple";

fn look(flash: &Flash) -> Seen {
    let mut token = Token::new(flash.clone());
    let hello = token.ask(None, Command::Hello);
    let Answer::Hello(hello) = hello.answer() else {
        panic!()
    };
    assert_eq!(hello.fault, None);
    let reply = token.ask(None, Command::List);
    let Answer::List(rows) = reply.answer() else {
        panic!()
    };
    let keys = rows
        .iter()
        .map(|row| {
            let key = row.key.expect("no record is damaged");
            PublicKey::from_bytes(Kind::from_prefix(key.kind).unwrap(), key.key)
        })
        .collect();
    let reply = token.ask(None, Command::Counters);
    let Answer::Counters(counters) = reply.answer() else {
        panic!()
    };
    let reply = token.ask(None, Command::Tries);
    let Answer::Tries(tries) = reply.answer() else {
        panic!()
    };
    // What was shown is what a second power-up shows: nothing is left half done.
    let again = Token::new(token.app.board().flash.restored());
    assert_eq!(again.flash().bytes, token.app.board().flash.bytes);
    let pins = [PIN, OTHER_PIN].map(|pin| {
        let mut token = Token::new(flash.clone());
        let reply = token.call(None, Command::Unlock { pin, time: NOW });
        matches!(reply.answer(), Answer::Session { .. })
    });
    Seen {
        state: hello.state,
        device: hello.device,
        keys,
        signatures: counters.signatures,
        tries,
        latest: counters.latest,
        witnessed: counters.witnessed,
        pins,
    }
}

/// Every key signs, so every seed is there and is the one of its public key.
fn all_sign(flash: &Flash, pin: &[u8], keys: &[PublicKey]) {
    let mut token = Token::new(flash.clone());
    let session = token
        .call(None, Command::Unlock { pin, time: NOW })
        .session();
    for (slot, key) in keys.iter().enumerate() {
        let slot = slot as u8;
        let message = match key.kind() {
            Kind::User => NONCE.to_vec(),
            Kind::Account => user(key, |_| {}),
            _ => continue,
        };
        let signature = token.call(
            Some(session),
            Command::Sign {
                slot,
                message: &message,
            },
        );
        assert!(key.verify(&message, &signature.signature()));
    }
}

fn open(flash: &Flash) -> (Token, Session) {
    let mut token = Token::on(Model::seeded(flash.clone(), 99));
    let session = token.unlock();
    (token, session)
}

/// Runs `action` on the flash of an unlocked token with the power cut at each step in turn,
/// and shows what came back to `check`.
fn cut_everywhere(
    start: &Flash,
    mut action: impl FnMut(&mut Token, Session),
    mut check: impl FnMut(&Flash, &Seen),
) {
    let (mut token, session) = open(start);
    token.app.board().flash.steps = 0;
    token.app.board().flash.erases.clear();
    action(&mut token, session);
    let flash = &token.app.board().flash;
    let (steps, erases) = (flash.steps, flash.erases.clone());
    assert!(steps > 20, "{steps}");
    for step in 0..steps {
        let torn: &[Torn] = if erases.contains(&step) {
            &[Torn::Old, Torn::Blank, Torn::Noise]
        } else {
            &[Torn::Noise]
        };
        for &torn in torn {
            let (mut token, session) = open(start);
            token.app.board().flash.left = Some(step);
            token.app.board().flash.torn = torn;
            action(&mut token, session);
            let cut = token.flash();
            check(&cut, &look(&cut));
        }
    }
}

fn start() -> Flash {
    let mut token = Token::new(Flash::new());
    token.init();
    let session = token.unlock();
    token.generate(session, Kind::Account);
    token.generate(session, Kind::User);
    token.flash()
}

/// The start, after a plain unlocking: what no action is cheaper than.
fn unlocked(start: &Flash) -> Flash {
    open(start).0.flash()
}

#[test]
fn while_a_key_is_made() {
    let start = start();
    let before = look(&unlocked(&start));
    let mut seen = [0, 0];
    cut_everywhere(
        &start,
        |token, session| {
            let command = Command::Generate {
                kind: Kind::User.prefix(),
                name: "n",
                exportable: false,
            };
            token.call(Some(session), command);
        },
        |flash, after| {
            let new = after.keys.len() - before.keys.len();
            seen[new] += 1;
            let old = Seen {
                keys: after.keys[..2].to_vec(),
                ..after.clone()
            };
            assert_eq!(old, before);
            all_sign(flash, PIN, &after.keys);
        },
    );
    assert!(seen[0] > 100 && seen[1] > 100, "{seen:?}");
}

#[test]
fn while_a_message_is_signed() {
    let start = start();
    let before = look(&unlocked(&start));
    let mut seen = [0, 0];
    cut_everywhere(
        &start,
        |token, session| {
            token.app.board().ticks += 5_000;
            let reply = token.call(
                Some(session),
                Command::Sign {
                    slot: 1,
                    message: NONCE,
                },
            );
            // No signature leaves that is not counted.
            if matches!(reply.answer(), Answer::Signature(_)) {
                let flash = token.app.board().flash.restored();
                assert_eq!(look(&flash).signatures, before.signatures + 1);
            }
        },
        |_, after| {
            let more = after.signatures - before.signatures;
            seen[more as usize] += 1;
            assert_eq!(
                (&after.keys, after.tries, after.pins),
                (&before.keys, before.tries, before.pins)
            );
            assert!(after.latest == before.latest || after.latest >= before.latest + 5);
        },
    );
    assert!(seen.iter().all(|count| *count > 10), "{seen:?}");
}

#[test]
fn while_the_counters_turn_over() {
    // Just before each of the small logs opens its other sector.
    let start = start();
    let (mut token, session) = open(&start);
    for _ in 0..100 {
        token.app.board().ticks += 1_000;
        token
            .call(
                Some(session),
                Command::Sign {
                    slot: 1,
                    message: NONCE,
                },
            )
            .ok();
    }
    let busy = token.flash();
    let before = look(&busy);
    for round in 0..6 {
        cut_everywhere(
            &busy,
            |token, session| {
                for _ in 0..round {
                    token.app.board().ticks += 1_000_000;
                    token.call(Some(session), Command::Lock);
                    let reply = token.call(
                        None,
                        Command::Unlock {
                            pin: PIN,
                            time: NOW,
                        },
                    );
                    let Answer::Session { session, .. } = reply.answer() else {
                        return;
                    };
                    token.call(
                        Some(session),
                        Command::Sign {
                            slot: 1,
                            message: NONCE,
                        },
                    );
                }
                token.call(
                    Some(session),
                    Command::Sign {
                        slot: 1,
                        message: NONCE,
                    },
                );
            },
            |_, after| {
                assert!(after.signatures >= before.signatures);
                // The time of a press is the device's, which may be stated up to SKEW back.
                assert!(after.latest >= before.latest);
                assert!(after.witnessed + SKEW >= before.witnessed);
                assert_eq!((&after.keys, after.pins), (&before.keys, before.pins));
                assert!(after.tries >= TRIES - 1);
            },
        );
        if round == 2 {
            break;
        }
    }
}

#[test]
fn while_the_pin_is_changed() {
    let start = start();
    let before = look(&unlocked(&start));
    let mut seen = [0, 0];
    cut_everywhere(
        &start,
        |token, session| {
            token.call(
                Some(session),
                Command::ChangePin {
                    old: PIN,
                    new: OTHER_PIN,
                },
            );
        },
        |flash, after| {
            let new = usize::from(after.pins[1]);
            seen[new] += 1;
            assert_eq!(
                after.pins,
                [new == 0, new == 1],
                "one PIN and only one opens"
            );
            let old = Seen {
                pins: before.pins,
                tries: before.tries,
                ..after.clone()
            };
            assert_eq!(old, before);
            assert!(after.tries >= TRIES - 1);
            all_sign(flash, [PIN, OTHER_PIN][new], &after.keys);
        },
    );
    assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
}

#[test]
fn while_a_wrong_pin_is_tried() {
    // A try that was taken is never given back by a cut, and no PIN was looked at before.
    let start = unlocked(&start());
    let wrong = Command::Unlock {
        pin: b"wrong one",
        time: NOW,
    };
    for cut in 0..4 {
        let mut token = Token::new(start.clone());
        token.app.board().flash.left = Some(cut);
        let reply = token.ask(None, wrong);
        let told = reply.code() == Some(Code::Pin);
        let flash = token.flash();
        let mut token = Token::new(flash);
        let reply = token.ask(None, Command::Tries);
        let Answer::Tries(left) = reply.answer() else {
            panic!()
        };
        assert!(
            left == TRIES - 1 || (left == TRIES && !told),
            "{cut} {left}"
        );
    }
}

#[test]
fn while_it_is_reset() {
    // A reset that has begun is ended at the next power-up: no old key is left behind.
    let start = start();
    let device = look(&start).device;
    let mut token = Token::new(start.clone());
    token.call(None, Command::Reset).ok();
    let steps = token.app.board().flash.steps;
    for step in 0..steps {
        let mut token = Token::on(Model::seeded(start.clone(), 50));
        token.app.board().flash.left = Some(step);
        token.app.board().flash.torn = Torn::Noise;
        token.call(None, Command::Reset);
        let mut token = Token::on(Model::seeded(token.flash(), 1_000 + step));
        let state = token.app.state();
        let hello = token.ask(None, Command::Hello);
        let Answer::Hello(hello) = hello.answer() else {
            panic!()
        };
        match state {
            State::Locked => assert_eq!(hello.device, device),
            State::Empty => assert_ne!(hello.device, device),
            other => panic!("{other:?} at {step}"),
        }
    }
    assert!(steps > 100);
}

#[test]
fn while_it_is_formatted_first() {
    let token = Token::new(Flash::new());
    let steps = token.flash().restored();
    let mut token = Token::new(Flash::new());
    let count = token.app.board().flash.steps;
    assert!(count > 500 && steps.bytes.iter().any(|byte| *byte != 0xFF));
    for step in 0..count {
        let mut flash = Flash::new();
        flash.left = Some(step);
        flash.torn = Torn::Blank;
        let flash = Token::new(flash).flash();
        let mut token = Token::new(flash);
        assert_eq!(token.app.state(), State::Empty, "{step}");
    }
}
