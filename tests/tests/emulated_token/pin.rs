//! PINs.

use crate::hand::*;
use nkey_core::token::{Code, Command, State, TRIES};
use nkey_tests::Scratch;

#[test]
fn wrong_pins_block_it_and_a_reset_makes_it_another() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let mut token = open(&emulator);
    let device = token.about().device;
    for left in (0..TRIES).rev() {
        assert_eq!(try_pin(&mut token, b"wrong horse"), Err(Code::Pin));
        assert_eq!(tries(&mut token), left);
        if left == 3 {
            // Without power nothing is forgotten.
            drop(token);
            emulator.unplug();
            emulator.plug();
            token = open(&emulator);
            assert_eq!(tries(&mut token), left);
        }
    }
    assert_eq!(token.refresh().expect("an answer").state, State::Blocked);
    assert_eq!(try_pin(&mut token, PIN), Err(Code::Blocked));
    drop(token);
    emulator.unplug();
    emulator.plug();
    let mut token = open(&emulator);
    assert_eq!(token.about().state, State::Blocked);
    assert_eq!(try_pin(&mut token, PIN), Err(Code::Blocked));

    done(&mut token, None, Command::Reset, &mut Finger(&emulator));
    let about = token.refresh().expect("an answer");
    assert_eq!(about.state, State::Empty);
    assert_ne!(about.device, device);
    assert_eq!(keys(&mut token).len(), 0);
    done(
        &mut token,
        None,
        init_with(b"battery staple"),
        &mut Finger(&emulator),
    );
    assert_eq!(try_pin(&mut token, PIN), Err(Code::Pin));
    assert!(try_pin(&mut token, b"battery staple").is_ok());
    assert_eq!(tries(&mut token), TRIES);
    // The other device key, and nothing of the old flash: the seed's record is gone with its master key.
    assert_eq!(keys(&mut token).len(), 0);
}
