//! PIV cards: a key is made in one slot and another imported into the second, and both are
//! deleted again.

use crate::bench::{Bench, config};
use crate::shared;
use nkey_agent::device::Ask;
use nkey_core::nkey::{Kind, PublicKey, Seed};
use nkey_tests::{Agent, Output, Readers, Scratch, skipped, wait_for};
use std::str::FromStr;

/// What one extended command carries; more is tried as well, and told.
const LIMIT: usize = 3045;

impl Bench {
    /// `nkey piv VERB SERIAL REST` with the PIN's file.
    fn piv(&self, verb: &str, rest: &str) -> Output {
        let pin = self.pin.display();
        self.nkey(&format!(
            "piv {verb} {} {rest} --pin-file {pin}",
            self.serial
        ))
    }
}

/// The suite; it prints what docs/hardware.md asks for.
fn suite(bench: &Bench) {
    let [made, taken] = &bench.slots;
    let listed = bench.nkey("piv list --plugged").ok();
    let card = listed.lines().find(|line| line.starts_with(&bench.serial));
    println!("card: {}", card.expect("the card is plugged in"));
    let made_key = bench.piv("generate", &format!("{made} --user")).ok();
    let made_key = PublicKey::from_str(made_key.trim()).expect("a key");
    println!("generate in {made}: {made_key}");
    let told = bench.piv("generate", &format!("{made} --user")).fails(1);
    assert!(told.contains("--overwrite"), "{told}");
    let seed = Seed::generate(Kind::User, getrandom::fill).expect("a seed");
    bench.home.file("seed.nk", seed.encode().reveal());
    let taken_key = bench.piv("import", &format!("{taken} seed.nk")).ok();
    let taken_key = PublicKey::from_str(taken_key.trim()).expect("a key");
    assert_eq!(taken_key, seed.public_key());
    println!("import into {taken}: {taken_key}");
    match bench.nkey(&format!("piv attest {} {made}", bench.serial)) {
        Output {
            status: 0, stdout, ..
        } => println!("attestation:\n{stdout}"),
        Output { stderr, .. } => println!("attestation: {stderr}"),
    }
    bench
        .nkey(&format!("piv attest {} {taken}", bench.serial))
        .fails(1);
    let open = Ask::Piv {
        serial: &bench.serial,
    };
    let lengths = [
        1, 2, 127, 128, 246, 247, 254, 255, 256, 510, 1013, 1014, 1015, 2048, LIMIT,
    ];
    bench.lengths(&open, made, &made_key, &lengths);
    shared::suite(bench, &|| drop(bench.nkey("piv list --plugged").ok()));
    for (slot, key) in [(made, made_key), (taken, taken_key)] {
        bench.piv("delete", &format!("{slot} {key}")).ok();
        println!("delete {slot}: done");
    }
}

#[test]
fn the_tests_own_card_passes_the_suite_for_real_ones() {
    if skipped("pcscd") {
        return;
    }
    let mut readers = Readers::new();
    let serial = 34_567_890;
    let orders = readers.add(serial, "5.7.4", &[]);
    let home = Scratch::new();
    let bench = Bench {
        agent: Agent::inside(&readers.script(), &config("piv:key", &serial.to_string())),
        store: "piv:key",
        serial: serial.to_string(),
        slots: ["94".to_owned(), "95".to_owned()],
        pin: home.file("pin", "246802\n"),
        puk: home.file("puk", "13571357\n"),
        home,
        orders: Some(orders),
        may_block: true,
        may_unplug: true,
    };
    let is_there = || {
        bench
            .nkey("piv list --plugged")
            .ok()
            .contains(&bench.serial)
    };
    wait_for(is_there, "the card");
    bench.piv("init", "--puk-file puk").ok();
    suite(&bench);
}

#[test]
#[ignore = "it needs a real card: make test-hardware CARD=serial"]
fn a_real_piv_card_passes_the_suite() {
    suite(&Bench::real("piv:key"));
}
