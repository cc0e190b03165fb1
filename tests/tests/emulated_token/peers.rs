//! A key that goes from one board to another.

use crate::hand::*;
use nkey_agent::token::Token;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::{Answer, Code, Command, Init, Session};
use nkey_tests::Scratch;
use nkey_tests::emulator::{Emulator, firmware};

/// Initialises a board with the other as its backup peer, and unlocks it.
fn ready(emulator: &Emulator, token: &mut Token, peer: [u8; 32]) -> Session {
    let init = Command::Init(Init {
        pin: PIN,
        time: NOW,
        iterations: 1_000,
        importable: false,
        peer: Some(peer),
        drift_days: 30,
        idle_seconds: 3_600,
    });
    done(token, None, init, &mut Finger(emulator));
    unlock(token)
}

#[test]
fn an_exportable_key_goes_to_the_peer_and_signs_there() {
    let (scratch, other) = (Scratch::new(), Scratch::new());
    let one = Emulator::start(&scratch);
    let two = Emulator::in_folder(other.path(), &firmware(), &["--id", "0102030405060708"]);
    let (mut first, mut second) = (open(&one), open(&two));
    assert_eq!(second.about().serial, "NKEY-0102030405060708");
    let (here, there) = (first.about().device, second.about().device);
    assert_ne!(here, there);
    let session = ready(&one, &mut first, there);
    let backup = ready(&two, &mut second, here);

    let made = |exportable| Command::Generate {
        kind: Kind::User.prefix(),
        name: "front",
        exportable,
    };
    let mut make = |exportable| match first.call(Some(session), made(exportable), &mut ()) {
        Ok(Answer::Key(key)) => key.key,
        other => panic!("{other:?}"),
    };
    let key = make(true);
    make(false);
    let export = |slot, pin| Command::Export { slot, pin };
    let code = refused(&mut first, Some(session), export(1, PIN), &mut ());
    assert_eq!(code, Code::NotAllowed);
    let wrong = export(0, b"wrong horse");
    let code = refused(&mut first, Some(session), wrong, &mut Finger(&one));
    assert_eq!(code, Code::Pin);
    let blob = match first.call(Some(session), export(0, PIN), &mut Finger(&one)) {
        Ok(Answer::Bytes(blob)) => blob.to_vec(),
        other => panic!("{other:?}"),
    };
    eprintln!("{} bytes, stack {}", blob.len(), stack(&one));

    // Neither to the one that sent it, nor changed.
    let receive = |sealed| Command::Receive { sealed };
    let code = refused(&mut first, Some(session), receive(&blob), &mut ());
    assert_eq!(code, Code::Value);
    let mut changed = blob.clone();
    changed[100] ^= 1;
    let code = refused(&mut second, Some(backup), receive(&changed), &mut ());
    assert_eq!(code, Code::Value);
    match second.call(Some(backup), receive(&blob), &mut Finger(&two)) {
        Ok(Answer::Key(received)) => assert_eq!(received.key, key),
        other => panic!("{other:?}"),
    }
    match second.call(None, Command::Slot { slot: 0 }, &mut ()) {
        Ok(Answer::Slot(details)) => {
            assert!(details.imported && !details.exportable && details.name == "front");
        }
        other => panic!("{other:?}"),
    }
    let signature = sign(&mut second, backup, 0, NONCE, &mut Finger(&two));
    assert!(PublicKey::from_bytes(Kind::User, key).verify(NONCE, &signature));
    eprintln!("stack {}", stack(&two));
    for board in [&one, &two] {
        assert!(stack(board) <= 12 * 1024, "{}", stack(board));
        assert_eq!(board.state()["resets"], serde_json::json!([]));
    }
}
