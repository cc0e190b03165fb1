//! Tokens that lay in a drawer for years, or were told a wrong time.

use crate::bench::*;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_tests::{Output, Scratch, run};

const DAY: u64 = 86_400;

/// A token that was told this time at `init`, and has an account's key; plugged in since.
fn told(time: u64) -> (Bench, PublicKey) {
    let mut bench = Bench::blank();
    bench.init_at(time);
    bench.unlock(PIN).expect("to unlock");
    let account = bench.generate(Kind::Account, "APP");
    bench.replug("always", &[]);
    (bench, account)
}

fn sign(bench: &Bench, account: &PublicKey) -> Output {
    let home = Scratch::new();
    let user = PublicKey::from_bytes(Kind::User, [9; 32]);
    let claims = format!(r#"{{"sub":"{user}","nats":{{"type":"user"}}}}"#);
    let arguments = format!("sign --key {account}");
    run(&mut bench.agent.nkey(home.path(), &arguments), &claims)
}

#[track_caller]
fn unlocks(bench: &Bench, parts: &[&str]) {
    let said = bench.unlock(PIN).expect("to unlock").join("\n");
    assert!(said.contains("hold the button on token:one"), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    assert_eq!(
        said.contains("it refuses claims"),
        !parts.is_empty(),
        "{said}"
    );
}

#[test]
fn after_years_in_a_drawer_it_follows_by_400_days_a_press() {
    let (mut bench, account) = told(now() - 1_000 * DAY);
    unlocks(&bench, &["plugged", "2 times", "400 days"]);
    let refused = sign(&bench, &account).fails(3);
    assert!(refused.contains("iat"), "{refused}");
    bench.replug("always", &[]);
    unlocks(&bench, &["until it is unplugged and unlocked again"]);
    bench.replug("always", &[]);
    unlocks(&bench, &[]);
    sign(&bench, &account).ok();
}

#[test]
fn a_token_that_was_told_the_future_comes_back() {
    let (mut bench, account) = told(now() + 500 * DAY);
    unlocks(&bench, &["until it is unplugged and unlocked again"]);
    sign(&bench, &account).fails(3);
    bench.replug("always", &[]);
    unlocks(&bench, &[]);
    sign(&bench, &account).ok();
}
