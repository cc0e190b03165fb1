//! An update.

use crate::hand::*;
use nkey_core::token::State;
use nkey_tests::Scratch;
use nkey_tests::emulator::with_version;
use sha2::{Digest, Sha256};

#[test]
fn an_update_keeps_keys() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let before = open(&emulator).about().clone();
    let (image, version) = with_version(&scratch);
    emulator.flash(&image);
    let mut token = open(&emulator);
    let about = token.about().clone();
    assert_eq!(about.firmware, version);
    assert_ne!(about.firmware, before.firmware);
    let wanted: [u8; 32] = Sha256::digest(std::fs::read(&image).expect("the image")).into();
    assert_eq!(about.hash, wanted);
    assert_ne!(about.hash, before.hash);
    assert_eq!((about.device, about.state), (before.device, State::Locked));
    assert_eq!(keys(&mut token), [*prepared().key.as_bytes()]);
    let session = unlock(&mut token);
    let signature = sign(&mut token, session, 0, NONCE, &mut Finger(&emulator));
    assert!(prepared().key.verify(NONCE, &signature));
}
