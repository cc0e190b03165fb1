//! `--store openpgp:NAME`: operators, accounts and users whose keys lie on a card.

use crate::bench::{Bench, NONCE, no_card};
use nkey_core::nkey::{Kind, PublicKey};
use nkey_tests::{command, program, root, run, skipped, tool};

impl Bench {
    /// `nkey` at a terminal where the admin PIN is typed when it is asked for; what is shown.
    #[track_caller]
    fn typed(&self, arguments: &str, keys: &[&str]) -> String {
        let mut python = self.gpg.inside(&tool("python").display().to_string());
        python.arg(root().join("tests/python/terminal.py"));
        python
            .arg(program("nkey"))
            .args(arguments.split_whitespace());
        python.env("NKEY_AUTH_SOCK", self.agent.socket());
        python.env("HOME", self.agent.scratch().path());
        let lines = keys.iter().map(|key| format!("\"{key}\\n\"\n"));
        run(&mut python, &lines.collect::<String>()).ok()
    }

    /// The keys that the agent has from the card, by kind.
    fn kinds(&self) -> Vec<Kind> {
        let mut keys = self.client().list().expect("keys");
        keys.retain(|info| info.store == "openpgp:key");
        keys.iter().map(|info| info.key.kind()).collect()
    }
}

#[test]
fn a_whole_operator_lives_on_a_card_and_tokens_near_its_limit_are_warned_of() {
    if no_card() || skipped("python") {
        return;
    }
    for (bench, make) in [
        (Bench::jcecard("limit = 3000"), "init -n acme"),
        (
            Bench::opcard(""),
            "add operator -n acme --generate-signing-key",
        ),
    ] {
        bench.unlock("123456").expect("to unlock");
        let make = format!("{make} --store openpgp:key");
        // A wrong admin PIN makes nothing, and the operator is not there either.
        let told = bench.typed(&make, &["87654321"]);
        let wrong = "the admin PIN is wrong; 2 tries are left";
        assert!(
            told.contains(wrong) && told.ends_with("status 3\n"),
            "{told}"
        );
        bench.nkey("describe operator", "").fails(1);
        // Both keys of the operator, and the admin PIN is asked for once.
        let told = bench.typed(&make, &["12345678"]);
        assert!(told.ends_with("status 0\n"), "{told}");
        assert_eq!(told.matches("admin PIN of the card").count(), 1, "{told}");
        assert!(!told.contains("12345678"), "{told}");
        assert_eq!(bench.kinds(), [Kind::Operator, Kind::Operator]);
        full_and_near_the_limit(&bench);
    }
    // A system account is longer than this card signs, and nothing is made for one.
    let bench = Bench::opcard("");
    bench.unlock("123456").expect("to unlock");
    let told = bench.nkey("init -n acme --store openpgp:key", "").fails(1);
    assert!(
        told.contains("openpgp:key signs at most 1024 bytes") && told.contains("nkey add operator"),
        "{told}"
    );
    assert_eq!(bench.kinds(), []);
    assert_eq!(bench.client().slots("openpgp:key").expect("slots"), []);
}

fn full_and_near_the_limit(bench: &Bench) {
    // No slot is left, and that is said before anybody is asked for a PIN.
    let (sig, aut) = (bench.fingerprint("sig"), bench.fingerprint("aut"));
    for arguments in [
        "add account -n app --store openpgp:key",
        "generate nkey -u --store=openpgp:key",
    ] {
        let told = bench.nkey(arguments, "").fails(1);
        let named = format!("openpgp:key has no free slot: sig holds {sig}, aut holds {aut}");
        assert!(
            told.contains(&named) && told.contains("--overwrite"),
            "{told}"
        );
    }
    // The card signs accounts, whose keys lie in the vault. One of them comes near the limit.
    bench.nkey("add account -n app", "").ok();
    let told = bench.nkey("validate -A", "").ok();
    assert!(!told.contains("little can be added"), "{told}");
    let limit = bench.client().stores().expect("stores")[1].limit as usize;
    let warned = (0..limit).step_by(40).find(|size| {
        let described = "x".repeat(*size + 1);
        let edit = format!("edit account -n app --description {described}");
        bench.nkey(&edit, "").ok();
        let told = bench.nkey("validate -A", "");
        let told = told.stdout + &told.stderr;
        let warning = format!(
            "openpgp:key, which holds its issuer, signs at most {limit}: little can be added"
        );
        told.contains(&warning)
    });
    let warned = warned.expect("a warning before the limit");
    assert!(warned > 0);
    let described = "x".repeat(warned + limit / 8);
    let edit = format!("edit account -n app --description {described}");
    let told = bench.nkey(&edit, "").fails(1);
    assert!(told.contains(&format!("signs at most {limit}")), "{told}");
}

