//! Wrong PINs and new ones.

use crate::bench::{Bench, no_card};
use nkey_agent::message::Status;
use nkey_tests::refusal;

#[test]
fn a_wrong_pin_costs_one_try_until_it_is_blocked_and_the_admin_pin_sets_a_new_one() {
    if no_card() {
        return;
    }
    for bench in [Bench::opcard(""), Bench::jcecard("")] {
        wrong_to_blocked(&bench);
    }
}

fn wrong_to_blocked(bench: &Bench) {
    // Not given to the card.
    let (status, reason) = refusal(bench.unlock("12345"));
    assert!(
        status == Status::Refused && reason.contains("6 to 127 bytes"),
        "{reason}"
    );
    for left in ["2 tries are left", "one try is left"] {
        let (status, reason) = refusal(bench.unlock("654321"));
        assert_eq!(status, Status::Refused);
        assert!(reason.contains(left), "{reason}");
        let stores = bench.client().stores().expect("stores");
        assert!(stores[1].policy.contains(left), "{stores:?}");
    }
    for pin in ["654321", "123456"] {
        let messages = bench.unlock(pin).expect("the others go on");
        let blocked = messages.iter().any(|text| text.contains("blocked"));
        assert!(blocked, "{messages:?}");
    }
    assert!(bench.client().status().expect("its status").is_locked());
    // The admin PIN: wrong once, then right.
    let file = bench.agent.scratch().file("new", "new secret\n");
    let unblock = format!(
        "openpgp pin key --unblock --pin-file - --new-pin-file {}",
        file.display()
    );
    let told = bench.nkey(&unblock, "87654321\n").fails(3);
    assert!(
        told.contains("the admin PIN is wrong; 2 tries are left"),
        "{told}"
    );
    let told = bench.nkey(&unblock, "12345678\n");
    assert!(told.stderr.contains("the PIN was changed"), "{told:?}");
    bench.unlock("new secret").expect("to unlock");
    // And by itself, while the agent has the old one.
    let old = bench.agent.scratch().file("old", "new secret");
    let change = format!(
        "openpgp pin key --pin-file {} --new-pin-file -",
        old.display()
    );
    let told = bench.nkey(&change, "123456\n");
    assert!(told.stderr.contains("still has the old PIN"), "{told:?}");
    let told = bench.nkey(&change, "123456\n").fails(3);
    assert!(
        told.contains("the PIN is wrong; 2 tries are left"),
        "{told}"
    );
    let file = bench.agent.scratch().file("admin", "another admin PIN\n");
    let admin = format!(
        "openpgp pin {} --admin --pin-file - --new-pin-file {}",
        bench.serial,
        file.display()
    );
    let told = bench.nkey(&admin, "12345678\n");
    assert!(
        told.stderr.contains("the admin PIN was changed"),
        "{told:?}"
    );
}
