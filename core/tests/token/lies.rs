//! The host lies in every field: each lie has a code of its own, nothing stored changes, and
//! the token goes on. A command or a field without lies is an error of this test.

mod bodies;
mod fields;
mod frames;
mod policies;
mod seals;
mod told;
mod world;

use crate::host::*;
use nkey_core::token::*;
use std::collections::BTreeSet;
use world::World;

/// A request whose body lies.
pub struct Lie {
    /// The field.
    field: &'static str,
    what: String,
    body: Vec<u8>,
    code: Code,
    spent: Spent,
}

/// What the protocol lets a lie change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spent {
    Nothing,
    /// A try of the PIN.
    Try,
    /// A try, and the time at which somebody pressed.
    TryAndPress,
}

/// Sends a body, and presses as asked; the last answer.
fn tell(token: &mut Token, body: &[u8]) -> Reply {
    token.send(&raw(body));
    let mut replies = token.replies();
    assert_eq!(replies.len(), 1, "{body:02x?}");
    if let Answer::Waiting(_) = replies[0].answer() {
        token.press(3_100);
        replies = token.replies();
        assert_eq!(replies.len(), 1, "{body:02x?}");
    }
    replies.remove(0)
}

/// Tells the lie; the token answers with its code, and keeps what it kept.
#[track_caller]
fn refuted(world: &World, token: &mut Token, name: &str, lie: &Lie) {
    let what = format!("{name}.{}: {}", lie.field, lie.what);
    // Later than the last time that was kept, which would be kept again.
    token.wait(1_000);
    let kept = token.app.board().flash.bytes.clone();
    let state = token.app.state();
    let reply = tell(token, &lie.body);
    assert_eq!(reply.code(), Some(lie.code), "{what}: {:?}", reply.answer());
    let changed = world::changed(&kept, &token.app.board().flash.bytes);
    let allowed = match lie.spent {
        Spent::Nothing => BTreeSet::new(),
        Spent::Try => world.tries.clone(),
        Spent::TryAndPress => &world.tries | &world.times,
    };
    assert!(changed.is_subset(&allowed), "{what}: {changed:?} changed");
    assert_eq!(changed.is_empty(), lie.spent == Spent::Nothing, "{what}");
    assert_eq!(token.app.state(), state, "{what}");
    let tries = TRIES - u8::from(lie.spent != Spent::Nothing);
    let reply = token.ask(None, Command::Tries);
    assert_eq!(reply.answer(), Answer::Tries(tries), "{what}");
}

#[test]
fn the_host_lies_in_every_field() {
    let world = World::new();
    let names = crate::page::table("#", "Message");
    assert_eq!(names.len(), COMMANDS as usize);
    let mut told = 0;
    for row in &names {
        let name = row[1].as_str();
        let (mut token, session) = world.before(name);
        let good = world.good(name);
        let lies = fields::lies(&world, session, good);
        let lied: BTreeSet<String> = lies.iter().map(|lie| lie.field.to_owned()).collect();
        assert_eq!(lied, fields::names(&good), "fields of {name}");
        for lie in lies {
            refuted(&world, &mut token, name, &lie);
            told += 1;
            if lie.spent != Spent::Nothing {
                token = world.before(name).0;
            }
        }
        let reply = token.call(session, good);
        assert_eq!(reply.code(), None, "{name} after its lies");
    }
    assert!(told > 250, "{told} lies");
}

#[test]
fn every_body_that_is_cut_or_has_a_tail_is_malformed() {
    let world = World::new();
    for row in crate::page::table("#", "Message") {
        let name = row[1].as_str();
        let (mut token, session) = world.before(name);
        let good = world.good(name);
        for lie in bodies::lies(session, good) {
            refuted(&world, &mut token, name, &lie);
        }
        let reply = token.call(session, good);
        assert_eq!(reply.code(), None, "{name} after its lies");
    }
}

#[test]
fn a_session_that_is_not_the_open_one() {
    let world = World::new();
    for row in crate::page::table("#", "Message") {
        let name = row[1].as_str();
        let good = world.good(name);
        if !good.needs_session() {
            continue;
        }
        let (mut token, stale) = world.before(name);
        let session = token.unlock();
        let mut near = session;
        near[15] ^= 1;
        let others = [
            ("absent", None),
            ("zeros", Some([0; 16])),
            ("ones", Some([0xFF; 16])),
            ("nearly right", Some(near)),
            ("stale", stale),
        ];
        for (what, other) in others {
            let lie = Lie {
                field: "session",
                what: what.to_owned(),
                body: bodies::body(other, good),
                code: Code::Session,
                spent: Spent::Nothing,
            };
            refuted(&world, &mut token, name, &lie);
        }
        let reply = token.call(Some(session), good);
        assert_eq!(reply.code(), None, "{name} after its lies");
    }
}
