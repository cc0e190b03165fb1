//! The longest messages, and the stack that they take.

use crate::frames::{Host, request};
use crate::hand::*;
use nkey_agent::token::TokenError;
use nkey_core::claims::{self, Claims, Export, ExportType};
use nkey_core::jwt;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::policy::{Policy, Presence};
use nkey_core::token::{Answer, Command, MAX_MESSAGE};
use nkey_tests::Scratch;

/// What signing and checking may take of the stack.
const STACK: u32 = 12 * 1024;

/// The signing input of an account with so many exports.
fn account(issuer: &PublicKey, exports: usize) -> Vec<u8> {
    let subjects: Vec<String> = (0..exports)
        .map(|number| format!("orders.{number:04}.>"))
        .collect();
    let exports: Vec<Export<'_>> = subjects
        .iter()
        .map(|subject| Export {
            name: subject,
            subject,
            kind: Some(ExportType::Stream),
            ..Export::default()
        })
        .collect();
    let sub = PublicKey::from_bytes(Kind::Account, [9; 32]).encode();
    let mut claim = Claims::<claims::Account<'_>>::default();
    claim.standard.sub = &sub;
    claim.nats.exports = &exports;
    let mut bytes = vec![0; 2 * MAX_MESSAGE];
    let len = jwt::prepare(&claim, issuer, NOW as i64, &mut bytes).expect("a claim");
    bytes.truncate(len);
    bytes
}

#[test]
fn a_message_of_32_kib_is_signed_and_12_kib_of_stack_are_enough() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let mut token = open(&emulator);
    let session = unlock(&mut token);
    let operator = generate(&mut token, session, Kind::Operator);
    let (mut short, mut long, mut too_long) = (Vec::new(), Vec::new(), Vec::new());
    for exports in (0..).step_by(4) {
        too_long = account(&operator, exports);
        if too_long.len() > MAX_MESSAGE {
            break;
        }
        if too_long.len() < 1_000 {
            short.clone_from(&too_long);
        }
        long.clone_from(&too_long);
    }
    assert!((600..1_000).contains(&short.len()), "{}", short.len());
    assert!(long.len() > MAX_MESSAGE - 512, "{}", long.len());
    drop(token);
    emulator.unplug();
    emulator.plug();
    let mut token = open(&emulator);
    let session = unlock(&mut token);
    let before = stack(&emulator);
    for message in [&short, &long] {
        let began = emulator.state()["millis"].as_f64().expect("a number");
        let signature = sign(&mut token, session, 1, message, &mut Finger(&emulator));
        let ended = emulator.state()["millis"].as_f64().expect("a number");
        assert!(operator.verify(message, &signature));
        let deepest = stack(&emulator);
        eprintln!(
            "{} bytes: stack {deepest}, before {before}, {} ms of the chip's",
            message.len(),
            ended - began
        );
        assert!(
            (2_048..=STACK).contains(&deepest),
            "{deepest} bytes of stack"
        );
    }
    let sign = Command::Sign {
        slot: 1,
        message: &too_long,
    };
    // The agent does not even send it.
    let refused = token.call(Some(session), sign, &mut ());
    let len = too_long.len();
    assert!(
        matches!(refused, Err(TokenError::TooLarge(sent, MAX_MESSAGE)) if sent == len),
        "{refused:?}"
    );
}

/// USB is served in an interrupt, on the same stack: while the token signs, packets keep coming.
#[test]
fn interrupts_are_within_the_12_kib_as_well() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let mut token = open(&emulator);
    let session = unlock(&mut token);
    let policy = Policy {
        presence: Presence::Never,
        ..Policy::new(Kind::User)
    };
    let loosen = Command::Loosen { slot: 0, policy };
    done(&mut token, Some(session), loosen, &mut Finger(&emulator));
    drop(token);
    emulator.unplug();
    emulator.plug();
    let mut host = Host::open(&emulator);
    let unlock = Command::Unlock {
        pin: PIN,
        time: NOW,
    };
    host.send(&request(1, None, unlock));
    let session = host.look(|response| match response.answer {
        Answer::Session { session, .. } => session,
        other => panic!("{other:?}"),
    });
    let sign = Command::Sign {
        slot: 0,
        message: NONCE,
    };
    for round in 0..8 {
        host.send(&request(2, Some(session), sign));
        // They come in the middle of it, at another moment in each round.
        std::thread::sleep(std::time::Duration::from_millis(10 * round));
        for id in 3..40 {
            host.send(&request(id, None, Command::Hello));
        }
        let signed = host.look(|response| matches!(response.answer, Answer::Signature(_)));
        assert!(signed);
        for id in 3..40 {
            host.look(|response| assert_eq!(response.id, id));
        }
    }
    let deepest = stack(&emulator);
    eprintln!("stack {deepest}");
    assert!((10_000..=STACK).contains(&deepest), "{deepest}");
}
