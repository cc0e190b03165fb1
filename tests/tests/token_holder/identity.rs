//! Which token and which key it is, and tokens that lie about it.

use crate::bench::*;
use nkey_agent::client::{Client, Enrol};
use nkey_agent::message::Status;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::{Answer, Command};
use nkey_tests::virtual_token::Running;
use nkey_tests::{Agent, Scratch};

#[test]
fn another_key_in_the_slot_or_another_device_is_refused_and_both_are_shown() {
    let bench = Bench::new();
    let user = bench.generate(Kind::User, "front");
    let mut client = bench.client();
    pass(&mut client, Command::Erase { slot: 0 }).expect("to erase it");
    let command = Command::Generate {
        kind: Kind::User.prefix(),
        name: "other",
        exportable: false,
    };
    let other = pass(&mut client, command).expect("another key");
    let other = match postcard::from_bytes(&other) {
        Ok(Answer::Key(key)) => PublicKey::from_bytes(Kind::User, key.key),
        answer => panic!("{answer:?}"),
    };
    let (status, reason) = refusal(client.sign(&user, NONCE));
    assert_eq!(status, Status::StoreFailed);
    for part in [user, other] {
        assert!(reason.contains(&part.to_string()), "{reason}");
    }
    let enrol = |client: &mut Client, slot, kind| {
        client.enrol(&Enrol {
            store: STORE,
            slot,
            kind,
            name: "",
            flags: 0,
            key: None,
        })
    };
    let (_, reason) = refusal(enrol(&mut client, "0", Kind::Account));
    assert!(reason.contains("the user key"), "{reason}");
    assert_eq!(
        enrol(&mut client, "other", Kind::User).expect("to enrol"),
        other
    );
    client.sign(&other, NONCE).expect("a signature");

    // A factory reset makes another device, whose keys cannot stand beside those of the first.
    pass(&mut client, Command::Reset).expect("to reset it");
    bench.init();
    let said = bench.unlock(PIN).expect("to unlock");
    assert!(
        said[0].contains("its enrolled keys were pinned with N"),
        "{said:?}"
    );
    let (_, reason) = refusal(client.sign(&other, NONCE));
    assert!(
        reason.contains("device key is N") && reason.contains("not the pinned N"),
        "{reason}"
    );
    let (_, reason) = refusal(client.generate_in(STORE, Kind::User, "", 0));
    assert!(reason.contains("a key was made in slot 0"), "{reason}");
    assert!(reason.contains("were pinned with N"), "{reason}");
    for key in [user, other] {
        client.remove(&key).expect("to remove it");
    }
    let third = enrol(&mut client, "0", Kind::User).expect("to enrol");
    client.sign(&third, NONCE).expect("a signature");
}

#[test]
fn a_lying_token_is_noticed_whatever_it_lies_about() {
    let mut bench = Bench::new();
    let user = bench.generate(Kind::User, "front");
    for (lie, part) in [
        ("signature", "is not that of"),
        ("key", "not the pinned"),
        ("device", "not the pinned"),
        ("serial", "this is the token VIRTUAL-OTHER, not VIRTUAL-1"),
        ("protocol", "versions 200 to 201"),
        ("id", "does not answer as a token does"),
        ("noise", "does not answer as a token does"),
        ("endless", "does not answer as a token does"),
        ("attestation", "not signed by its device key"),
    ] {
        bench.replug("always", &["--lie", lie]);
        let told = match bench.unlock(PIN) {
            Err(error) => Err(error),
            Ok(_) if lie == "attestation" => bench
                .client()
                .generate_in(STORE, Kind::User, "", 0)
                .map(drop),
            Ok(_) => bench.client().sign(&user, NONCE).map(drop),
        };
        let (status, reason) = refusal(told);
        assert_eq!(status, Status::StoreFailed, "{lie}: {reason}");
        assert!(reason.contains(part), "{lie}: {reason}");
    }
}

#[test]
fn a_virtual_token_is_refused_without_leave_by_name() {
    let scratch = Scratch::new();
    let _token = Running::start(&scratch, true, "always", &[]);
    for leave in ["", "allow_virtual = \"VIRTUAL-2\"\n"] {
        let agent = Agent::with_holders(&config(&scratch, leave));
        let store = agent.client().stores().expect("stores").remove(1);
        assert_eq!(store.state(), "absent");
        assert!(
            store.why.contains("VIRTUAL-1 is a VIRTUAL token"),
            "{store:?}"
        );
        let mut prompt = Pin(PIN, Vec::new());
        let told = agent.client().unlock_store(STORE, &mut prompt).map(drop);
        let (_, reason) = refusal(told);
        assert!(reason.contains("allow it by name"), "{reason}");
        assert_eq!(prompt.1, Vec::<String>::new(), "the PIN was asked for");
    }
}
