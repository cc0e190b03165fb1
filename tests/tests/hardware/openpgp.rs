//! OpenPGP cards: a key is made in each of the two slots. They stay, since such a card deletes
//! no single key; `slot=FINGERPRINT` says which key may be lost for one.

use crate::bench::{Bench, config};
use crate::shared;
use nkey_agent::device::Ask;
use nkey_core::nkey::PublicKey;
use nkey_tests::{Agent, Readers, Scratch, run, skipped, wait_for};
use std::path::PathBuf;
use std::process::Command;

impl Bench {
    fn generate(&self, slot: &str, kind: &str, replace: Option<&str>) -> PublicKey {
        let replace = replace.map_or(String::new(), |key| format!("--overwrite {key}"));
        self.key(&format!(
            "openpgp generate key {slot} --{kind} --admin-pin-file {} {replace}",
            self.puk.display()
        ))
    }

    /// gpg with a folder of its own.
    fn gnupg(&self, program: &str) -> Command {
        let mut gpg = self.command(program);
        gpg.env("GNUPGHOME", self.home.path().join("gnupg"));
        gpg
    }
}

/// The suite; it prints what docs/hardware.md asks for.
fn suite(mut bench: Bench) {
    println!(
        "{}",
        bench.nkey(&format!("openpgp info {}", bench.serial)).ok()
    );
    bench.unlock(&bench.pin).ok();
    let named = bench.slots.clone();
    let mut keys = Vec::new();
    for (at, kind) in ["account", "user"].into_iter().enumerate() {
        let (slot, replace) = match named[at].split_once('=') {
            Some((slot, key)) => (slot, Some(key)),
            None => (named[at].as_str(), None),
        };
        let key = bench.generate(slot, kind, replace);
        println!("generate in {slot}: {key}");
        let again = format!(
            "openpgp generate key {slot} --{kind} --admin-pin-file {}",
            bench.puk.display()
        );
        assert!(bench.nkey(&again).fails(1).contains("--overwrite"));
        bench.slots[at] = slot.to_owned();
        keys.push(key);
    }
    let limit = bench.agent.client().stores().expect("stores")[1].limit as usize;
    let open = Ask::OpenPgp {
        serial: &bench.serial,
    };
    let mut lengths = vec![1, 2, 127, 128, 254, 255, 256, 510, 1013, limit];
    lengths.retain(|length| *length <= limit);
    bench.lengths(&open, &bench.slots[1], &keys[1], &lengths);
    bench
        .home
        .file("gnupg/scdaemon.conf", "disable-ccid\npcsc-shared\n");
    shared::suite(&bench, &|| {
        // It takes the first card that it finds: that it asked is enough.
        run(bench.gnupg("gpg").args(["--batch", "--card-status"]), "");
    });
    run(bench.gnupg("gpgconf").args(["--kill", "all"]), "");
    println!(
        "{}",
        bench.nkey(&format!("openpgp info {}", bench.serial)).ok()
    );
}

/// The suite on a card of the tests' own.
fn virtual_card(readers: Readers, orders: PathBuf, serial: &str) {
    let home = Scratch::new();
    std::fs::create_dir(home.path().join("gnupg")).expect("a folder");
    let bench = Bench {
        agent: Agent::inside(&readers.script(), &config("openpgp:key", serial)),
        store: "openpgp:key",
        serial: serial.to_owned(),
        slots: ["sig".to_owned(), "aut".to_owned()],
        pin: home.file("pin", "123456\n"),
        puk: home.file("puk", "12345678\n"),
        home,
        orders: Some(orders),
        may_block: true,
        may_unplug: true,
    };
    let is_there = || bench.nkey("openpgp list").ok().contains(&bench.serial);
    wait_for(is_there, "the card");
    suite(bench);
}

#[test]
fn nitrokeys_applet_passes_the_suite_for_real_ones() {
    if skipped("pcscd") || skipped("nkey-test-opcard") {
        return;
    }
    let mut readers = Readers::new();
    let serial = "000F:0000A1B2";
    let orders = readers.add_opcard(serial);
    virtual_card(readers, orders, serial);
}

#[test]
fn jcecard_passes_the_suite_for_real_ones() {
    if skipped("pcscd") || skipped("jcecard") {
        return;
    }
    let mut readers = Readers::new();
    let orders = readers.add_jcecard();
    virtual_card(readers, orders, "0000:00000001");
}

#[test]
#[ignore = "it needs a real card: make test-hardware CARD=MANUFACTURER:SERIAL"]
fn a_real_openpgp_card_passes_the_suite() {
    let bench = Bench::real("openpgp:key");
    std::fs::create_dir(bench.home.path().join("gnupg")).expect("a folder");
    suite(bench);
}
