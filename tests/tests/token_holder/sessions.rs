//! Sessions: the PIN, their end, and commands that pass through them.

use crate::bench::*;
use nkey_agent::client::Prompt;
use nkey_agent::message::Status;
use nkey_core::nkey::Kind;
use nkey_core::policy::Policy;
use nkey_core::token::{Answer, Command, State};
use nkey_tests::{Scratch, run, slave, wait_for};
use std::time::Duration;
use zeroize::Zeroizing;

#[test]
fn a_wrong_pin_costs_a_try_until_the_token_is_blocked() {
    let bench = Bench::new();
    bench.client().lock_store(STORE).expect("to lock");
    let (status, reason) = refusal(bench.unlock("short"));
    assert!(
        status == Status::Refused && reason.contains("6 to 64"),
        "{reason}"
    );
    let (status, reason) = refusal(bench.unlock("wrong horse"));
    assert_eq!(status, Status::Refused);
    assert!(
        reason.contains("the PIN is wrong: 7 tries are left"),
        "{reason}"
    );
    let said = bench.unlock(PIN).expect("to unlock");
    assert!(said[0].contains("7 tries are left"), "{said:?}");
    assert_eq!(said[1], "the PIN was right: 8 tries are left again");
    bench.client().lock_store(STORE).expect("to lock");
    for left in (0..8).rev() {
        let (_, reason) = refusal(bench.unlock("wrong horse"));
        assert!(
            reason.contains(&format!("{left} tries are left")),
            "{reason}"
        );
    }
    let (status, reason) = refusal(bench.unlock(PIN));
    assert_eq!(status, Status::StoreFailed);
    assert!(reason.contains("nkey token reset VIRTUAL-1"), "{reason}");
    let stores = bench.client().stores().expect("stores");
    assert_eq!(stores[1].policy, "VIRTUAL; blocked, its keys are lost");
}

#[test]
fn a_token_that_is_pulled_out_before_during_or_after_is_named() {
    let mut bench = Bench::new();
    let user = bench.generate(Kind::User, "front");
    bench.client().sign(&user, NONCE).expect("a signature");
    // After: the session is over, and the PIN is not given again.
    bench.replug("ask", &[]);
    let (status, reason) = refusal(bench.client().sign(&user, NONCE));
    assert_eq!(status, Status::Locked);
    assert!(reason.contains("nkey token unlock VIRTUAL-1"), "{reason}");
    let home = Scratch::new();
    let claims = format!(r#"{{"sub":"{user}","nats":{{"type":"user"}}}}"#);
    let account = bench
        .client()
        .generate(Kind::Account, "A", 0)
        .expect("a key");
    run(
        &mut bench
            .agent
            .nkey(home.path(), &format!("sign --key {account}")),
        &claims,
    )
    .ok();
    // During.
    bench.unlock(PIN).expect("to unlock");
    let (mut client, heard) = bench.told();
    let signing = std::thread::spawn(move || client.sign(&user, NONCE));
    says(&heard, PRESS);
    bench.token.take();
    let (status, reason) = refusal(signing.join().expect("a thread"));
    assert_eq!(status, Status::StoreFailed);
    assert!(reason.contains("it is gone"), "{reason}");
    // Before.
    let (status, _) = refusal(bench.client().sign(&user, NONCE));
    assert_eq!(status, Status::Locked);
    let (status, reason) = refusal(bench.unlock(PIN));
    assert_eq!(status, Status::StoreFailed);
    assert!(reason.contains("gone"), "{reason}");
    assert_eq!(
        bench.client().stores().expect("stores")[1].state(),
        "absent"
    );
    // And back.
    bench.replug("always", &[]);
    bench.unlock(PIN).expect("to unlock");
    bench.client().sign(&user, NONCE).expect("a signature");
}

/// Locks the store while the PIN is asked for.
struct Locks<'a>(&'a Bench);

impl Prompt for Locks<'_> {
    fn message(&mut self, _text: &str) {}

    fn secret(&mut self, _text: &str) -> Option<Zeroizing<String>> {
        self.0.client().lock_store(STORE).expect("to lock");
        Some(Zeroizing::new(PIN.to_owned()))
    }

    fn public(&mut self, _text: &str) -> Option<String> {
        None
    }

    fn confirm(&mut self, _text: &str) -> Option<bool> {
        None
    }
}

