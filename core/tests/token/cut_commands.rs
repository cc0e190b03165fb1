//! The power is cut while anything else is done that writes: the old state or the new one.

use crate::board::{Flash, Model, Torn};
use crate::cuts::{Seen, all_sign, cut_each, look, open, start, unlocked};
use crate::host::*;
use nkey_core::nkey::Kind;
use nkey_core::policy::{Policy, Presence};
use nkey_core::token::*;

/// A key of an account in slot 0 and of a user in 1; one command, cut everywhere. What is said
/// about the keys, and which there are, is as before or as at the end.
fn either(start: &Flash, command: Command<'_>) {
    let act = |token: &mut Token, session| {
        token.app.board().ticks += 5_000;
        token.call(Some(session), command)
    };
    let before = look(&unlocked(start));
    let (mut token, session) = open(start);
    act(&mut token, session).ok();
    let end = look(&token.flash());
    assert_ne!(before.details, end.details);
    let mut seen = [0, 0];
    let mut check = |flash: &Flash| {
        let after = look(flash);
        let new = after.details == end.details;
        seen[usize::from(new)] += 1;
        let told = if new { &end } else { &before };
        assert!(times_of(&after, &before, &end), "{after:?}");
        assert_eq!(
            (&after.keys, &after.details, after.state, after.device),
            (&told.keys, &told.details, told.state, told.device)
        );
        assert_eq!(
            (after.signatures, after.tries, after.pins),
            (before.signatures, before.tries, before.pins)
        );
        all_sign(flash, PIN, &after.keys);
    };
    cut_each(
        || open(start),
        |token, session| drop(act(token, session)),
        |flash| {
            check(flash);
            // Once more, while the token puts itself in order.
            let steps = Token::new(flash.clone()).app.board().flash.steps;
            if steps > 0 {
                let mut again = flash.clone();
                again.left = Some(steps / 2);
                check(&Token::new(again).flash());
            }
        },
    );
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

/// The times are those from before or those at the end.
fn times_of(after: &Seen, before: &Seen, end: &Seen) -> bool {
    let times = |seen: &Seen| (seen.latest, seen.witnessed);
    times(after) == times(before) || times(after) == times(end)
}

fn policy(presence: Presence) -> Policy<'static> {
    Policy {
        presence,
        ..Policy::new(Kind::User)
    }
}

#[test]
fn while_a_key_is_named() {
    let name = "another";
    either(&start(), Command::Name { slot: 1, name });
}

#[test]
fn while_a_policy_is_tightened() {
    let mut token = Token::new(start());
    let session = token.unlock();
    let wide = policy(Presence::Never);
    let loosen = Command::Loosen {
        slot: 1,
        policy: wide,
    };
    token.call(Some(session), loosen).ok();
    let policy = policy(Presence::Always);
    either(&token.flash(), Command::Tighten { slot: 1, policy });
}

#[test]
fn while_a_policy_is_loosened() {
    let policy = policy(Presence::Cached(60));
    either(&start(), Command::Loosen { slot: 1, policy });
}

#[test]
fn while_a_key_is_erased() {
    either(&start(), Command::Erase { slot: 1 });
}

#[test]
fn while_a_key_is_imported() {
    let command = Command::Import {
        kind: Kind::User.prefix(),
        seed: [3; 32],
        name: "imported",
    };
    either(&start(), command);
}

#[test]
fn while_a_key_is_received() {
    let fresh = |seed| Token::on(Model::seeded(Flash::new(), seed));
    let (mut one, mut two) = (fresh(1), fresh(2));
    let devices = [&mut one, &mut two].map(|token| {
        let reply = token.ask(None, Command::Hello);
        match reply.answer() {
            Answer::Hello(hello) => hello.device,
            other => panic!("{other:?}"),
        }
    });
    for (token, peer) in [(&mut one, devices[1]), (&mut two, devices[0])] {
        let peer = Some(peer);
        token.call(None, Command::Init(Init { peer, ..INIT })).ok();
    }
    let session = one.unlock();
    let make = Command::Generate {
        kind: Kind::User.prefix(),
        name: "main",
        exportable: true,
    };
    one.call(Some(session), make).ok();
    let export = Command::Export { slot: 0, pin: PIN };
    let reply = one.call(Some(session), export).ok();
    let Answer::Bytes(sealed) = reply.answer() else {
        panic!()
    };
    let session = two.unlock();
    two.generate(session, Kind::Account);
    either(&two.flash(), Command::Receive { sealed });
}

