//! Signatures, limits, and which card it is.

use crate::bench::{Bench, NONCE, OTHER, SERIAL, bytes, no_card};
use nkey_agent::message::Status;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_tests::{Agent, Gpg, Readers, refusal, run, server_accepts, skipped, wait_for};

/// Operator and user on the card, with each of its keys in turn: a real server accepts both.
fn both_keys_sign_for_a_server(bench: &Bench) {
    let (status, _) = refusal(bench.enrol("sig", Kind::Operator));
    assert_eq!(status, Status::Locked);
    let told = bench.nkey(
        "openpgp generate key sig -o --admin-pin-file -",
        "12345678\n",
    );
    assert!(told.fails(4).contains("openpgp:key is locked"));
    let asked = bench.unlock("123456").expect("to unlock");
    assert!(
        asked[0].starts_with("PIN of openpgp:key (OpenPGP 3.4 of "),
        "{asked:?}"
    );
    let operator = bench.generate("sig --operator --name OPS");
    let account = bench.generate("aut --account --name APP");
    let user = bench.client().generate(Kind::User, "", 0).expect("a key");
    server_accepts(&bench.agent, &operator, &account, &user);
    // The other way round: the same keys as those of another account and its user.
    let mut client = bench.client();
    client.remove(&operator).expect("to forget it");
    client.remove(&account).expect("to forget it");
    let account = bench.enrol("sig", Kind::Account).expect("to enrol");
    let user = bench.enrol("aut", Kind::User).expect("to enrol");
    let operator = client.generate(Kind::Operator, "", 0).expect("a key");
    server_accepts(&bench.agent, &operator, &account, &user);
    let signature = client.sign(&user, NONCE).expect("a signature");
    assert!(user.verify(NONCE, &signature));
    // gpg sees the keys that we made.
    let status = bench.gpg.status();
    for slot in ["sig", "aut"] {
        let fingerprint = bench.fingerprint(slot);
        assert_eq!(fingerprint.len(), 40);
        assert!(status.contains(&fingerprint), "{fingerprint}: {status}");
    }
    let stores = client.stores().expect("stores");
    assert!(stores[1].is_shared(), "{stores:?}");
    assert_eq!(
        (stores[1].state(), stores[1].serial.as_str()),
        ("ready", bench.serial.as_str())
    );
}

#[test]
fn nitrokeys_applet_signs_for_a_server_and_its_limit_is_exact() {
    if no_card() || skipped("nats-server") {
        return;
    }
    let bench = Bench::opcard("");
    both_keys_sign_for_a_server(&bench);
    let slots = bench.client().slots("openpgp:key").expect("slots");
    assert_eq!(slots[0].label, "signature, touch off");
    let account = slots[0].enrolled.expect("an account");
    let user = slots[1].enrolled.expect("a user");
    let (longest, status, reason) = bench.limit(&account, &user);
    assert_eq!(status, Status::TooLarge, "{reason}");
    assert!(
        reason.contains("openpgp:key signs at most 1024"),
        "{reason}"
    );
    assert!((1020..=1024).contains(&longest), "{longest}");
}

#[test]
fn jcecard_signs_for_a_server_and_a_longer_limit_can_be_named() {
    if no_card() || skipped("jcecard") || skipped("nats-server") {
        return;
    }
    let bench = Bench::jcecard("limit = 3000");
    both_keys_sign_for_a_server(&bench);
    let slots = bench.client().slots("openpgp:key").expect("slots");
    let account = slots[0].enrolled.expect("an account");
    let user = slots[1].enrolled.expect("a user");
    let (longest, status, reason) = bench.limit(&account, &user);
    assert_eq!(status, Status::TooLarge, "{reason}");
    assert!((2995..=3000).contains(&longest), "{longest}");
}

#[test]
fn a_length_that_the_card_refuses_is_named() {
    if no_card() {
        return;
    }
    let bench = Bench::opcard("limit = 2000");
    bench.unlock("123456").expect("to unlock");
    let account = bench.generate("sig --account");
    let user = bench.generate("aut --user");
    // 1,024 bytes pass, the next length that base64 gives does not.
    let (longest, status, reason) = bench.limit(&account, &user);
    assert_eq!(status, Status::StoreFailed, "{reason}");
    assert!((1020..=1024).contains(&longest), "{longest}");
    let tried = (1025..1030).find(|tried| reason.contains(&format!("{tried} bytes")));
    assert!(tried.is_some() && reason.contains("SW 6A84"), "{reason}");
    bench.client().sign(&user, NONCE).expect("a signature");
}