fn state(bench: &Bench) -> State {
    let hello = bench.client().token(STORE, &[0]).expect("an answer");
    match postcard::from_bytes(&hello) {
        Ok(Answer::Hello(hello)) => hello.state,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_lock_while_the_pin_is_asked_for_wins() {
    let bench = Bench::new();
    bench.client().lock_store(STORE).expect("to lock");
    let told = bench.client().unlock_store(STORE, &mut Locks(&bench));
    let (_, reason) = refusal(told.map(drop));
    assert!(reason.contains("it was locked while"), "{reason}");
    assert!(bench.client().status().expect("its status").is_locked());
    assert_eq!(state(&bench), State::Locked);
    bench.unlock(PIN).expect("to unlock");
}

#[test]
fn a_session_ends_though_the_line_stays_up() {
    let bench = Bench::new();
    bench.client().lock_store(STORE).expect("to lock");
    // While somebody else has the port open, closing it drops no DTR.
    let other = slave(&bench.scratch.path().join("line"));
    bench.unlock(PIN).expect("to unlock");
    assert_eq!(state(&bench), State::Unlocked);
    bench.client().lock_store(STORE).expect("to lock");
    assert_eq!(state(&bench), State::Locked);
    drop(other);
}

#[test]
fn an_idle_or_spent_session_ends_with_exit_4_and_the_command_to_type() {
    let mut bench = Bench::new();
    let account = bench.generate(Kind::Account, "APP");
    let user = bench.client().generate(Kind::User, "", 0).expect("a key");
    let claims = format!(r#"{{"sub":"{user}","nats":{{"type":"user"}}}}"#);
    let home = Scratch::new();
    let sign = |bench: &Bench| {
        let arguments = format!("sign --key {account}");
        run(&mut bench.agent.nkey(home.path(), &arguments), &claims)
    };
    let output = sign(&bench);
    assert!(output.stderr.contains(PRESS), "{output:?}");
    output.ok();
    let mut scratch = [0; 1024];
    let policy = policy(&bench, &mut scratch);
    let spent = Policy {
        budget: Some(1),
        ..policy
    };
    let tighten = Command::Tighten {
        slot: 0,
        policy: spent,
    };
    pass(&mut bench.client(), tighten).expect("to tighten it");
    bench.unlock(PIN).expect("a session of its own is open");
    bench.client().lock_store(STORE).expect("to lock");
    bench.unlock(PIN).expect("to unlock");
    sign(&bench).ok();
    let told = sign(&bench).fails(4);
    assert!(told.contains("nkey token unlock VIRTUAL-1"), "{told}");
    // A minute, here three seconds.
    bench.replug("always", &["--speed", "20"]);
    bench.unlock(PIN).expect("to unlock");
    std::thread::sleep(Duration::from_millis(3_500));
    let told = sign(&bench).fails(4);
    assert!(told.contains("nkey token unlock VIRTUAL-1"), "{told}");
    wait_for(
        || bench.client().status().expect("its status").is_locked(),
        "the agent to close the port",
    );
}

/// The policy of slot 0.
fn policy<'a>(bench: &Bench, scratch: &'a mut [u8]) -> Policy<'a> {
    let answer = pass(&mut bench.client(), Command::Slot { slot: 0 }).expect("the slot");
    scratch[..answer.len()].copy_from_slice(&answer);
    match postcard::from_bytes(&scratch[..answer.len()]) {
        Ok(Answer::Slot(details)) => details.policy,
        other => panic!("{other:?}"),
    }
}

#[test]
fn commands_are_passed_on_but_none_that_signs() {
    let bench = Bench::new();
    let user = bench.generate(Kind::User, "front");
    let mut client = bench.client();
    let sign = Command::Sign {
        slot: 0,
        message: NONCE,
    };
    let (status, reason) = refusal(pass(&mut client, sign));
    assert!(
        status == Status::Refused && reason.contains("sign-v1"),
        "{reason}"
    );
    let unlock = Command::Unlock {
        pin: PIN.as_bytes(),
        time: now(),
    };
    let (_, reason) = refusal(pass(&mut client, unlock));
    assert!(reason.contains("unlock-v2"), "{reason}");
    let (_, reason) = refusal(client.token(STORE, &[200]));
    assert!(reason.contains("no command"), "{reason}");
    let (_, reason) = refusal(client.token("vault", &[0]));
    assert!(reason.contains("no token"), "{reason}");
    // Named by its serial number as well.
    let hello = client.token("VIRTUAL-1", &[0]).expect("an answer");
    let hello = postcard::from_bytes(&hello);
    assert!(matches!(hello, Ok(Answer::Hello(hello)) if hello.serial == "VIRTUAL-1"));
    // A held button is announced.
    let (mut told, heard) = bench.told();
    let change = Command::ChangePin {
        old: PIN.as_bytes(),
        new: b"better staple",
    };
    pass(&mut told, change).expect("another PIN");
    pass(&mut told, Command::Erase { slot: 0 }).expect("to erase it");
    says(&heard, "hold the button on token:one (VIRTUAL-1) for 3 s");
    let (_, reason) = refusal(client.sign(&user, NONCE));
    assert!(reason.contains("slot 0 is free"), "{reason}");
    client.lock_store(STORE).expect("to lock");
    refusal(bench.unlock(PIN));
    bench.unlock("better staple").expect("to unlock");
    client.lock_store(STORE).expect("to lock");
    let (status, reason) = refusal(pass(&mut client, Command::Erase { slot: 0 }));
    assert_eq!(status, Status::Locked);
    assert!(reason.contains("nkey token unlock VIRTUAL-1"), "{reason}");
}
