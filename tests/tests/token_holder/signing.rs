//! What tokens sign, how much, and for how many at once.

use crate::bench::*;
use nkey_agent::message::Status;
use nkey_core::nkey::Kind;
use nkey_core::policy::{Claims, Kinds, Policy, Presence, Signable};
use nkey_core::token::{Answer, Command};
use nkey_tests::{Scratch, run, server_accepts, skipped};

#[test]
fn operator_account_and_user_are_born_on_a_token_and_a_server_accepts() {
    if skipped("nats-server") {
        return;
    }
    let bench = Bench::blank();
    let row = |at: usize| bench.client().stores().expect("stores").remove(at);
    assert_eq!(row(1).policy, "VIRTUAL; no PIN yet");
    let (_, reason) = refusal(bench.unlock(PIN));
    assert!(reason.contains("nkey token init VIRTUAL-1"), "{reason}");
    bench.init();
    let (status, reason) = refusal(bench.client().generate_in(STORE, Kind::User, "", 0));
    assert_eq!(status, Status::Locked);
    assert!(reason.contains("nkey token unlock VIRTUAL-1"), "{reason}");
    let asked = bench.unlock(PIN).expect("to unlock");
    assert_eq!(
        asked,
        ["PIN of token:one (VIRTUAL-1, a VIRTUAL token, no board; 8 tries are left)"]
    );
    let store = row(1);
    assert_eq!((store.state(), store.limit), ("ready", 32_768));
    assert_eq!(store.policy, "VIRTUAL; PIN, button; 8 tries are left");
    assert!(store.place.starts_with("VIRTUAL, no board: /"), "{store:?}");
    assert!(!store.is_shared() && store.serial == "VIRTUAL-1");

    let operator = bench.generate(Kind::Operator, "OPS");
    let account = bench.generate(Kind::Account, "APP");
    let user = bench.generate(Kind::User, "front");
    let slots = bench.client().slots(STORE).expect("slots");
    let labels: Vec<&str> = slots.iter().map(|slot| slot.label.as_str()).collect();
    let wanted = [
        "OPS: operator, made here",
        "APP: account, made here",
        "front: user, made here",
    ];
    assert_eq!(labels, wanted);
    assert_eq!(slots[1].enrolled, Some(account));
    let keys = bench.client().list().expect("keys");
    assert!(keys.iter().all(|key| key.store == STORE) && keys.len() == 3);
    // A new operator's key signs accounts; its own claims need leave from whoever holds the button.
    let leave = Policy {
        claims: Claims::of(&[Signable::Operator, Signable::Account]),
        kinds: Kinds::of(&[Kind::Operator, Kind::Account]),
        ..Policy::new(Kind::Operator)
    };
    let loosen = Command::Loosen {
        slot: 0,
        policy: leave,
    };
    pass(&mut bench.client(), loosen).expect("to loosen it");
    server_accepts(&bench.agent, &operator, &account, &user);
    let home = Scratch::new();
    for command in ["store list", "agent status"] {
        let text = run(&mut bench.agent.nkey(home.path(), command), "").ok();
        let row = text.lines().find(|line| line.contains(STORE));
        assert!(row.is_some_and(|row| row.contains("VIRTUAL")), "{text}");
    }
    // Any ssh-agent client signs as well; it is told nothing and waits.
    let (mut client, heard) = bench.told();
    let signature = client.sign_standard(&user, NONCE).expect("an answer");
    assert!(signature.is_some() && heard.try_recv().is_err());
}

