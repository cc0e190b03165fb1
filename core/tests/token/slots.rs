//! Keys in slots: imported, counted, attested, handed to the backup peer.

use crate::board::Flash;
use crate::host::*;
use crate::rules::signatures;
use nkey_core::nkey::{KeyPair, Kind, Seed};
use nkey_core::token::*;

#[test]
fn keys_are_imported_only_where_init_allowed_it() {
    let seed = [5; 32];
    let import = Command::Import {
        kind: Kind::Account.prefix(),
        seed,
        name: "old",
    };
    let (mut token, session) = ready();
    let key = token.call(Some(session), import).ok().key();
    let pair = KeyPair::from_seed(&Seed::from_bytes(Kind::Account, seed)).unwrap();
    assert_eq!(key, pair.public_key());
    assert_eq!(token.ask(Some(session), import).code(), Some(Code::Exists));
    let zeros = Command::Import {
        kind: Kind::Account.prefix(),
        seed: [0; 32],
        name: "",
    };
    assert_eq!(token.ask(Some(session), zeros).code(), Some(Code::Value));
    let server = Command::Import {
        kind: Kind::Server.prefix(),
        seed,
        name: "",
    };
    assert_eq!(token.ask(Some(session), server).code(), Some(Code::Value));

    let mut token = Token::new(Flash::new());
    token
        .call(
            None,
            Command::Init(Init {
                importable: false,
                ..INIT
            }),
        )
        .ok();
    let session = token.unlock();
    assert_eq!(
        token.ask(Some(session), import).code(),
        Some(Code::NotAllowed)
    );
}

#[test]
fn sixteen_keys_fit() {
    let (mut token, session) = ready();
    for _ in 3..SLOTS {
        token.generate(session, Kind::User);
    }
    let more = Command::Generate {
        kind: Kind::User.prefix(),
        name: "",
        exportable: false,
    };
    assert_eq!(token.ask(Some(session), more).code(), Some(Code::Full));
    token.call(Some(session), Command::Erase { slot: 4 }).ok();
    let reply = token.ask(Some(session), more);
    assert!(matches!(reply.answer(), Answer::Key(key) if key.slot == 4));
    let reply = token.ask(None, Command::List);
    let rows = reply.rows();
    assert_eq!(rows.len(), SLOTS);
    let server = Command::Generate {
        kind: Kind::Server.prefix(),
        name: "",
        exportable: false,
    };
    assert_eq!(token.ask(Some(session), server).code(), Some(Code::Value));
    let long = "n".repeat(NAME_LEN + 1);
    for name in [long.as_str(), "a\nb"] {
        assert_eq!(
            token
                .ask(Some(session), Command::Name { slot: 0, name })
                .code(),
            Some(Code::Value)
        );
    }
    token
        .ask(
            Some(session),
            Command::Name {
                slot: 0,
                name: "billing",
            },
        )
        .ok();
    let reply = token.ask(None, Command::Slot { slot: 0 });
    assert!(
        matches!(reply.answer(), Answer::Slot(details) if details.name == "billing" && details.generation == 0)
    );
}

#[test]
fn an_attestation_is_the_device_keys() {
    let (mut token, session) = ready();
    let hello = token.ask(None, Command::Hello);
    let Answer::Hello(hello) = hello.answer() else {
        panic!()
    };
    let device = hello.device;
    let reply = token.ask(
        Some(session),
        Command::Attest {
            slot: 0,
            challenge: [3; 32],
        },
    );
    let Answer::Attestation {
        statement,
        signature,
    } = reply.answer()
    else {
        panic!()
    };
    let signature = signature.into();
    let attested = read_attestation(&device, statement, &signature).expect("an attestation");
    assert_eq!(
        (attested.slot, attested.counter, attested.challenge),
        (0, 1, [3; 32])
    );
    assert_eq!(
        (attested.firmware, attested.imported, attested.loosened),
        ([0xAB; 32], false, false)
    );
    assert_eq!(signatures(&mut token), 1);
    for at in 0..statement.len() {
        let mut other = statement.to_vec();
        other[at] ^= 1;
        assert_eq!(read_attestation(&device, &other, &signature), None);
    }
    assert_eq!(read_attestation(&[1; 32], statement, &signature), None);
    // A factory reset makes another device.
    token.call(None, Command::Reset).ok();
    let hello = token.ask(None, Command::Hello);
    assert!(
        matches!(hello.answer(), Answer::Hello(hello) if hello.device != device && hello.state == State::Empty)
    );
}

#[test]
fn a_key_goes_to_the_backup_peer_only() {
    let [(mut first, one), (mut second, two)] = peers();
    let make = Command::Generate {
        kind: Kind::Account.prefix(),
        name: "main",
        exportable: true,
    };
    let key = first.call(Some(one), make).ok().key();
    first.generate(one, Kind::Account);
    let export = |slot, pin| Command::Export { slot, pin };
    assert_eq!(
        first.ask(Some(one), export(1, PIN)).code(),
        Some(Code::NotAllowed)
    );
    assert_eq!(
        first.call(Some(one), export(0, b"wrong one")).code(),
        Some(Code::Pin)
    );
    let reply = first.call(Some(one), export(0, PIN)).ok();
    let Answer::Bytes(blob) = reply.answer() else {
        panic!()
    };
    assert_eq!(
        second
            .call(Some(two), Command::Receive { sealed: blob })
            .ok()
            .key(),
        key
    );
    let reply = second.ask(None, Command::Slot { slot: 0 });
    assert!(
        matches!(reply.answer(), Answer::Slot(details) if details.imported && !details.exportable && details.name == "main")
    );
    let message = user(&key, |_| {});
    let signature = second
        .call(
            Some(two),
            Command::Sign {
                slot: 0,
                message: &message,
            },
        )
        .signature();
    assert!(key.verify(&message, &signature));
    // Not to itself, not changed, not twice.
    assert_eq!(
        first
            .ask(Some(one), Command::Receive { sealed: blob })
            .code(),
        Some(Code::Value)
    );
    assert_eq!(
        second
            .ask(Some(two), Command::Receive { sealed: blob })
            .code(),
        Some(Code::Exists)
    );
    second.call(Some(two), Command::Erase { slot: 0 }).ok();
    for at in 0..blob.len() {
        let mut bad = blob.to_vec();
        bad[at] ^= 0x10;
        assert_eq!(
            second
                .ask(Some(two), Command::Receive { sealed: &bad })
                .code(),
            Some(Code::Value),
            "{at}"
        );
        assert_eq!(
            second
                .ask(
                    Some(two),
                    Command::Receive {
                        sealed: &blob[..at]
                    }
                )
                .code(),
            Some(Code::Value),
            "{at}"
        );
    }
    // Without a peer nothing is exportable.
    let (mut token, session) = ready();
    assert_eq!(
        token.ask(Some(session), make).code(),
        Some(Code::NotAllowed)
    );
    assert_eq!(
        token
            .ask(Some(session), Command::Receive { sealed: blob })
            .code(),
        Some(Code::NotAllowed)
    );
}
