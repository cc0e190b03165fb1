//! The Pico W's image: its light hangs on another pin.

use crate::hand::*;
use nkey_core::token::{Command, Press, State};
use nkey_tests::Scratch;
use nkey_tests::emulator::{Emulator, image};

/// Presses, and counts how often the light changed before.
struct Watches<'a>(&'a Emulator, u64);

impl nkey_agent::token::Hand for Watches<'_> {
    fn wanted(&mut self, press: Press) {
        let changes = || self.0.state()["lightChanges"].as_u64().expect("a number");
        let before = changes();
        self.0.pass(2_000);
        self.1 = changes() - before;
        Finger(self.0).wanted(press);
    }
}

#[test]
fn its_light_is_at_gp21() {
    for (led, blinks) in [("21", true), ("25", false)] {
        let scratch = Scratch::new();
        let emulator = Emulator::in_folder(scratch.path(), &image("pico-w"), &["--led", led]);
        let mut token = open(&emulator);
        assert_eq!(token.about().chip, "RP2040");
        let mut watches = Watches(&emulator, 0);
        let session = None;
        done(&mut token, session, init_with(PIN), &mut watches);
        assert_eq!(watches.1 > 15, blinks, "{} changes of GP{led}", watches.1);
        let session = unlock(&mut token);
        assert_eq!(token.refresh().expect("an answer").state, State::Unlocked);
        done(&mut token, Some(session), Command::Lock, &mut ());
        let state = emulator.state();
        assert_eq!(state["resets"], serde_json::json!([]));
    }
}