#[test]
fn accounts_and_users_lie_on_a_card() {
    if no_card() || skipped("python") || skipped("jcecard") {
        return;
    }
    for bench in [Bench::opcard(""), Bench::jcecard("")] {
        let told = bench
            .nkey("generate nkey -u --store=openpgp:key", "")
            .fails(4);
        assert!(told.contains("openpgp:key is locked"), "{told}");
        bench.unlock("123456").expect("to unlock");
        bench.nkey("init -n acme", "").ok();
        let told = bench.typed("add account -n app --store openpgp:key", &["12345678"]);
        assert!(told.ends_with("status 0\n"), "{told}");
        assert_eq!(bench.kinds(), [Kind::Account, Kind::Account]);
        bench.nkey("add user -a app -n u1", "").ok();
        bench.nkey("validate -A", "").ok();
    }
    for bench in [Bench::opcard(""), Bench::jcecard("")] {
        bench.unlock("123456").expect("to unlock");
        bench.nkey("init -n acme", "").ok();
        // By the serial number as well.
        let generate = format!(
            "generate nkey -u --store=openpgp:{} --name machine",
            bench.serial
        );
        let told = bench.typed(&generate, &["12345678"]);
        assert!(told.ends_with("status 0\n"), "{told}");
        let key = told.lines().find_map(|line| line.parse::<PublicKey>().ok());
        let key = key.expect("a public key");
        let told = bench.typed("add user -a acme -n u1 --store openpgp:key", &["12345678"]);
        assert!(told.ends_with("status 0\n"), "{told}");
        assert_eq!(bench.kinds(), [Kind::User, Kind::User]);
        bench.nkey("validate -A", "").ok();
        bench.client().sign(&key, NONCE).expect("a signature");
    }
}

/// nsc with an operator and an account of its own in `nsc-store`; how nkey is told.
fn nsc_store(bench: &Bench) -> String {
    let home = bench.agent.scratch().path().to_owned();
    for arguments in ["add operator -n old --sys=false", "add account -n app"] {
        let mut nsc = command(tool("nsc"));
        nsc.env("HOME", &home).current_dir(&home);
        let own = ["--all-dirs", "nsc-store"];
        run(nsc.args(arguments.split(' ')).args(own), "").ok();
    }
    format!("-H {}", home.join("nsc-store").display())
}

#[test]
fn seeds_of_nsc_are_brought_to_a_card() {
    if no_card() || skipped("nsc") {
        return;
    }
    let bench = Bench::opcard("");
    bench.unlock("123456").expect("to unlock");
    let own = nsc_store(&bench);
    let adopt = format!("{own} adopt -A --store openpgp:key --admin-pin-file -");
    let told = bench.nkey(&adopt, "87654321\n");
    assert!(told.stdout.contains("the admin PIN is wrong"), "{told:?}");
    assert!(told.fails(1).contains("not adopted"));
    assert_eq!(bench.kinds(), []);
    let told = bench.nkey(&format!("{adopt} --remove"), "12345678\n").ok();
    assert_eq!(told.matches("imported, proved").count(), 2, "{told}");
    // gpg shows them as keys of its own.
    let status = bench.gpg.status();
    for slot in ["sig", "aut"] {
        let fingerprint = bench.fingerprint(slot);
        assert!(status.contains(&fingerprint), "{fingerprint}: {status}");
    }
    // The card signs for it.
    bench.nkey(&format!("{own} add account -n second"), "").ok();
    bench.nkey(&format!("{own} validate -A"), "").ok();
    let told = bench.nkey(&format!("{own} list keys"), "").ok();
    assert!(told.contains("openpgp:key"), "{told}");
}

#[test]
fn a_card_that_does_not_show_what_it_took_is_named_and_the_files_stay() {
    if no_card() || skipped("nsc") || skipped("jcecard") {
        return;
    }
    // This one keeps no public half of keys that are brought to it.
    let bench = Bench::jcecard("");
    bench.unlock("123456").expect("to unlock");
    let own = nsc_store(&bench);
    let adopt = format!("{own} adopt -A --store openpgp:key --admin-pin-file - --remove");
    let told = bench.nkey(&adopt, "12345678\n");
    assert!(
        told.stdout.contains("does not show its new key"),
        "{told:?}"
    );
    assert!(told.fails(1).contains("no file was deleted"));
    assert_eq!(bench.kinds(), []);
    bench.nkey(&format!("{own} adopt -A"), "").ok();
}
