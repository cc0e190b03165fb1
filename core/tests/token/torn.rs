//! The power is cut at every byte of a program and inside every erase, while keys are named, bounded, brought and
//! erased, while the token is initialised, unlocked and a PIN is guessed: it comes back as it was, or as it would be.

use crate::board::{Flash, Model, Torn};
use crate::host::*;
use crate::peer::Peer;
use nkey_core::nkey::{KeyPair, Kind, PublicKey, Seed};
use nkey_core::policy::{Policy, Presence};
use nkey_core::token::*;

/// What a token tells of itself, and whether the PIN opens it.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    state: State,
    device: [u8; 32],
    /// Each slot with a key: all that is said of it.
    slots: Vec<String>,
    signatures: u64,
    tries: u8,
    latest: u64,
    witnessed: u64,
    opens: bool,
}

fn told(flash: &Flash) -> Told {
    let mut token = Token::on(Model::seeded(flash.clone(), 41));
    let hello = token.ask(None, Command::Hello);
    let Answer::Hello(hello) = hello.answer() else {
        panic!()
    };
    assert_eq!(hello.fault, None);
    let rows = token.ask(None, Command::List).rows();
    let slots = rows.iter().map(|row| {
        assert!(row.key.is_some(), "slot {} is damaged", row.slot);
        let reply = token.ask(None, Command::Slot { slot: row.slot });
        format!("{} {:?}", row.slot, reply.answer())
    });
    let slots = slots.collect();
    let reply = token.ask(None, Command::Counters);
    let Answer::Counters(counters) = reply.answer() else {
        panic!()
    };
    let tries = match token.ask(None, Command::Tries).answer() {
        Answer::Tries(tries) => tries,
        _ => 0,
    };
    let unlock = Command::Unlock {
        pin: PIN,
        time: NOW,
    };
    let reply = token.call(None, unlock);
    let session = match reply.answer() {
        Answer::Session { session, .. } => Some(session),
        _ => None,
    };
    // Every seed is there, and is the one of its public key.
    for row in rows.iter().filter(|_| session.is_some()) {
        let key = row.key.expect("it was there");
        let key = PublicKey::from_bytes(Kind::from_prefix(key.kind).unwrap(), key.key);
        let message = match key.kind() {
            Kind::User => NONCE.to_vec(),
            Kind::Account => user(&key, |_| {}),
            other => panic!("{other}"),
        };
        let sign = Command::Sign {
            slot: row.slot,
            message: &message,
        };
        let signature = token.call(session, sign).signature();
        assert!(key.verify(&message, &signature));
    }
    Told {
        state: hello.state,
        device: hello.device,
        slots,
        signatures: counters.signatures,
        tries,
        latest: counters.latest,
        witnessed: counters.witnessed,
        opens: session.is_some(),
    }
}

/// Runs `action` on this flash with the power cut at each step in turn; what came back.
fn cuts(
    start: &Flash,
    steps: u64,
    erases: &[u64],
    mut action: impl FnMut(Flash) -> Flash,
) -> Vec<(u64, Told)> {
    let mut all = Vec::new();
    for step in 0..steps {
        let torn: &[Torn] = match erases.contains(&step) {
            true => &[Torn::Old, Torn::Blank, Torn::Noise],
            false => &[Torn::Noise],
        };
        for &torn in torn {
            let mut flash = start.clone();
            (flash.left, flash.torn) = (Some(step), torn);
            all.push((step, told(&action(flash))));
        }
    }
    all
}

/// A token that takes keys from outside and from its peer, with an account's key and a user's.
fn start(peer: &Peer) -> Flash {
    let mut token = Token::new(Flash::new());
    let init = Init {
        peer: Some(peer.device()),
        ..INIT
    };
    token.call(None, Command::Init(init)).ok();
    let session = token.unlock();
    token.generate(session, Kind::Account);
    token.generate(session, Kind::User);
    // Nothing but the command itself changes the times after that.
    let mut token = token.reboot();
    token.unlock();
    token.flash()
}

