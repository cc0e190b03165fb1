//! Cards that want to be touched.

use crate::bench::{Bench, NONCE, no_card};
use nkey_tests::{Notices, refusal};
use std::time::Duration;

#[test]
fn touch_is_shown_and_a_missing_one_is_named() {
    if no_card() {
        return;
    }
    let bench = Bench::opcard("");
    bench.unlock("123456").expect("to unlock");
    let account = bench.generate("sig --account");
    let user = bench.generate("aut --user");
    // UIF of the signature key: on. PW3 first.
    let told = bench.apdus(&[
        "00:20:00:83:08:31:32:33:34:35:36:37:38",
        "00:DA:00:D6:02:01:20",
        "00:20:FF:83",
    ]);
    assert_eq!(told.matches("SW1=0x90, SW2=0x00").count(), 4, "{told}");
    let slots = bench.client().slots("openpgp:key").expect("slots");
    assert_eq!(slots[0].label, "signature, touch on");
    let told = bench.nkey("openpgp info key", "").ok();
    assert!(told.contains("sig") && told.contains(" on "), "{told}");
    let claims = format!(r#"{{"sub":"{account}","nats":{{"type":"account"}}}}"#);
    // It is announced, for the key that wants it.
    let mut client = bench.client();
    let notices = Notices::of(&mut client);
    client.sign(&user, NONCE).expect("a signature");
    assert_eq!(notices.take(), [""; 0]);
    client.issue(&account, &claims, 0, 0).expect("touched");
    let told = notices.take();
    assert!(
        told.len() == 1 && told[0].starts_with("touch openpgp:key"),
        "{told:?}"
    );
    bench.order("untouched");
    let (_, reason) = refusal(bench.client().issue(&account, &claims, 0, 0));
    assert!(reason.contains("touch not given"), "{reason}");
}

#[test]
fn a_touch_that_other_software_asks_for_meanwhile_is_announced() {
    if no_card() {
        return;
    }
    let bench = Bench::opcard("");
    bench.unlock("123456").expect("to unlock");
    let user = bench.generate("aut --user");
    let mut client = bench.client();
    let notices = Notices::of(&mut client);
    client.sign(&user, NONCE).expect("a signature");
    assert_eq!(notices.take(), [""; 0]);
    // UIF of the authentication key: on. The agent is told nothing.
    let answer = bench.apdus(&[
        "00:20:00:83:08:31:32:33:34:35:36:37:38",
        "00:DA:00:D8:02:01:20",
        "00:20:FF:83",
    ]);
    assert_eq!(answer.matches("SW1=0x90, SW2=0x00").count(), 4, "{answer}");
    std::thread::sleep(Duration::from_millis(1100));
    client.sign(&user, NONCE).expect("touched");
    let told = notices.take();
    assert!(
        told.len() == 1 && told[0].starts_with("touch openpgp:key"),
        "{told:?}"
    );
}
