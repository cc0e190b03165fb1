//! What the firmware does when it is broken itself.

use crate::hand::*;
use nkey_agent::token::{Token, TokenError};
use nkey_core::token::{Code, Command, Fault, State};
use nkey_tests::Scratch;
use nkey_tests::emulator::{Emulator, flat};
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

const FLASH: u32 = 0x1000_0000;
/// Sleeps for ever: `wfi`, and a branch back to it.
const HANG: [u8; 4] = [0x30, 0xBF, 0xFD, 0xE7];

/// Where the function is whose symbol contains all of these.
fn function(parts: &[&str]) -> u32 {
    symbol(parts) & !1
}

/// What answers `List`.
fn list() -> u32 {
    function(&["3app4gate", "4list17h"])
}

/// The image with these instructions at the beginning of what answers `List`.
fn with_list(scratch: &Scratch, instructions: [u8; 4]) -> PathBuf {
    let mut flat = flat();
    let at = (list() - FLASH) as usize;
    flat[at..at + 4].copy_from_slice(&instructions);
    scratch.file("spoilt.bin", flat)
}

/// A call of a function, from the beginning of what answers `List`.
fn call(target: u32) -> [u8; 4] {
    let offset = target.wrapping_sub(list() + 4) as i32;
    assert!((-(1 << 22)..1 << 22).contains(&offset), "within reach");
    let high = 0xF000 | (offset >> 12 & 0x7FF) as u16;
    let low = 0xF800 | (offset >> 1 & 0x7FF) as u16;
    let ([a, b], [c, d]) = (high.to_le_bytes(), low.to_le_bytes());
    [a, b, c, d]
}

/// Asks for the list, which ends the firmware; it comes back and says so, until it is powered up again.
fn ends_in_a_reset(emulator: &Emulator, hangs: bool) {
    let mut token = open(emulator);
    assert_eq!(token.about().fault, None);
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(500));
            if hangs {
                // Not over the watchdog's 8 s: an order to a chip that was reset is not answered.
                emulator.pass(6_500);
            }
        });
        token.call(None, Command::List, &mut ())
    });
    assert!(
        matches!(ended, Err(TokenError::Gone(_) | TokenError::Port(..))),
        "{ended:?}"
    );
    drop(token);
    emulator.attached();
    let mut token: Token = open(emulator);
    assert_eq!(emulator.state()["resets"], json!(["watchdog"]));
    let about = token.about().clone();
    assert_eq!(
        (about.state, about.fault),
        (State::Error, Some(Fault::Panic))
    );
    let code = token.call(None, Command::Tries, &mut ());
    assert!(
        matches!(
            code,
            Err(TokenError::Broken(_) | TokenError::Refused(Code::Fault, _))
        ),
        "{code:?}"
    );
    drop(token);
    emulator.unplug();
    emulator.plug();
    let token = open(emulator);
    assert_eq!(
        (token.about().state, token.about().fault),
        (State::Empty, None)
    );
}

#[test]
fn a_panic_ends_in_the_error_state() {
    let scratch = Scratch::new();
    let panic = call(function(&["rust_begin_unwind"]));
    let image = with_list(&scratch, panic);
    ends_in_a_reset(&Emulator::in_folder(scratch.path(), &image, &[]), false);
}

#[test]
fn the_watchdog_ends_a_firmware_that_hangs() {
    let scratch = Scratch::new();
    let image = with_list(&scratch, HANG);
    ends_in_a_reset(&Emulator::in_folder(scratch.path(), &image, &[]), true);
}

#[test]
fn without_noise_no_key_is_made() {
    let scratch = Scratch::new();
    let emulator = Emulator::start(&scratch);
    let mut token = open(&emulator);
    emulator.stuck(true);
    let init = || init_with(PIN);
    let mut finger = Finger(&emulator);
    assert_eq!(refused(&mut token, None, init(), &mut finger), Code::Random);
    // Noise that comes back is not believed.
    emulator.stuck(false);
    assert_eq!(refused(&mut token, None, init(), &mut finger), Code::Random);
    assert_eq!(token.refresh().expect("an answer").state, State::Empty);
    drop(token);
    // Stuck from the start.
    emulator.unplug();
    emulator.stuck(true);
    emulator.plug();
    let mut token = open(&emulator);
    assert_eq!(refused(&mut token, None, init(), &mut finger), Code::Random);
    drop(token);
    emulator.unplug();
    emulator.stuck(false);
    emulator.plug();
    done(&mut open(&emulator), None, init(), &mut finger);
}