/// Cuts while a command changes a key's record; unlocking before it is not cut.
fn while_changed(command: impl Fn(&mut Token) -> Vec<u8>) {
    let peer = Peer::new(0x51);
    let flash = start(&peer);
    let run = |flash: Flash, cut: bool| {
        let (left, torn) = (flash.left, flash.torn);
        let mut token = Token::on(Model::seeded(flash.restored(), 5));
        let session = token.unlock();
        let bytes = command(&mut token);
        let command: Command<'_> = postcard::from_bytes(&bytes).expect("a command");
        let board = token.app.board();
        (board.flash.steps, board.flash.torn) = (0, torn);
        board.flash.erases.clear();
        board.flash.left = left.filter(|_| cut);
        let reply = token.call(Some(session), command);
        assert!(cut || reply.code().is_none(), "{:?}", reply.answer());
        token.app.into_board().flash
    };
    let unlocked = {
        let mut token = Token::on(Model::seeded(flash.clone(), 5));
        token.unlock();
        token.flash()
    };
    let whole = run(flash.clone(), false);
    let (before, after) = (told(&unlocked), told(&whole.restored()));
    assert_ne!(before.slots, after.slots);
    assert!(whole.steps > 20, "{}", whole.steps);
    let mut seen = [0, 0];
    for (step, told) in cuts(&flash, whole.steps, &whole.erases, |flash| {
        run(flash, true).restored()
    }) {
        let new = usize::from(told.slots == after.slots);
        seen[new] += 1;
        let wanted = [&before, &after][new];
        assert_eq!(told.slots, wanted.slots, "at {step} of {}", whole.steps);
        assert!(
            told.latest == before.latest || told.latest == after.latest,
            "at {step}"
        );
        assert!(
            told.witnessed == before.witnessed || told.witnessed == after.witnessed,
            "at {step}"
        );
        let same = Told {
            slots: before.slots.clone(),
            latest: before.latest,
            witnessed: before.witnessed,
            ..told
        };
        assert_eq!(same, before, "at {step}");
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

fn bytes(command: Command<'_>) -> Vec<u8> {
    postcard::to_allocvec(&command).expect("a command")
}

#[test]
fn a_key_is_named() {
    while_changed(|_| {
        bytes(Command::Name {
            slot: 0,
            name: "other",
        })
    });
}

#[test]
fn a_policy_is_tightened_and_loosened() {
    let policy = Policy::new(Kind::User);
    let tight = Policy {
        budget: Some(3),
        ..policy
    };
    while_changed(|_| {
        bytes(Command::Tighten {
            slot: 1,
            policy: tight,
        })
    });
    let loose = Policy {
        presence: Presence::Never,
        ..policy
    };
    while_changed(|_| {
        bytes(Command::Loosen {
            slot: 1,
            policy: loose,
        })
    });
}

#[test]
fn a_key_is_erased() {
    while_changed(|_| bytes(Command::Erase { slot: 1 }));
}

#[test]
fn a_key_is_brought() {
    while_changed(|_| {
        bytes(Command::Import {
            kind: Kind::User.prefix(),
            seed: [3; 32],
            name: "outside",
        })
    });
    while_changed(|token| {
        let peer = Peer::new(0x51);
        let pair = KeyPair::from_seed(&Seed::from_bytes(Kind::User, [4; 32])).expect("a key");
        let sent = Details {
            kind: Kind::User.prefix(),
            key: *pair.public_key().as_bytes(),
            name: "peer's",
            imported: false,
            exportable: true,
            generation: 1,
            loosened: false,
            policy: Policy::new(Kind::User),
        };
        let sealed = peer.seal(&device(token), &sent, &[4; 32]);
        bytes(Command::Receive { sealed: &sealed })
    });
}

/// The whole of what `action` does to a locked token, and each cut of it.
fn while_locked(
    start: &Flash,
    action: impl Fn(&mut Token),
    check: impl Fn(u64, &Told, &Told, &Told),
) {
    let run = |flash: Flash| {
        let mut token = Token::on(Model::seeded(flash, 5));
        action(&mut token);
        token.app.into_board().flash
    };
    let whole = run(start.clone());
    let (before, after) = (told(start), told(&whole.restored()));
    for (step, cut) in cuts(start, whole.steps, &whole.erases, |flash| {
        run(flash).restored()
    }) {
        check(step, &cut, &before, &after);
    }
}

#[test]
fn it_is_initialised() {
    let start = Token::new(Flash::new()).flash();
    while_locked(
        &start,
        |token| {
            token.call(None, Command::Init(INIT));
        },
        |step, cut, before, after| {
            assert_eq!((before.state, after.state), (State::Empty, State::Locked));
            // Without its PIN it is as good as new, and takes another.
            let done = usize::from(cut.opens);
            assert_eq!(cut.state, [before, after][done].state, "at {step}");
            assert_eq!((cut.device, cut.signatures), (before.device, 0));
            assert!(
                cut.state == State::Empty || cut.tries == TRIES,
                "at {step}: {}",
                cut.tries
            );
        },
    );
}

#[test]
fn it_is_unlocked_with_another_time() {
    let peer = Peer::new(0x51);
    let start = start(&peer);
    const DAY: u64 = 86_400;
    // Known to be later, told by a press after long, and back by one.
    for time in [NOW + DAY, NOW + 90 * DAY, NOW - 90 * DAY] {
        while_locked(
            &start,
            |token| {
                token.call(None, Command::Unlock { pin: PIN, time });
            },
            |step, cut, before, after| {
                assert_eq!(cut.slots, before.slots, "at {step} of {time}");
                assert_eq!(cut.signatures, before.signatures);
                assert!(cut.tries >= TRIES - 1 && cut.tries <= TRIES, "at {step}");
                // Told in two logs, so one may be new and the other old; neither is anything else.
                assert!(
                    [before.latest, after.latest].contains(&cut.latest),
                    "at {step} of {time}: {}",
                    cut.latest
                );
                assert!(
                    [before.witnessed, after.witnessed].contains(&cut.witnessed),
                    "at {step} of {time}"
                );
            },
        );
    }
}

#[test]
fn wrong_pins_are_tried() {
    let peer = Peer::new(0x51);
    let mut flash = start(&peer);
    let wrong = Command::Unlock {
        pin: b"wrong one",
        time: NOW,
    };
    for left in (1..=TRIES).rev() {
        let mut token = Token::new(flash.clone());
        token.ask(None, wrong);
        let steps = token.app.board().flash.steps;
        assert!(steps > 0);
        for step in 0..=steps {
            let mut cut = flash.clone();
            (cut.left, cut.torn) = (Some(step), Torn::Noise);
            let mut token = Token::new(cut);
            let looked = token.ask(None, wrong).code() == Some(Code::Pin);
            let mut token = token.reboot();
            let reply = token.ask(None, Command::Tries);
            let tries = match reply.answer() {
                Answer::Tries(tries) => tries,
                _ => 0,
            };
            // A PIN is not looked at before its try is taken, and no try comes back.
            assert!(
                tries == left - 1 || (tries == left && !looked),
                "{left} at {step}: {tries}"
            );
        }
        flash = token.flash();
    }
    assert_eq!(Token::new(flash).app.state(), State::Blocked);
}
