//! The rules, one after the other.

use crate::board::{Flash, Model};
use crate::host::*;
use nkey_core::nkey::Kind;
use nkey_core::policy::{Claims, Kinds, Policy, Presence, Signable, Subjects};
use nkey_core::token::*;

pub fn sign(slot: u8, message: &[u8]) -> Command<'_> {
    Command::Sign { slot, message }
}

pub fn signatures(token: &mut Token) -> u64 {
    match token.ask(None, Command::Counters).answer() {
        Answer::Counters(counters) => counters.signatures,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_signs_what_it_has_read() {
    let (mut token, session) = ready();
    let account = match token.ask(None, Command::Slot { slot: 0 }).answer() {
        Answer::Slot(details) => nkey_core::nkey::PublicKey::from_bytes(Kind::Account, details.key),
        other => panic!("{other:?}"),
    };
    let message = user(&account, |_| {});
    let signature = token.call(Some(session), sign(0, &message)).signature();
    assert!(account.verify(&message, &signature));
    assert_eq!(signatures(&mut token), 1);
    token.call(Some(session), sign(1, NONCE)).signature();
    assert_eq!(signatures(&mut token), 2);

    let bearer = user(&account, |claim| claim.nats.permissions.bearer_token = true);
    let old = user(&account, |claim| claim.standard.iat -= 302);
    let soon = user(&account, |claim| claim.standard.iat += 302);
    let mut tail = message.clone();
    tail.extend_from_slice(b"AA");
    for (slot, message, code) in [
        (0, &bearer[..], Code::Policy),
        (0, &old[..], Code::Iat),
        (0, &soon[..], Code::Iat),
        (0, &tail[..], Code::Language),
        (0, NONCE, Code::Language),
        (1, &message[..], Code::Language),
        (2, &message[..], Code::Language),
        (1, b"PXoWU7zWAMt75F", Code::Language),
        (1, b"", Code::Language),
        (3, NONCE, Code::Slot),
        (16, NONCE, Code::Value),
        (255, NONCE, Code::Value),
    ] {
        let reply = token.ask(Some(session), sign(slot, message));
        assert_eq!(reply.code(), Some(code), "{slot} {:?}", reply.answer());
    }
    assert_eq!(signatures(&mut token), 2);
}

#[test]
fn the_longest_message_is_read_and_a_longer_one_refused() {
    let (mut token, session) = ready();
    let key = token.ask(None, Command::Slot { slot: 0 });
    let key = match key.answer() {
        Answer::Slot(details) => nkey_core::nkey::PublicKey::from_bytes(Kind::Account, details.key),
        other => panic!("{other:?}"),
    };
    let tagged = |len: usize| {
        let tags: &[&str] = vec![&*"t".repeat(len).leak()].leak();
        user(&key, |claim| claim.generic.tags = tags)
    };
    let most = tagged(24_000);
    assert!(most.len() > 32_000 && most.len() <= MAX_MESSAGE);
    let signature = token.call(Some(session), sign(0, &most)).signature();
    assert!(key.verify(&most, &signature));
    let more = tagged(24_500);
    assert!(more.len() > MAX_MESSAGE);
    assert_eq!(
        token.ask(Some(session), sign(0, &more)).code(),
        Some(Code::TooLarge)
    );
}

#[test]
fn a_press_answers_one_request_and_begins_after_it() {
    let (mut token, session) = ready();
    // Held since before the request: never counts.
    token.app.board().pressed = true;
    token.wait(100);
    let reply = token.ask(Some(session), sign(1, NONCE));
    assert_eq!(reply.answer(), Answer::Waiting(Press::Short));
    token.wait(5_000);
    assert!(token.replies().is_empty());
    assert_eq!(token.app.board().light, Light::Slow);
    token.press(100);
    assert_eq!(token.replies().len(), 1);
    assert_eq!(token.app.board().light, Light::Off);
    // The press is used up.
    let reply = token.ask(Some(session), sign(1, NONCE));
    assert_eq!(reply.answer(), Answer::Waiting(Press::Short));
    token.wait(PRESS_MS + 100);
    let replies = token.replies();
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0].code(), Some(Code::NoPress));
    assert_eq!(signatures(&mut token), 1);
}

