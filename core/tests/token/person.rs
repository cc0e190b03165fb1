//! PINs and their tries, and the time that the host states.

use crate::host::*;
use crate::rules::sign;
use nkey_core::token::*;

#[test]
fn tries_are_counted_down_to_blocked() {
    let (token, _) = ready();
    let mut token = token.reboot();
    let wrong = Command::Unlock {
        pin: b"wrong one",
        time: NOW,
    };
    for left in (0..TRIES).rev() {
        let reply = token.ask(None, wrong);
        assert_eq!(reply.code(), Some(Code::Pin));
        assert_eq!(
            token.ask(None, Command::Tries).answer(),
            Answer::Tries(left)
        );
        if left == 3 {
            // The right one gives all back.
            token.unlock();
            assert_eq!(
                token.ask(None, Command::Tries).answer(),
                Answer::Tries(TRIES)
            );
            break;
        }
    }
    for _ in 0..TRIES {
        assert_eq!(token.ask(None, wrong).code(), Some(Code::Pin));
        token = token.reboot();
    }
    let right = Command::Unlock {
        pin: PIN,
        time: NOW,
    };
    assert_eq!(token.ask(None, right).code(), Some(Code::Blocked));
    assert_eq!(token.app.state(), State::Blocked);
    // A PIN of a length that none has costs nothing.
    let (token, _) = ready();
    let mut token = token.reboot();
    for pin in [&b""[..], b"short", &[b'x'; 65]] {
        assert_eq!(
            token.ask(None, Command::Unlock { pin, time: NOW }).code(),
            Some(Code::Value)
        );
    }
    assert_eq!(
        token.ask(None, Command::Tries).answer(),
        Answer::Tries(TRIES)
    );
    // Blocked: only the button helps.
    for _ in 0..TRIES {
        token.ask(None, wrong);
    }
    token.call(None, Command::Reset).ok();
    assert_eq!(token.app.state(), State::Empty);
}

#[test]
fn a_pin_is_changed() {
    let (mut token, session) = ready();
    let new = b"battery staple";
    let wrong = Command::ChangePin {
        old: b"wrong one",
        new,
    };
    assert_eq!(token.ask(Some(session), wrong).code(), Some(Code::Pin));
    token
        .ask(Some(session), Command::ChangePin { old: PIN, new })
        .ok();
    let mut token = token.reboot();
    assert_eq!(
        token
            .ask(
                None,
                Command::Unlock {
                    pin: PIN,
                    time: NOW
                }
            )
            .code(),
        Some(Code::Pin)
    );
    let session = token
        .ask(
            None,
            Command::Unlock {
                pin: new,
                time: NOW,
            },
        )
        .session();
    token.call(Some(session), sign(1, NONCE)).signature();
}

#[test]
fn time_is_stated_once() {
    let (token, _) = ready();
    let day = 86_400;
    let mut token = token.reboot();
    let stated = |token: &mut Token, time| token.ask(None, Command::Unlock { pin: PIN, time });
    assert_eq!(
        stated(&mut token, NOW - 301).answer(),
        Answer::Waiting(Press::Held)
    );
    token.wait(PRESS_MS + 50);
    token.replies();
    assert_eq!(
        stated(&mut token, NOW + 30 * day + 100).answer(),
        Answer::Waiting(Press::Held)
    );
    token.wait(PRESS_MS + 50);
    token.replies();
    assert_eq!(stated(&mut token, NOW + 401 * day).code(), Some(Code::Time));
    assert_eq!(stated(&mut token, 0).code(), Some(Code::Time));
    assert_eq!(
        token.ask(None, Command::Tries).answer(),
        Answer::Tries(TRIES)
    );
    let reply = stated(&mut token, NOW + 29 * day);
    assert!(matches!(reply.answer(), Answer::Session { time, .. } if time == NOW + 29 * day));
    // Later unlocks do not restate it.
    token.wait(10_000);
    let reply = stated(&mut token, NOW);
    assert!(
        matches!(reply.answer(), Answer::Session { time, .. } if time == NOW + 29 * day + 10),
        "{:?}",
        reply.answer()
    );
    // Without a press the latest time stays, and going back needs one.
    let mut token = token.reboot();
    assert_eq!(
        stated(&mut token, NOW + 29 * day - 400).answer(),
        Answer::Waiting(Press::Held)
    );
    token.press(3_100);
    let reply = token.replies().remove(0);
    assert!(matches!(reply.answer(), Answer::Session { time, .. } if time <= NOW + 29 * day - 400));
    let mut token = token.reboot();
    assert!(matches!(
        stated(&mut token, NOW + 29 * day - 300).answer(),
        Answer::Session { .. }
    ));
}