#[test]
fn the_token_reads_what_it_signs_and_says_why_it_does_not() {
    let bench = Bench::new();
    let operator = bench.generate(Kind::Operator, "OPS");
    let account = bench.generate(Kind::Account, "APP");
    let mut client = bench.client();
    // The agent's own gate first.
    let (status, reason) = refusal(client.sign(&account, NONCE));
    assert!(
        status == Status::Refused && !reason.contains("token:one"),
        "{reason}"
    );
    // Then the token: a new operator's key signs accounts, not operators.
    let claims = format!(r#"{{"sub":"{operator}","nats":{{"type":"operator"}}}}"#);
    let (status, reason) = refusal(client.issue(&operator, &claims, 0, 0));
    assert_eq!(status, Status::Refused);
    assert!(
        reason.starts_with("token:one: the key's policy"),
        "{reason}"
    );
    let user = client.generate(Kind::User, "", 0).expect("a key");
    let bearer = format!(r#"{{"sub":"{user}","nats":{{"bearer_token":true,"type":"user"}}}}"#);
    let (_, reason) = refusal(client.issue(&account, &bearer, 0, 0));
    assert!(reason.contains("no bearer"), "{reason}");
    // Sixteen keys are as many as there are slots.
    for _ in 2..16 {
        bench.generate(Kind::User, "");
    }
    let (status, reason) = refusal(client.generate_in(STORE, Kind::User, "", 0));
    assert!(
        status == Status::Refused && reason.contains("slots are taken"),
        "{reason}"
    );
}

#[test]
fn many_requests_at_once_are_each_pressed_for() {
    let bench = Bench::new();
    let account = bench.generate(Kind::Account, "APP");
    let (mut client, heard) = bench.told();
    let users = client.generate_many(
        Kind::User,
        &[String::new(), String::new(), String::new()],
        0,
    );
    let claims: Vec<String> = users
        .expect("keys")
        .into_iter()
        .map(|user| {
            format!(
                r#"{{"sub":"{}","nats":{{"type":"user"}}}}"#,
                user.expect("a key")
            )
        })
        .collect();
    let issued = client.issue_many(&account, &claims, 0).expect("answers");
    assert!(issued.iter().all(Result::is_ok), "{issued:?}");
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), [PRESS; 3]);
}

#[test]
fn what_is_too_large_is_refused_before_a_pin_is_asked_for() {
    let bench = Bench::new();
    let account = bench.generate(Kind::Account, "APP");
    let user = bench.client().generate(Kind::User, "", 0).expect("a key");
    let mut client = bench.client();
    client.lock_store(STORE).expect("to lock");
    let claims = |size| {
        let name = "x".repeat(size);
        format!(r#"{{"sub":"{user}","name":"{name}","nats":{{"type":"user"}}}}"#)
    };
    let (status, reason) = refusal(client.issue(&account, &claims(30_000), 0, 0));
    assert_eq!(status, Status::TooLarge, "{reason}");
    assert!(reason.contains("token:one signs at most 32768"), "{reason}");
    let (status, _) = refusal(client.issue(&account, &claims(20_000), 0, 0));
    assert_eq!(status, Status::Locked);
    bench.unlock(PIN).expect("to unlock");
    client
        .issue(&account, &claims(20_000), 0, 0)
        .expect("a token");
}

#[test]
fn eight_clients_sign_at_once_and_others_do_not_wait_for_a_press() {
    let mut bench = Bench::new();
    let user = bench.generate(Kind::User, "front");
    let other = bench.client().generate(Kind::User, "", 0).expect("a key");
    let silent = Policy {
        presence: Presence::Never,
        ..Policy::new(Kind::User)
    };
    let loosen = Command::Loosen {
        slot: 0,
        policy: silent,
    };
    pass(&mut bench.client(), loosen).expect("to loosen it");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = bench.client();
                for _ in 0..25 {
                    client.sign(&user, NONCE).expect("a signature");
                }
            });
        }
    });
    let counted = pass(&mut bench.client(), Command::Counters).expect("its counters");
    let counted = postcard::from_bytes(&counted);
    // Two hundred, and the attestation of the enrolment.
    assert!(
        matches!(&counted, Ok(Answer::Counters(counters)) if counters.signatures == 201),
        "{counted:?}"
    );
    // While one request waits for the button, keys elsewhere sign.
    let always = Policy::new(Kind::User);
    let tighten = Command::Tighten {
        slot: 0,
        policy: always,
    };
    pass(&mut bench.client(), tighten).expect("to tighten it");
    bench.replug("ask", &[]);
    bench.unlock(PIN).expect("to unlock");
    let (mut client, heard) = bench.told();
    let signing = std::thread::spawn(move || client.sign(&user, NONCE));
    says(&heard, PRESS);
    let mut client = bench.client();
    for _ in 0..100 {
        client.sign(&other, NONCE).expect("a signature");
    }
    // What is asked of the token meanwhile is answered from what it said last.
    let stores = client.stores().expect("stores");
    assert_eq!(stores[1].state(), "ready", "{stores:?}");
    assert!(!signing.is_finished());
    bench.press();
    signing.join().expect("a thread").expect("a signature");
}