#[test]
fn while_a_request_waits_others_are_told_so() {
    let (mut token, session) = ready();
    token.ask(Some(session), sign(1, NONCE));
    assert!(matches!(
        token.ask(None, Command::Hello).answer(),
        Answer::Hello(_)
    ));
    assert_eq!(
        token.ask(Some(session), sign(1, NONCE)).code(),
        Some(Code::Busy)
    );
    assert_eq!(
        token.ask(Some(session), Command::Lock).code(),
        Some(Code::Busy)
    );
    let long = [b'x'; 500];
    token.send(&frame(&Request {
        id: 70,
        session: None,
        command: sign(1, &long),
    }));
    assert_eq!(token.replies()[0].code(), Some(Code::Busy));
    token.send(&frame(&Request {
        id: 77,
        session: None,
        command: Command::Cancel,
    }));
    let replies = token.replies();
    assert_eq!(replies[0].code(), Some(Code::Cancelled));
    assert_eq!(
        replies[1].response(),
        Response {
            id: 77,
            answer: Answer::Done
        }
    );
    assert_eq!(token.app.board().light, Light::Off);
    token.press(100);
    assert!(token.replies().is_empty());
    assert_eq!(signatures(&mut token), 0);
    token.call(Some(session), sign(1, NONCE)).signature();
}

#[test]
fn a_session_ends() {
    type End = fn(&mut Token, Session);
    let ends: [(&str, End); 4] = [
        ("lock", |token, session| {
            token.call(Some(session), Command::Lock).ok();
        }),
        ("line", |token, _| token.app.disconnect()),
        ("idle", |token, _| token.wait(601_000)),
        ("power", |token, _| {
            let flash = std::mem::replace(token, Token::new(Flash::new())).flash();
            *token = Token::new(flash);
        }),
    ];
    for (name, end) in ends {
        let (mut token, session) = ready();
        end(&mut token, session);
        assert_eq!(
            token.ask(Some(session), Command::Lock).code(),
            Some(Code::Locked),
            "{name}"
        );
        let other = token.unlock();
        assert_eq!(
            token.ask(Some(session), Command::Lock).code(),
            Some(Code::Session),
            "{name}"
        );
        token.call(Some(other), sign(1, NONCE)).signature();
    }
}

#[test]
fn a_request_that_waits_ends_with_the_line() {
    let (mut token, session) = ready();
    token.ask(Some(session), sign(1, NONCE));
    token.app.disconnect();
    token.press(200);
    assert!(token.replies().is_empty());
    assert_eq!(signatures(&mut token), 0);
}

pub fn with_policy(token: &mut Token, session: Session, slot: u8, policy: Policy<'_>) {
    token
        .call(Some(session), Command::Loosen { slot, policy })
        .ok();
}

#[test]
fn a_spent_budget_ends_the_session() {
    let (mut token, session) = ready();
    let policy = Policy {
        budget: Some(2),
        presence: Presence::Never,
        ..Policy::new(Kind::User)
    };
    with_policy(&mut token, session, 1, policy);
    for _ in 0..2 {
        token.ask(Some(session), sign(1, NONCE)).signature();
    }
    assert_eq!(
        token.ask(Some(session), sign(1, NONCE)).code(),
        Some(Code::Locked)
    );
    let session = token.unlock();
    token.ask(Some(session), sign(1, NONCE)).signature();
    let none = Policy {
        budget: Some(0),
        ..policy
    };
    token
        .ask(
            Some(session),
            Command::Tighten {
                slot: 1,
                policy: none,
            },
        )
        .ok();
    assert_eq!(
        token.ask(Some(session), sign(1, NONCE)).code(),
        Some(Code::Policy)
    );
}

