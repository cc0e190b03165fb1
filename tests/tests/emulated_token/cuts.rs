//! The power fails before, halfway through and after every call that changes flash. What survives a cut is flash, so
//! each operation runs once, and the board is powered up with flash as it stood at each of the cuts.

use crate::hand::*;
use nkey_agent::token::Token;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::{Code, Command, State, TRIES};
use nkey_tests::Scratch;
use nkey_tests::emulator::{Call, Emulator, Phase};

const NEW_PIN: &[u8] = b"battery staple";

/// What the token tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    keys: Vec<[u8; 32]>,
    tries: u8,
    signatures: u64,
}

fn told(token: &mut Token) -> Told {
    Told {
        keys: keys(token),
        tries: tries(token),
        signatures: signatures(token),
    }
}

/// Runs `work` once, then `check` after a cut in each call: whether it found the new state.
fn every_cut(
    emulator: &Emulator,
    work: impl FnOnce(&mut Token) -> Told,
    mut check: impl FnMut(&mut Token, &Told, bool) -> bool,
) {
    let mut token = open(emulator);
    let before = told(&mut token);
    emulator.record();
    let after = work(&mut token);
    drop(token);
    let calls = emulator.calls();
    assert!(calls.iter().any(|call| !call.erases), "{calls:?}");
    let mut last = false;
    for (number, call) in calls.iter().enumerate() {
        for phase in Phase::ALL {
            let torn = emulator.replay(number, phase);
            let mut token = open(emulator);
            let place = format!("{phase:?} call {number} of {}: {call:?}", calls.len());
            // An erased sector may have been blank behind its middle.
            assert!(torn == (phase == Phase::Half) || call.erases, "{place}");
            assert_eq!(token.about().state, State::Locked, "{place}");
            assert_eq!(token.about().fault, None, "{place}");
            let now = told(&mut token);
            assert!(
                now.keys == before.keys || now.keys == after.keys,
                "{place}: {now:?}"
            );
            assert!(
                now.signatures == before.signatures || now.signatures == after.signatures,
                "{place}: {now:?}"
            );
            let is_new = check(&mut token, &now, phase == Phase::Half);
            assert!(is_new || !last, "{place}: the new state was there before");
            if (number, phase) == (0, Phase::Before) {
                assert!(!is_new, "{place}: nothing was done yet");
            }
            last = is_new;
        }
    }
    eprintln!(
        "{} calls, {} cuts",
        calls.len(),
        calls.len() * Phase::ALL.len()
    );
    assert!(last, "after all calls the new state is there");
}

/// Slot 0 signs as ever.
fn still_signs(emulator: &Emulator, token: &mut Token, pin: &[u8]) {
    let session = try_pin(token, pin).expect("the right PIN");
    let signature = sign(token, session, 0, NONCE, &mut Finger(emulator));
    assert!(prepared().key.verify(NONCE, &signature));
    assert_eq!(tries(token), TRIES);
}

#[test]
fn of_a_key() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let mut made = None;
    let make = |token: &mut Token| {
        let session = unlock(token);
        emulator.record();
        made = Some(generate(token, session, Kind::Account));
        told(token)
    };
    let old = [*prepared().key.as_bytes()];
    every_cut(&emulator, make, |token, now, signs| {
        assert_eq!(now.tries, TRIES);
        let is_new = now.keys != old;
        if signs {
            still_signs(&emulator, token, PIN);
        } else {
            unlock(token);
        }
        is_new
    });
    let made: PublicKey = made.expect("a key");
    // The last one was the new state: the key that was answered.
    let mut token = open(&emulator);
    assert_eq!(keys(&mut token), [old[0], *made.as_bytes()]);
}

#[test]
fn of_a_signature() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let mut before = 0;
    let make = |token: &mut Token| {
        let session = unlock(token);
        before = signatures(token);
        emulator.record();
        sign(token, session, 0, NONCE, &mut Finger(&emulator));
        told(token)
    };
    every_cut(&emulator, make, |token, now, signs| {
        assert_eq!(now.tries, TRIES);
        let count = now.signatures;
        if signs {
            still_signs(&emulator, token, PIN);
            assert_eq!(signatures(token), count + 1);
        } else {
            unlock(token);
            assert_eq!(signatures(token), count);
        }
        count == 1
    });
    assert_eq!(before, 0);
}

#[test]
fn of_a_new_pin() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let make = |token: &mut Token| {
        let session = unlock(token);
        emulator.record();
        let change = Command::ChangePin {
            old: PIN,
            new: NEW_PIN,
        };
        done(token, Some(session), change, &mut ());
        told(token)
    };
    every_cut(&emulator, make, |token, now, signs| {
        // The try that was taken for the old PIN may be gone.
        assert!(now.tries >= TRIES - 1, "{now:?}");
        let is_new = match try_pin(token, NEW_PIN) {
            Ok(_) => true,
            Err(code) => {
                assert_eq!((code, tries(token)), (Code::Pin, now.tries - 1));
                false
            }
        };
        let (right, wrong) = if is_new {
            (NEW_PIN, PIN)
        } else {
            (PIN, NEW_PIN)
        };
        if signs {
            still_signs(&emulator, token, right);
            assert_eq!(try_pin(token, wrong), Err(Code::Pin));
        } else {
            try_pin(token, right).expect("one of the two");
        }
        is_new
    });
}

#[test]
fn of_a_wrong_pin() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let mut token = open(&emulator);
    assert_eq!(try_pin(&mut token, b"wrong horse"), Err(Code::Pin));
    drop(token);
    let make = |token: &mut Token| {
        assert_eq!(try_pin(token, b"wrong horse"), Err(Code::Pin));
        told(token)
    };
    every_cut(&emulator, make, |token, now, _| {
        assert!([TRIES - 1, TRIES - 2].contains(&now.tries), "{now:?}");
        assert_eq!(try_pin(token, b"wrong horse"), Err(Code::Pin));
        assert_eq!(tries(token), now.tries - 1);
        now.tries == TRIES - 2
    });
}

/// The power really fails, while the chip programs: the host sees its port go.
#[test]
fn a_cut_in_the_act() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let mut token = open(&emulator);
    let session = unlock(&mut token);
    emulator.cut(0, Phase::Half);
    let command = Command::Generate {
        kind: Kind::Account.prefix(),
        name: "cut",
        exportable: false,
    };
    let gone = token.call(Some(session), command, &mut ());
    assert!(gone.is_err(), "{gone:?}");
    drop(token);
    emulator.was_cut(1);
    let calls = emulator.calls();
    assert_eq!(calls.len(), 1);
    let Call { offset, length, .. } = calls[0];
    assert!(offset >= 256 * 1024 && offset + length <= 2 * 1024 * 1024);
    emulator.plug();
    let mut token = open(&emulator);
    assert_eq!(keys(&mut token), [*prepared().key.as_bytes()]);
    still_signs(&emulator, &mut token, PIN);
}
