//! Cards that fail, lie, hang and go away.

use crate::bench::{Bench, NONCE, no_card};
use nkey_agent::message::Status;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_tests::{refusal, skipped, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use std::time::{Duration, Instant};

/// What goes wrong at a signature of any card, and what is said of it.
const WRONG: [(&str, &str); 18] = [
    ("prefix", "only the first 32 of"),
    ("other", "is not that of"),
    ("zeros", "zeros"),
    ("empty", "0 bytes instead of a signature"),
    ("short", "63 bytes instead of a signature"),
    ("6f00", "SW 6F00"),
    ("6a84", "SW 6A84"),
    ("6700", "SW 6700"),
    ("6a88", "no key any more"),
    ("6600", "touch not given"),
    ("6285", "SW 6285"),
    ("6b00", "SW 6B00"),
    ("6cff", "SW 6CFF"),
    ("ffff", "SW FFFF"),
    ("0000", "SW 0000"),
    ("endless", "does not end"),
    ("truncated", "has no status word"),
    ("unplug", "not there"),
];

#[test]
fn a_card_that_fails_or_lies_is_reported_as_what_it_is() {
    if no_card() {
        return;
    }
    let bench = Bench::opcard("");
    fails_and_lies(&bench);
    bench.order("damaged");
    let (_, reason) = refusal(bench.client().slots("openpgp:key"));
    assert!(reason.contains("does not have its form"), "{reason}");
    bench.order("");
    bench.client().slots("openpgp:key").expect("slots");
}

#[test]
fn another_card_that_fails_or_lies_is_reported_as_well() {
    if no_card() || skipped("jcecard") {
        return;
    }
    fails_and_lies(&Bench::jcecard(""));
}

fn fails_and_lies(bench: &Bench) {
    bench.unlock("123456").expect("to unlock");
    let account = bench.generate("sig --account");
    let user = bench.generate("aut --user");
    let other = bench.client().generate(Kind::User, "", 0).expect("a key");
    let claims = format!(r#"{{"sub":"{user}","nats":{{"type":"user"}}}}"#);
    for (word, part) in WRONG {
        bench.order(word);
        let (status, reason) = refusal(bench.client().issue(&account, &claims, 0, 0));
        assert_eq!(status, Status::StoreFailed, "{word}: {reason}");
        assert!(
            reason.contains(part) || (word == "unplug" && reason.contains("removed")),
            "{word}: {reason}"
        );
        bench.client().sign(&other, NONCE).expect("another key");
        if word == "unplug" {
            // pcscd looks every 0.4 s, and must see the empty reader.
            std::thread::sleep(Duration::from_millis(1500));
            let (_, reason) = refusal(bench.client().sign(&user, NONCE));
            let absent = format!("{} is not there", bench.serial);
            assert!(reason.contains(&absent), "{reason}");
        }
        bench.order("");
        wait_for(
            || bench.client().issue(&account, &claims, 0, 0).is_ok(),
            "the card to be there again",
        );
        bench.client().sign(&user, NONCE).expect("a signature");
    }
}

#[test]
fn pulled_out_between_signatures_and_over_a_restart_of_pcscd_the_right_card_signs() {
    if no_card() || skipped("jcecard") {
        return;
    }
    for bench in [Bench::opcard(""), Bench::jcecard("")] {
        bench.unlock("123456").expect("to unlock");
        let user = bench.generate("aut --user");
        let sign = |user: &PublicKey| bench.client().sign(user, NONCE);
        sign(&user).expect("a signature");
        // After one signature and before the next.
        bench.order("unplug");
        wait_for(|| sign(&user).is_err(), "the card to be gone");
        // pcscd looks every 0.4 s, and must see the empty reader.
        std::thread::sleep(Duration::from_millis(1500));
        bench.order("");
        wait_for(|| sign(&user).is_ok(), "the card");
        let before = bench.readers.pcscd();
        let pid = Pid::from_raw(before).expect("a process");
        kill_process(pid, Signal::TERM).expect("to end pcscd");
        wait_for(|| bench.readers.pcscd() != before, "another pcscd");
        wait_for(|| sign(&user).is_ok(), "pcscd to be there again");
    }
}

#[test]
fn a_card_that_hangs_is_given_up_and_delays_nobody() {
    if no_card() || skipped("jcecard") {
        return;
    }
    for bench in [Bench::opcard(""), Bench::jcecard("")] {
        hangs(&bench);
        bench.order("");
    }
}

fn hangs(bench: &Bench) {
    bench.unlock("123456").expect("to unlock");
    let user = bench.generate("aut --user");
    let other = bench.client().generate(Kind::User, "", 0).expect("a key");
    bench.order("hang");
    std::thread::scope(|scope| {
        let hung = scope.spawn(|| refusal(bench.client().sign(&user, NONCE)));
        std::thread::sleep(Duration::from_millis(500));
        let begun = Instant::now();
        bench.client().sign(&other, NONCE).expect("another key");
        assert!(begun.elapsed() < Duration::from_secs(2));
        let (_, reason) = hung.join().expect("a thread");
        assert!(reason.contains("no answer within 10 s"), "{reason}");
    });
}