#[test]
fn while_the_first_time_is_stated() {
    let day = 86_400;
    let start = start();
    let before = look(&start);
    // Later without a press, later and earlier with one.
    for (time, pressed) in [
        (NOW + 100, false),
        (NOW + 40 * day, true),
        (NOW - 2 * day, true),
    ] {
        let unlock = Command::Unlock { pin: PIN, time };
        let mut token = Token::new(start.clone());
        let waits = token.ask(None, unlock).answer() == Answer::Waiting(Press::Held);
        assert_eq!(waits, pressed);
        let mut token = Token::new(start.clone());
        token.call(None, unlock).session();
        let end = look(&token.flash());
        assert_eq!(end.latest, time);
        let mut seen = [0, 0];
        cut_each(
            || (Token::new(start.clone()), ()),
            |token, ()| drop(token.call(None, unlock)),
            |flash| {
                let after = look(flash);
                assert!(times_of(&after, &before, &end), "{after:?}");
                seen[usize::from(after.latest == end.latest)] += 1;
                assert!((TRIES - 1..=TRIES).contains(&after.tries));
                let like = Seen {
                    tries: before.tries,
                    latest: before.latest,
                    witnessed: before.witnessed,
                    ..after
                };
                assert_eq!(like, before);
            },
        );
        assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    }
}

#[test]
fn while_a_pin_is_tried() {
    // A try that was taken is never given back by a cut, and no PIN was looked at before.
    let mut flash = unlocked(&start());
    let keys = look(&flash).keys;
    for left in (0..TRIES).rev() {
        for pin in [b"wrong one", PIN] {
            let told = std::cell::Cell::new(None);
            cut_each(
                || (Token::new(flash.clone()), ()),
                |token, ()| {
                    let reply = token.call(None, Command::Unlock { pin, time: NOW });
                    told.set(reply.code());
                    let board = token.app.board();
                    assert!(board.worked != Some(0));
                },
                |flash| {
                    let after = look(flash);
                    let all = pin == PIN && after.tries == TRIES;
                    let untold = told.get() != Some(Code::Pin) && after.tries == left + 1;
                    assert!(after.tries == left || untold || all, "{left}: {after:?}");
                    assert_eq!(after.keys, keys);
                    assert_eq!(after.state == State::Blocked, after.tries == 0);
                    if after.tries > 0 {
                        all_sign(flash, PIN, &keys);
                    }
                },
            );
        }
        let mut token = Token::new(flash.clone());
        let pin = b"wrong one";
        let reply = token.call(None, Command::Unlock { pin, time: NOW });
        assert_eq!(reply.code(), Some(Code::Pin));
        flash = token.flash();
        assert_eq!(look(&flash).tries, left);
    }
}

/// An empty token is set up, makes a key and signs.
fn works(flash: &Flash) {
    let mut token = Token::new(flash.clone());
    assert_eq!(token.app.state(), State::Empty);
    assert_eq!(token.ask(None, Command::List).rows(), []);
    token.init();
    let session = token.unlock();
    let key = token.generate(session, Kind::User);
    all_sign(&token.flash(), PIN, &[key]);
}

#[test]
fn while_it_is_set_up() {
    let start = Token::new(Flash::new()).flash();
    let device = look(&start).device;
    let mut seen = [0, 0];
    cut_each(
        || (Token::new(start.clone()), ()),
        |token, ()| drop(token.call(None, Command::Init(INIT))),
        |flash| {
            let after = look(flash);
            assert_eq!((after.device, after.tries), (device, TRIES));
            let new = after.state == State::Locked;
            seen[usize::from(new)] += 1;
            assert_eq!(after.pins, [new, false]);
            if new {
                assert_eq!((after.latest, after.witnessed), (NOW, NOW));
            } else {
                works(flash);
            }
        },
    );
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

#[test]
fn while_it_is_reset() {
    // A reset that has begun is ended at the next power-up: no old key is left behind.
    let locked = start();
    let before = look(&locked);
    let mut blocked = Token::new(locked.clone());
    let pin = b"wrong one";
    for _ in 0..TRIES {
        blocked.call(None, Command::Unlock { pin, time: NOW });
    }
    for (start, state) in [(locked, State::Locked), (blocked.flash(), State::Blocked)] {
        let mut seen = [0, 0];
        cut_each(
            || (Token::on(Model::seeded(start.clone(), 50)), ()),
            |token, ()| drop(token.call(None, Command::Reset)),
            |flash| {
                let flash = Token::on(Model::seeded(flash.clone(), 1_000)).flash();
                let after = look(&flash);
                if after.state == State::Empty {
                    assert_ne!(after.device, before.device);
                    seen[1] += 1;
                    works(&flash);
                } else {
                    assert_eq!((after.state, after.device), (state, before.device));
                    assert_eq!(after.details, before.details);
                    if state == State::Locked {
                        all_sign(&flash, PIN, &before.keys);
                    }
                    seen[0] += 1;
                }
            },
        );
        assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    }
}

#[test]
fn while_it_is_formatted_first() {
    let mut token = Token::new(Flash::new());
    let done = token.app.board().flash.clone();
    assert!(done.steps > 500);
    for step in 0..done.steps {
        let erase = done.erases.contains(&step);
        for torn in [Torn::Noise, Torn::Blank] {
            if torn == Torn::Noise || erase {
                let mut flash = Flash::new();
                flash.left = Some(step);
                flash.torn = torn;
                let flash = Token::new(flash).flash();
                let flash = Token::new(flash).flash();
                assert_eq!(Token::new(flash.clone()).app.state(), State::Empty);
                if step % 7 == 0 || erase {
                    works(&flash);
                }
            }
        }
    }
}
