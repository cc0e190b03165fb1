//! The power is cut at every byte of a program and inside every erase, while a key is made,
//! a message signed, the PIN changed; the token comes back in the old state or the new one.

use crate::board::{Flash, Model, Torn};
use crate::host::*;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::*;

/// All that a token shows and keeps, as far as it can be told from outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub state: State,
    pub device: [u8; 32],
    pub keys: Vec<PublicKey>,
    pub signatures: u64,
    pub tries: u8,
    pub latest: u64,
    pub witnessed: u64,
    pub pins: [bool; 2],
    /// All that is said about each key.
    pub details: Vec<String>,
}

pub const OTHER_PIN: &[u8] = b"battery staple";

pub fn look(flash: &Flash) -> Seen {
    let mut token = Token::new(flash.clone());
    let hello = token.ask(None, Command::Hello);
    let Answer::Hello(hello) = hello.answer() else {
        panic!()
    };
    assert_eq!(hello.fault, None);
    let reply = token.ask(None, Command::List);
    let rows = reply.rows();
    let keys = rows
        .iter()
        .map(|row| {
            let key = row.key.expect("no record is damaged");
            PublicKey::from_bytes(Kind::from_prefix(key.kind).unwrap(), key.key)
        })
        .collect();
    let details = rows
        .iter()
        .map(|row| {
            let reply = token.ask(None, Command::Slot { slot: row.slot });
            format!("{} {:?}", row.slot, reply.answer())
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
        details,
    }
}

/// Every key signs, so every seed is there and is the one of its public key.
pub fn all_sign(flash: &Flash, pin: &[u8], keys: &[PublicKey]) {
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

pub fn open(flash: &Flash) -> (Token, Session) {
    let mut token = Token::on(Model::seeded(flash.clone(), 99));
    let session = token.unlock();
    (token, session)
}

/// Runs `action` on the flash of an unlocked token with the power cut at each step in turn,
/// and shows what came back to `check`.
fn cut_everywhere(
    start: &Flash,
    action: impl FnMut(&mut Token, Session),
    mut check: impl FnMut(&Flash, &Seen),
) {
    cut_each(|| open(start), action, |cut| check(cut, &look(cut)));
}

/// The same from any state, the flash alone shown. Without TOKEN_ROUNDS the power is cut in
/// each erase, at both ends of each write, and at every seventh byte.
pub fn cut_each<T: Copy>(
    start: impl Fn() -> (Token, T),
    mut action: impl FnMut(&mut Token, T),
    mut check: impl FnMut(&Flash),
) {
    let (mut token, with) = start();
    let flash = &mut token.app.board().flash;
    flash.steps = 0;
    flash.erases.clear();
    flash.edges.clear();
    action(&mut token, with);
    let flash = token.app.into_board().flash;
    assert!(flash.steps > 0);
    let thorough = std::env::var_os("TOKEN_ROUNDS").is_some();
    for step in 0..flash.steps {
        let torn: &[Torn] = if flash.erases.contains(&step) {
            &[Torn::Old, Torn::Blank, Torn::Noise]
        } else if thorough || step % 7 == 0 || flash.edges.contains(&step) {
            &[Torn::Noise]
        } else {
            &[]
        };
        for &torn in torn {
            let (mut token, with) = start();
            token.app.board().flash.left = Some(step);
            token.app.board().flash.torn = torn;
            action(&mut token, with);
            check(&token.flash());
        }
    }
}

pub fn start() -> Flash {
    let mut token = Token::new(Flash::new());
    token.init();
    let session = token.unlock();
    token.generate(session, Kind::Account);
    token.generate(session, Kind::User);
    token.flash()
}

/// The start, after a plain unlocking: what no action is cheaper than.
pub fn unlocked(start: &Flash) -> Flash {
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
                details: after.details[..2].to_vec(),
                ..after.clone()
            };
            assert_eq!(old, before);
            all_sign(flash, PIN, &after.keys);
        },
    );
    assert!(seen[0] > 10 && seen[1] > 10, "{seen:?}");
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
    assert!(seen.iter().all(|count| *count > 5), "{seen:?}");
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
    assert!(seen.iter().all(|count| *count > 15), "{seen:?}");
}