#[test]
fn a_policy_is_tightened_without_and_loosened_with_the_button() {
    let (mut token, session) = ready();
    let base = Policy::new(Kind::Account);
    let wide = Policy {
        bearer: true,
        within: Some(Subjects("a.>")),
        ..base
    };
    assert_eq!(
        token
            .ask(
                Some(session),
                Command::Tighten {
                    slot: 0,
                    policy: wide
                }
            )
            .code(),
        Some(Code::Wider)
    );
    let reply = token.ask(
        Some(session),
        Command::Loosen {
            slot: 0,
            policy: wide,
        },
    );
    assert_eq!(reply.answer(), Answer::Waiting(Press::Held));
    token.press(2_900);
    assert!(token.replies().is_empty(), "not held for long enough");
    token.press(3_100);
    token.replies().remove(0).ok();
    let narrow = Policy {
        within: Some(Subjects("a.b a.c.*")),
        claims: Claims::NONE,
        ..wide
    };
    token
        .ask(
            Some(session),
            Command::Tighten {
                slot: 0,
                policy: narrow,
            },
        )
        .ok();
    let reply = token.ask(None, Command::Slot { slot: 0 });
    let Answer::Slot(details) = reply.answer() else {
        panic!()
    };
    assert_eq!(
        (details.policy, details.generation, details.loosened),
        (narrow, 2, true)
    );
    // It survives the power.
    let mut token = token.reboot();
    let reply = token.ask(None, Command::Slot { slot: 0 });
    let Answer::Slot(details) = reply.answer() else {
        panic!()
    };
    assert_eq!(details.policy, narrow);
    let session = token.unlock();
    let bad = Policy {
        presence: Presence::Cached(0),
        ..narrow
    };
    for command in [
        Command::Tighten {
            slot: 0,
            policy: bad,
        },
        Command::Loosen {
            slot: 0,
            policy: bad,
        },
    ] {
        assert_eq!(token.ask(Some(session), command).code(), Some(Code::Value));
    }
    let most = "subject.that.is.rather.long.and.one.of.sixteen.at.most.>";
    let many = [most; 16].join(" ");
    let big = Policy {
        within: Some(Subjects(&many)),
        ..base
    };
    with_policy(&mut token, session, 0, big);
    assert!(Kinds::OTHER.has(None) && Claims::of(&[Signable::User]).has(Signable::User));
}

#[test]
fn a_broken_token_says_so() {
    let mut model = Model::new(Flash::new());
    model.panicked = true;
    let mut token = Token::on(model);
    let hello = token.ask(None, Command::Hello);
    assert!(
        matches!(hello.answer(), Answer::Hello(hello) if hello.state == State::Error && hello.fault == Some(Fault::Panic))
    );
    assert_eq!(token.ask(None, Command::List).code(), Some(Code::Fault));
    let (mut token, session) = ready();
    token.app.board().random_fails = true;
    let make = Command::Generate {
        kind: Kind::User.prefix(),
        name: "",
        exportable: false,
    };
    assert_eq!(token.ask(Some(session), make).code(), Some(Code::Random));
    // Flash that is somebody else's is never formatted unasked.
    let mut flash = Flash::new();
    flash.bytes.fill(0x5A);
    let mut token = Token::new(flash);
    assert_eq!(token.app.state(), State::Error);
    token.call(None, Command::Reset).ok();
    assert_eq!(token.app.state(), State::Empty);
    token.init();
    token.unlock();
}

#[test]
fn the_bootloader_comes_after_the_answer() {
    let (mut token, session) = ready();
    assert_eq!(token.app.action(), None);
    token.ask(Some(session), Command::Bootloader);
    token.press(3_100);
    assert_eq!(token.app.action(), None, "not before the answer is sent");
    token.replies().remove(0).ok();
    assert_eq!(token.app.action(), Some(Action::Bootloader));
    assert_eq!(token.app.action(), None);
}

#[test]
fn half_a_frame_times_out() {
    let (mut token, _) = ready();
    let whole = frame(&Request {
        id: 9,
        session: None,
        command: Command::Hello,
    });
    token.send(&whole[..5]);
    token.wait(FRAME_MS + 100);
    assert_eq!(token.replies()[0].code(), Some(Code::Frame));
    token.send(&whole);
    assert!(matches!(token.replies()[0].answer(), Answer::Hello(_)));
}