#[test]
fn cards_are_told_apart_and_an_absent_one_is_named() {
    if no_card() {
        return;
    }
    let mut readers = Readers::new();
    readers.add_opcard(OTHER);
    let orders = readers.add_opcard(SERIAL);
    // The serial number alone, in small letters, is enough.
    let config = "[openpgp.absent]\nserial = \"000F:00000001\"\n[openpgp.key]\nserial = \"0000a1b2\"\n[openpgp.other]\nserial = \"D276000124010304000F0000A1B30000\"\n[openpgp.wrong]\nserial = \"12345\"\n";
    let agent = Agent::inside(&readers.script(), config);
    let bench = Bench {
        gpg: Gpg::beside(&agent),
        agent,
        orders,
        serial: SERIAL.to_owned(),
        readers,
    };
    let serial = |at: usize| bench.client().stores().expect("stores")[at].serial.clone();
    wait_for(|| serial(2) == SERIAL && serial(3) == OTHER, "both cards");
    let stores = bench.client().stores().expect("stores");
    let absent = &stores[1].why;
    assert!(
        absent.contains("000F:00000001 is not there: there are") && absent.contains(OTHER),
        "{absent}"
    );
    assert!(stores[4].why.contains("12345 is no serial number"));
    let told = bench.nkey("openpgp list --json", "").ok();
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told[0]["serial"], OTHER);
    assert_eq!(told[0]["store"], "openpgp:other");
    assert_eq!(told[1]["serial"], SERIAL);
    assert_eq!(told[1]["store"], "openpgp:key");
    bench.unlock("123456").expect("to unlock");
    let key = bench.generate("aut --user");
    let told = bench
        .nkey(
            "openpgp generate other aut --user --admin-pin-file -",
            "12345678\n",
        )
        .ok();
    let other: PublicKey = told.trim().parse().expect("a public key");
    assert_ne!(key, other);
    for key in [key, other, key] {
        bench.client().sign(&key, NONCE).expect("a signature");
    }
    let told = bench.nkey("openpgp info nobody", "").fails(1);
    assert!(told.contains("neither a card"), "{told}");
    let told = bench.nkey("openpgp info 000F:00000001", "").fails(1);
    assert!(told.contains("is not there"), "{told}");
}

#[test]
fn a_card_that_wants_its_pin_hashed_gets_it_hashed() {
    if no_card() {
        return;
    }
    let bench = Bench::opcard("");
    // gpg switches hashing on; the PINs stay as people type them.
    let mut gpg = bench.gpg.inside("gpg");
    gpg.args(["--no-tty", "--command-fd=0", "--status-fd=2", "--card-edit"]);
    let told = run(&mut gpg, "admin\nkdf-setup\nquit\n");
    let status = bench.gpg.status();
    assert!(status.contains("kdf:on"), "{told:?}\n{status}");
    // Cards set the PINs to the hashes that gpg gave, 87 and 88; this one leaves that to us.
    let read = bench.apdus(&["00:CA:00:F9:00"]);
    let given = bytes(&read);
    let hash = |tag: u8| {
        let at = given.windows(2).position(|head| head == [tag, 32]);
        let at = at.expect("a hash") + 2;
        let hash: Vec<String> = given[at..at + 32]
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        hash.join(":")
    };
    let (user, admin) = (hash(0x87), hash(0x88));
    let told = bench.apdus(&[
        &format!("00:24:00:81:26:31:32:33:34:35:36:{user}"),
        &format!("00:24:00:83:28:31:32:33:34:35:36:37:38:{admin}"),
    ]);
    assert_eq!(told.matches("SW1=0x90, SW2=0x00").count(), 3, "{told}");
    let (_, reason) = refusal(bench.unlock("654321"));
    assert!(reason.contains("2 tries are left"), "{reason}");
    bench.unlock("123456").expect("to unlock");
    let user = bench.generate("aut --user");
    bench.client().sign(&user, NONCE).expect("a signature");
}
