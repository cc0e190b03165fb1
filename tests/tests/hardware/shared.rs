//! What every card must do with a key in each of its two slots.

use crate::bench::Bench;
use nkey_agent::client::Enrol;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_tests::{limit_is_exact, server_accepts, skipped};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const NONCE: &[u8] = b"abcdefghijklmno";
/// How many signatures are made at once, by 8 clients.
const COUNT: usize = 1000;

/// Runs all of it. `read` is another program that reads the card.
pub fn suite(bench: &Bench, read: &(dyn Fn() + Sync)) {
    bench.unlock(&bench.pin).ok();
    let (account, user) = roles(bench);
    let stores = bench.agent.client().stores().expect("stores");
    println!(
        "tokens: {}",
        limit_is_exact(&bench.agent, &account, stores[1].limit as usize)
    );
    eight_clients(bench, &user, read);
    if bench.may_unplug {
        unplug(bench, &user);
    } else {
        println!("pulled out: not tried (it needs a person: add `unplug`)");
    }
    if bench.may_block {
        block(bench, &user);
    } else {
        println!("wrong PIN until it is blocked: not tried (it blocks the PIN: add `block`)");
    }
    println!("a lying card: not tried, since real cards do not lie by order");
}

/// Enrols a slot as a key of this kind.
fn enrol(bench: &Bench, slot: &str, kind: Kind) -> PublicKey {
    let mut client = bench.agent.client();
    let wanted = Enrol {
        store: bench.store,
        slot,
        kind,
        name: slot,
        flags: 0,
        key: None,
    };
    client.enrol(&wanted).expect("to enrol")
}

fn forget(bench: &Bench) {
    let mut client = bench.agent.client();
    for info in client.list().expect("keys") {
        if info.store == bench.store {
            client.remove(&info.key).expect("to forget it");
        }
    }
}

/// Operator and account, then account and user on the card: a real server accepts both.
fn roles(bench: &Bench) -> (PublicKey, PublicKey) {
    let [one, two] = &bench.slots;
    let mut client = bench.agent.client();
    forget(bench);
    let operator = enrol(bench, one, Kind::Operator);
    let account = enrol(bench, two, Kind::Account);
    let user = client.generate(Kind::User, "", 0).expect("a key");
    let is_served = !skipped("nats-server");
    if is_served {
        server_accepts(&bench.agent, &operator, &account, &user);
    }
    forget(bench);
    let account = enrol(bench, one, Kind::Account);
    let user = enrol(bench, two, Kind::User);
    let operator = client.generate(Kind::Operator, "", 0).expect("a key");
    if is_served {
        server_accepts(&bench.agent, &operator, &account, &user);
        println!("operator, account and user: accepted by nats-server");
    }
    let started = Instant::now();
    let signature = client.sign(&user, NONCE).expect("a signature");
    assert!(user.verify(NONCE, &signature));
    println!("a nonce: {:?}", started.elapsed());
    (account, user)
}

fn eight_clients(bench: &Bench, user: &PublicKey, read: &(dyn Fn() + Sync)) {
    let (done, begun) = (AtomicUsize::new(0), Instant::now());
    let mut reads = 0;
    std::thread::scope(|scope| {
        let signers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = bench.agent.client();
                    for _ in 0..COUNT / 8 {
                        client.sign(user, NONCE).expect("a signature");
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        while done.load(Ordering::SeqCst) < COUNT && signers.iter().any(|one| !one.is_finished()) {
            read();
            reads += 1;
        }
    });
    println!(
        "{COUNT} signatures from 8 clients: {:?}; another program read the card {reads} times",
        begun.elapsed()
    );
}

/// Waits until the card signs, or does not: the reason.
fn wait(bench: &Bench, user: &PublicKey, signs: bool) -> String {
    let begun = Instant::now();
    loop {
        let said = bench.agent.client().sign(user, NONCE);
        if said.is_ok() == signs {
            return said
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{said:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// While it signs, before a request, and between two.
fn unplug(bench: &Bench, user: &PublicKey) {
    bench.plugged(false);
    let during = wait(bench, user, false);
    std::thread::sleep(Duration::from_millis(1500));
    let before = wait(bench, user, false);
    for why in [&during, &before] {
        assert!(
            why.contains("not there") || why.contains("removed"),
            "{why}"
        );
    }
    println!("pulled out: {during}; then: {before}");
    bench.plugged(true);
    wait(bench, user, true);
    println!("plugged in again: signs");
}

/// A wrong PIN until it is blocked, and what sets a new one.
fn block(bench: &Bench, user: &PublicKey) {
    let wrong = bench.home.file("wrong-pin", "00009999\n");
    bench.nkey("agent lock").ok();
    let blocked = (0..16).find_map(|_| {
        let told = bench.unlock(&wrong);
        let told = told.stdout + &told.stderr;
        println!("wrong PIN: {}", told.trim());
        told.contains("blocked").then_some(told)
    });
    assert!(blocked.is_some(), "it is never blocked");
    let (puk, pin) = (bench.puk.display(), bench.pin.display());
    let unblock = match bench.store {
        "piv:key" => format!("piv pin {} --unblock --puk-file {puk}", bench.serial),
        _ => format!("openpgp pin {} --unblock --pin-file {puk}", bench.serial),
    };
    bench.nkey(&format!("{unblock} --new-pin-file {pin}")).ok();
    bench.unlock(&bench.pin).ok();
    bench.agent.client().sign(user, NONCE).expect("a signature");
    println!("unblocked: signs");
}
