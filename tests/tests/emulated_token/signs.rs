//! What it is there for.

use crate::hand::*;
use nkey_agent::token::{PRODUCT, SERIAL_PREFIX, TokenError, USB_ID};
use nkey_core::claims::{self, Claim, Claims};
use nkey_core::jwt;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::{Code, Command, State};
use nkey_tests::Scratch;
use nkey_tests::emulator::{Emulator, flat};
use sha2::{Digest, Sha256};
use std::time::Duration;

#[test]
fn it_says_who_it_is() {
    let scratch = Scratch::new();
    let emulator = Emulator::start(&scratch);
    let device = emulator.attached();
    // By this the agent finds it, without opening anything.
    let ids = [&device.ids.0, &device.ids.1].map(|id| u16::from_str_radix(id, 16).ok());
    assert_eq!(ids, [Some(USB_ID.0), Some(USB_ID.1)]);
    assert_eq!(device.product, PRODUCT);
    assert!(device.serial.starts_with(SERIAL_PREFIX), "{device:?}");
    let token = open(&emulator);
    let about = token.about();
    assert_eq!(about.serial, device.serial);
    // The id of the flash chip.
    assert_eq!(about.serial, "NKEY-E6613852831F0AB0");
    assert_eq!(about.chip, "RP2040");
    assert_eq!(about.state, State::Empty);
    assert_eq!(about.fault, None);
    assert!(about.max_message >= 32_768 && about.slots >= 16);
    // What it computed of itself, and what the UF2 holds.
    let wanted: [u8; 32] = Sha256::digest(flat()).into();
    assert_eq!(about.hash, wanted);
    drop(token);
    let state = emulator.state();
    assert_eq!(state["resets"], serde_json::json!([]));
}

/// The signing input of a claim.
fn input(issuer: &PublicKey, claim: &impl Claim) -> Vec<u8> {
    let mut bytes = vec![0; 4_096];
    let len = jwt::prepare(claim, issuer, NOW as i64, &mut bytes).expect("a claim");
    bytes.truncate(len);
    bytes
}

fn account(issuer: &PublicKey, subject: &PublicKey) -> Vec<u8> {
    let sub = subject.encode();
    let mut claim = Claims::<claims::Account<'_>>::default();
    claim.standard.sub = &sub;
    input(issuer, &claim)
}

fn user(issuer: &PublicKey, subject: &PublicKey) -> Vec<u8> {
    let sub = subject.encode();
    let mut claim = Claims::<claims::User<'_>>::default();
    claim.standard.sub = &sub;
    input(issuer, &claim)
}

#[test]
fn it_signs_accounts_users_and_nonces() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let mut token = open(&emulator);
    let session = unlock(&mut token);
    let operator = generate(&mut token, session, Kind::Operator);
    let signer = generate(&mut token, session, Kind::Account);
    let front = prepared().key;
    let before = signatures(&mut token);
    for (slot, key, message) in [
        (1, operator, account(&operator, &signer)),
        (2, signer, user(&signer, &front)),
        (0, front, NONCE.to_vec()),
    ] {
        let signature = sign(&mut token, session, slot, &message, &mut Finger(&emulator));
        assert!(key.verify(&message, &signature), "slot {slot}");
    }
    assert_eq!(signatures(&mut token), before + 3);
    let other = PublicKey::from_bytes(Kind::Account, [9; 32]);
    // It reads what it signs: an operator signs no nonce, and nobody claims of another issuer.
    for (slot, message, wanted) in [
        (1, NONCE.to_vec(), Code::Language),
        (2, user(&other, &front), Code::Language),
        (0, user(&signer, &front), Code::Language),
    ] {
        let command = Command::Sign {
            slot,
            message: &message,
        };
        let code = refused(&mut token, Some(session), command, &mut ());
        assert_eq!(code, wanted, "slot {slot}");
    }
    assert_eq!(signatures(&mut token), before + 3);
}

#[test]
fn closing_the_line_and_suspending_the_bus_end_the_session() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let mut token = open(&emulator);
    let session = unlock(&mut token);
    drop(token);
    let mut token = open(&emulator);
    let code = refused(&mut token, Some(session), Command::Lock, &mut ());
    assert_eq!(code, Code::Locked);
    unlock(&mut token);
    assert_eq!(token.refresh().expect("an answer").state, State::Unlocked);
    emulator.suspend();
    emulator.pass(20);
    emulator.resume();
    assert_eq!(token.refresh().expect("an answer").state, State::Locked);
    unlock(&mut token);
    emulator.pass(61_000);
    assert_eq!(token.refresh().expect("an answer").state, State::Locked);
}

#[test]
fn pulled_out_it_is_gone() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let mut token = open(&emulator);
    let session = unlock(&mut token);
    let gone = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            emulator.unplug();
        });
        let command = Command::Sign {
            slot: 0,
            message: NONCE,
        };
        token.call(Some(session), command, &mut ()).err()
    });
    assert!(matches!(gone, Some(TokenError::Gone(_))), "{gone:?}");
    drop(token);
    emulator.plug();
    let mut token = open(&emulator);
    let session = unlock(&mut token);
    let signature = sign(&mut token, session, 0, NONCE, &mut Finger(&emulator));
    assert!(prepared().key.verify(NONCE, &signature));
}
