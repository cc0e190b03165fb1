//! The button.

use crate::hand::*;
use nkey_agent::token::{Hand, Token};
use nkey_core::nkey::Kind;
use nkey_core::policy::{Policy, Presence};
use nkey_core::token::{Code, Command, Press, State};
use nkey_tests::Scratch;
use nkey_tests::emulator::Emulator;

const SIGN: Command<'_> = Command::Sign {
    slot: 0,
    message: NONCE,
};

/// Does something with the button when it is wanted, and takes the request back afterwards if it is to.
struct Does<'a, F: FnMut(&'a Emulator)>(&'a Emulator, F, bool);

impl<'a, F: FnMut(&'a Emulator)> Hand for Does<'a, F> {
    fn wanted(&mut self, _: Press) {
        (self.1)(self.0);
    }

    fn is_cancelled(&mut self) -> bool {
        self.2
    }
}

#[test]
fn a_press_counts_when_it_answers_the_request() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let mut token = open(&emulator);
    let session = unlock(&mut token);
    let before = signatures(&mut token);

    // Nobody presses.
    let mut nobody = Does(&emulator, |emulator| emulator.pass(31_000), false);
    let code = refused(&mut token, Some(session), SIGN, &mut nobody);
    assert_eq!(code, Code::NoPress);

    // Somebody was on the button before the request came, and lets it go.
    emulator.button(true);
    let let_go = |emulator: &Emulator| {
        emulator.pass(5_000);
        emulator.button(false);
        emulator.pass(100);
    };
    let mut early = Does(&emulator, let_go, true);
    let code = refused(&mut token, Some(session), SIGN, &mut early);
    assert_eq!(code, Code::Cancelled);
    assert_eq!(signatures(&mut token), before);

    // And presses again.
    emulator.button(true);
    let again = |emulator: &Emulator| {
        let_go(emulator);
        emulator.press(100);
    };
    let signature = sign(
        &mut token,
        session,
        0,
        NONCE,
        &mut Does(&emulator, again, false),
    );
    assert!(prepared().key.verify(NONCE, &signature));
    assert_eq!(signatures(&mut token), before + 1);
}

/// A press that counts for a while does so until the host closes the line.
#[test]
fn a_cached_press_ends_with_the_connection() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let mut token = open(&emulator);
    let session = unlock(&mut token);
    let policy = Policy {
        presence: Presence::Cached(600),
        ..Policy::new(Kind::User)
    };
    let loosen = Command::Loosen { slot: 0, policy };
    done(&mut token, Some(session), loosen, &mut Finger(&emulator));
    // Asks for the button, and would wait.
    let asks = |token: &mut Token, session| {
        let mut asked = Does(&emulator, |_| {}, true);
        refused(token, Some(session), SIGN, &mut asked) == Code::Cancelled
    };
    assert!(asks(&mut token, session));
    sign(&mut token, session, 0, NONCE, &mut Finger(&emulator));
    sign(&mut token, session, 0, NONCE, &mut ());
    drop(token);
    let mut token = open(&emulator);
    let session = unlock(&mut token);
    assert!(asks(&mut token, session));
    sign(&mut token, session, 0, NONCE, &mut Finger(&emulator));
    sign(&mut token, session, 0, NONCE, &mut ());
    emulator.suspend();
    emulator.pass(20);
    emulator.resume();
    let session = unlock(&mut token);
    assert!(asks(&mut token, session));
}

#[test]
fn a_change_wants_three_seconds() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let mut token = open(&emulator);
    let session = unlock(&mut token);
    let erase = Command::Erase { slot: 0 };
    let short = |emulator: &Emulator| {
        emulator.pass(30);
        emulator.press(2_500);
        emulator.pass(31_000);
    };
    let code = refused(
        &mut token,
        Some(session),
        erase,
        &mut Does(&emulator, short, false),
    );
    assert_eq!(code, Code::NoPress);
    assert_eq!(keys(&mut token).len(), 1);
    done(&mut token, Some(session), erase, &mut Finger(&emulator));
    assert_eq!(keys(&mut token).len(), 0);
}

#[test]
fn the_light_blinks_while_the_button_is_wanted() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let mut token = open(&emulator);
    let session = unlock(&mut token);
    let changes = || emulator.state()["lightChanges"].as_u64().expect("a number");
    let quiet = changes();
    emulator.pass(2_000);
    assert_eq!(changes(), quiet);
    // Each half of the period: 500 ms for a signature, 100 ms for a change.
    for (command, wanted) in [(SIGN, 3..=5), (Command::Erase { slot: 0 }, 18..=22)] {
        let mut blinks = 0;
        let watch = |emulator: &Emulator| {
            emulator.pass(100);
            let before = changes();
            emulator.pass(2_000);
            blinks = changes() - before;
        };
        let code = refused(
            &mut token,
            Some(session),
            command,
            &mut Does(&emulator, watch, true),
        );
        assert_eq!(code, Code::Cancelled);
        assert!(wanted.contains(&blinks), "{blinks} instead of {wanted:?}");
    }
}

#[test]
fn the_bootloader_is_the_boot_roms() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let mut token = open(&emulator);
    let session = unlock(&mut token);
    done(
        &mut token,
        Some(session),
        Command::Bootloader,
        &mut Finger(&emulator),
    );
    emulator.in_bootsel();
    let state = emulator.state();
    assert_eq!(
        (&state["bootsel"], &state["powered"]),
        (&true.into(), &false.into())
    );
    emulator.flash(&nkey_tests::emulator::firmware());
    assert_eq!(open(&emulator).about().state, State::Locked);
}
