//! Managing PIV cards of the tests' own with `nkey piv`, beside Yubico's ykman.

use nkey_agent::client::Enrol;
use nkey_agent::wire::Writer;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_tests::{
    Agent, Notices, Output, Readers, Scratch, attestors, command, program, run, skipped, tool,
    wait_for,
};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SERIAL: u32 = 23_456_789;

/// An agent beside one card, which comes as from a shop.
struct Bench {
    agent: Agent,
    home: Scratch,
    orders: PathBuf,
    _readers: Readers,
}

impl Bench {
    fn new(slots: &[(u8, u8)]) -> Bench {
        Bench::with(slots, "5.7.4", None)
    }

    fn with(slots: &[(u8, u8)], version: &str, attestors: Option<&Scratch>) -> Bench {
        let mut readers = Readers::new();
        readers.add(SERIAL + 1, "5.7.1", &[(0x9a, 9)]);
        let folder = attestors.map(Scratch::path);
        let orders = readers.add_attesting(SERIAL, version, slots, folder);
        let config = format!("[piv.key]\nserial = \"{SERIAL}\"\npatience = 5\n");
        let bench = Bench {
            agent: Agent::inside(&readers.script(), &config),
            home: Scratch::new(),
            orders,
            _readers: readers,
        };
        for (name, text) in [
            ("pin", "123456"),
            ("puk", "12345678"),
            ("new-pin", "246802\n"),
            ("new-puk", "13571357\n"),
            ("wrong", "999999\n"),
        ] {
            bench.home.file(name, text);
        }
        wait_for(
            || {
                bench
                    .nkey("piv list --plugged")
                    .ok()
                    .contains(&SERIAL.to_string())
            },
            "the card",
        );
        bench
    }

    fn order(&self, word: &str) {
        std::fs::write(&self.orders, word).expect("an order");
    }

    /// A program in the place of the agent, where the readers are.
    fn inside(&self, program: impl AsRef<Path>) -> Command {
        let mut inside = self.agent.beside(program, self.home.path());
        inside.env("NKEY_AUTH_SOCK", self.agent.socket());
        inside.env("HOME", self.home.path());
        inside
    }

    /// `arguments` divided by spaces; `CARD` stands for the serial number.
    fn nkey(&self, arguments: &str) -> Output {
        let arguments = arguments.replace("CARD", &SERIAL.to_string());
        let mut nkey = self.inside(program("nkey"));
        run(nkey.args(arguments.split_whitespace()), "")
    }

    fn ykman(&self, arguments: &str) -> Output {
        let mut ykman = self.inside(tool("ykman"));
        ykman.args(["--device", &SERIAL.to_string()]);
        run(ykman.args(arguments.split_whitespace()), "")
    }

    fn key(&self, arguments: &str) -> PublicKey {
        let output = self.nkey(arguments).ok();
        PublicKey::from_str(output.trim()).expect("a public key")
    }

    fn init(&self) {
        let said = self
            .nkey("piv init CARD --pin-file new-pin --puk-file new-puk")
            .ok();
        assert_eq!(said.lines().count(), 3, "{said}");
    }

    /// Gives the agent the PIN.
    fn unlock(&self) {
        let unlocked = self.nkey(&format!(
            "agent unlock --passphrase-file {} --pin-file piv:key=new-pin",
            self.agent.scratch().path().join("passphrase").display()
        ));
        assert_eq!(unlocked.status, 0, "{unlocked:?}");
    }

    /// The agent signs with a slot's key.
    fn signs(&self, slot: &str, key: &PublicKey) {
        self.unlock();
        let mut client = self.agent.client();
        let enrolled = client
            .enrol(&Enrol {
                store: "piv:key",
                slot,
                kind: key.kind(),
                name: slot,
                flags: 0,
                key: None,
            })
            .expect("to enrol");
        assert_eq!(enrolled, *key);
        if key.kind() == Kind::User {
            let nonce = b"abcdefghijklmno";
            let signature = client.sign(key, nonce).expect("a signature");
            assert!(key.verify(nonce, &signature));
        }
    }
}

#[test]
fn init_changes_only_what_is_at_its_default() {
    if skipped("pcscd") || skipped("ykman") {
        return;
    }
    let bench = Bench::new(&[(0x9a, 1)]);
    let before = bench.ykman("piv info").ok();
    assert!(
        before.contains("WARNING: Using default PIN") && before.contains("PIN tries remaining"),
        "{before}"
    );
    // The PUK was changed elsewhere: it stays.
    bench
        .ykman("piv access change-puk --puk 12345678 --new-puk 87654321")
        .ok();
    let said = bench.nkey("piv init CARD --pin-file new-pin").ok();
    assert_eq!(
        said,
        "changed the PIN\nchanged the management key, which is stored under the PIN now\n"
    );
    let after = bench.ykman("piv info").ok();
    assert!(
        !after.contains("WARNING") && after.contains("stored on the YubiKey, protected by PIN"),
        "{after}"
    );
    // A second time there is nothing to do.
    let again = bench.nkey("piv init CARD --pin-file pin");
    assert!(again.stderr.contains("nothing was changed"), "{again:?}");
    assert_eq!(again.ok(), "");
    bench
        .nkey("piv pin CARD --unblock --puk-file puk --new-pin-file new-pin")
        .fails(3);
    bench
        .ykman("piv access unblock-pin --puk 87654321 --new-pin 246802")
        .ok();
    // The slot was not touched.
    let slots = bench.agent.client().slots("piv:key").expect("slots");
    assert_eq!(slots.len(), 1);
    // ykman makes keys with what is stored under the PIN.
    bench
        .ykman("piv keys generate --pin 246802 --algorithm ED25519 9c public.pem")
        .ok();
}

#[test]
fn the_management_key_is_never_lost() {
    if skipped("pcscd") {
        return;
    }
    let bench = Bench::new(&[]);
    // An object that is not kept: the default key stays.
    bench.order("lose-object");
    let told = bench
        .nkey("piv init CARD --pin-file new-pin --puk-file new-puk")
        .fails(1);
    assert!(
        told.contains("the present one stays; changed before: the PIN, the PUK"),
        "{told}"
    );
    // A key that is not taken, after it was stored.
    bench.order("keep-key");
    let told = bench.nkey("piv init CARD --pin-file new-pin").fails(1);
    assert!(told.contains("SW 6A80"), "{told}");
    bench.order("");
    assert_eq!(
        bench.nkey("piv init CARD --pin-file new-pin").ok(),
        "changed the management key, which is stored under the PIN now\n"
    );
    bench.order("keep-key");
    bench
        .nkey("piv management-key CARD --pin-file new-pin")
        .fails(1);
    bench.order("");
    // The card has the key before still, and it is found.
    bench.key("piv generate CARD 9a -u --pin-file new-pin");
    bench
        .nkey("piv management-key CARD --pin-file new-pin")
        .ok();
    bench.key("piv generate CARD 9c -u --pin-file new-pin");
    let wrong = bench
        .nkey("piv generate CARD 9d -u --pin-file wrong")
        .fails(3);
    assert!(
        wrong.contains("the PIN is wrong; 2 tries are left"),
        "{wrong}"
    );
}

#[test]
fn a_slot_that_holds_a_key_is_replaced_only_by_name() {
    if skipped("pcscd") || skipped("ykman") {
        return;
    }
    let bench = Bench::new(&[]);
    bench.init();
    let generate = "piv generate CARD 9a -a --pin-file new-pin";
    let first = bench.key(generate);
    let told = bench.nkey(generate).fails(1);
    assert!(told.contains(&format!("holds the key {first}")), "{told}");
    let told = bench
        .nkey(&format!("{generate} --overwrite {}", key_of(7)))
        .fails(1);
    assert!(
        told.contains("not the key that --overwrite names"),
        "{told}"
    );
    let second = bench.key(&format!("{generate} --overwrite {first}"));
    assert_ne!(first, second);
    // The certificate names the NKey, for other tools.
    let info = bench.ykman("piv info").ok();
    assert!(info.contains(&format!("CN={second}")), "{info}");
    let told = bench
        .nkey(&format!("piv delete CARD 9a {first} --pin-file new-pin"))
        .fails(1);
    assert!(told.contains("nothing was deleted"), "{told}");
    // Another kind of key, which ykman made.
    bench
        .ykman("piv keys generate --pin 246802 --algorithm ECCP256 82 public.pem")
        .ok();
    let told = bench
        .nkey("piv generate CARD 82 -u --pin-file new-pin")
        .fails(1);
    let name = told
        .split("another kind of key, ")
        .nth(1)
        .expect("its name");
    let name = name.split(':').take(2).collect::<Vec<_>>().join(":");
    bench.key(&format!(
        "piv generate CARD 82 -u --pin-file new-pin --overwrite {name}"
    ));
    bench
        .nkey(&format!("piv delete CARD 9a {second} --pin-file new-pin"))
        .ok();
    let slots = bench.agent.client().slots("piv:key").expect("slots");
    assert_eq!(slots.len(), 1, "{slots:?}");
    let info = bench.ykman("piv info").ok();
    assert!(!info.contains(&second.to_string()), "{info}");
    // An empty slot takes what it is given; a certificate alone counts as occupied.
    bench.key("piv generate CARD 9a -o --pin-file new-pin --touch-policy cached");
    for bad in ["9b", "f9", "81", "x"] {
        bench
            .nkey(&format!("piv generate CARD {bad} -u --pin-file new-pin"))
            .fails(2);
    }
    bench
        .nkey("piv generate CARD 9c --pin-file new-pin")
        .fails(2);
}

fn key_of(byte: u8) -> PublicKey {
    PublicKey::from_bytes(Kind::Account, [byte; 32])
}

#[test]
fn keys_of_ours_are_ykmans_and_keys_of_ykman_ours() {
    if skipped("pcscd") || skipped("ykman") {
        return;
    }
    let bench = Bench::new(&[]);
    bench.init();
    // ykman makes it, we sign.
    bench
        .ykman(
            "piv keys generate --pin 246802 --algorithm ED25519 --pin-policy ALWAYS 9d public.pem",
        )
        .ok();
    let slots = bench.agent.client().slots("piv:key").expect("slots");
    let key = PublicKey::from_bytes(Kind::User, slots[0].key.expect("a key"));
    bench.signs("9d", &key);
    // We make it, ykman reads it.
    let key = bench.key("piv generate CARD 9c -a --pin-file new-pin --touch-policy always");
    bench.signs("9c", &key);
    let info = bench.ykman("piv keys info 9c").ok();
    for part in [
        "ED25519",
        "GENERATED",
        "PIN required for use:  ALWAYS",
        "Touch required for use:  ALWAYS",
    ] {
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed(&info).contains(&squeezed(part)), "{info}");
    }
    bench.ykman("piv keys export 9c exported.pem").ok();
    let openssl = |arguments: &str| {
        let mut openssl = command("openssl");
        openssl.current_dir(bench.home.path());
        run(openssl.args(arguments.split(' ')), "").ok()
    };
    let hex: String = key
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let text = openssl("pkey -pubin -in exported.pem -text -noout");
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    assert!(digits.contains(&hex), "{text}");
    // A request that ykman has the card sign, with a key of ours: openssl verifies it.
    let key = bench.key("piv generate CARD 9e -u --pin-file new-pin");
    bench.ykman("piv keys export 9e e.pem").ok();
    bench
        .ykman("piv certificates request --pin 246802 --subject CN=x 9e e.pem e.csr")
        .ok();
    openssl("req -in e.csr -verify -noout");
    bench.signs("9e", &key);
    // Imported: the same key, and nobody attests it.
    bench.home.file(
        "seed.nk",
        nkey_core::nkey::Seed::from_bytes(Kind::User, [42; 32])
            .encode()
            .reveal(),
    );
    let key = bench.key("piv import CARD 83 seed.nk --pin-file new-pin");
    assert_eq!(
        key,
        nkey_core::nkey::Seed::from_bytes(Kind::User, [42; 32]).public_key()
    );
    bench.signs("83", &key);
    let told = bench.nkey("piv attest CARD 83").fails(1);
    assert!(told.contains("not attestable: it was imported"), "{told}");
    let told = bench.nkey("piv attest CARD 84").fails(1);
    assert!(told.contains("slot 84 holds no key"), "{told}");
}

#[test]
fn pin_puk_and_firmware_are_told_apart() {
    if skipped("pcscd") {
        return;
    }
    let bench = Bench::new(&[(0x9a, 1)]);
    bench
        .nkey("piv pin CARD --pin-file pin --new-pin-file new-pin")
        .ok();
    bench
        .nkey("piv puk CARD --puk-file puk --new-puk-file new-puk")
        .ok();
    for (tries, exit) in [
        ("2 tries are left", 3),
        ("one try is left", 3),
        ("blocked", 3),
    ] {
        let told = bench
            .nkey("piv pin CARD --pin-file wrong --new-pin-file new-pin")
            .fails(exit);
        assert!(told.contains(tries), "{told}");
    }
    let told = bench
        .nkey("piv pin CARD --unblock --puk-file puk --new-pin-file pin")
        .fails(3);
    assert!(
        told.contains("the PUK is wrong; 2 tries are left"),
        "{told}"
    );
    bench
        .nkey("piv pin CARD --unblock --puk-file new-puk --new-pin-file pin")
        .ok();
    bench.home.file("short", "12345\n");
    let told = bench
        .nkey("piv pin CARD --pin-file pin --new-pin-file short")
        .fails(3);
    assert!(told.contains("6 to 8 ASCII characters"), "{told}");
    // The configuration's name is enough, and no other card is meant.
    bench
        .nkey("piv pin key --pin-file pin --new-pin-file new-pin")
        .ok();
    let told = bench.nkey("piv attest 7 9a").fails(1);
    assert!(told.contains("the card 7 is not there"), "{told}");
    bench.nkey("piv attest other 9a").fails(1);
    drop(bench);
    let bench = Bench::with(&[], "5.4.3", None);
    let told = bench.nkey("piv init CARD --pin-file new-pin").fails(1);
    assert!(
        told.contains("firmware 5.4.3") && told.contains("OpenPGP applet"),
        "{told}"
    );
}

/// Attests with one kind of F9: what nkey, ykman and openssl say of it.
fn attest(algorithm: &str, constraints: bool) {
    let attestors = attestors(algorithm, constraints);
    let bench = Bench::with(&[], "5.7.4", Some(&attestors));
    bench.init();
    let key = bench.key("piv generate CARD 9a -a --pin-file new-pin --touch-policy cached");
    let word = bench.nkey("piv attest CARD 9a").ok();
    assert_eq!(word.matches("BEGIN CERTIFICATE").count(), 2, "{word}");
    bench.home.file("word.pem", &word);
    let ca = |name: &str| attestors.path().join(name).display().to_string();
    let (root, middle) = (ca("root.pem"), ca("middle.pem"));
    let verify = format!("piv verify-attestation {key} word.pem --ca {root} {middle}");
    let good = bench
        .nkey(&format!(
            "{verify} --serial {SERIAL} --firmware 5.7.4 --pin-policy always --touch-policy cached"
        ))
        .ok();
    assert!(
        good.contains("CN=Test-PIV-Attestation < CN=Test-Middle < CN=Test-Root"),
        "{good}"
    );
    for (more, part) in [
        ("--serial 7", "has the serial number 23456789, not 7"),
        ("--firmware 5.8", "older than 5.8.0"),
        ("--pin-policy once", "PIN policy is always, not once"),
        (
            "--touch-policy always",
            "touch policy is cached, not always",
        ),
    ] {
        let told = bench.nkey(&format!("{verify} {more}")).fails(1);
        assert!(told.contains(part), "{told}");
    }
    let told = bench
        .nkey(&format!(
            "piv verify-attestation {key} word.pem --ca {root}"
        ))
        .fails(1);
    assert!(told.contains("not among those of --ca"), "{told}");
    let told = bench
        .nkey(&format!(
            "piv verify-attestation {key} word.pem --ca {middle}"
        ))
        .fails(1);
    assert!(told.contains("CN=Test-Root, which is not among"), "{told}");
    let other = key_of(9);
    let told = bench
        .nkey(&format!(
            "piv verify-attestation {other} word.pem --ca {root} {middle}"
        ))
        .fails(1);
    assert!(told.contains("it is about another key"), "{told}");
    // One changed bit, wherever it is.
    let der = word.replace("-----", "").replace(['\n', '\r'], "");
    assert!(der.len() > 1000);
    let at = word.find("MII").expect("base64") + 300;
    let mut changed = word.clone();
    let letter = if &changed[at..=at] == "A" { "B" } else { "A" };
    changed.replace_range(at..=at, letter);
    bench.home.file("changed.pem", &changed);
    bench
        .nkey(&format!(
            "piv verify-attestation {key} changed.pem --ca {root} {middle}"
        ))
        .fails(1);
    // The certificate of a slot is no attestation, and F9 is none of its own.
    let certificates: Vec<&str> = word
        .split_inclusive("-----END CERTIFICATE-----\n")
        .collect();
    bench.home.file("f9.pem", certificates[1]);
    bench.home.file(
        "twice.pem",
        format!("{}{}", certificates[1], certificates[1]),
    );
    bench
        .nkey(&format!(
            "piv verify-attestation {key} twice.pem --ca {root} {middle}"
        ))
        .fails(1);
    bench
        .nkey(&format!(
            "piv verify-attestation {key} f9.pem --ca {root} {middle}"
        ))
        .fails(2);
    // ykman attests the same, and openssl follows the chain if F9 says that it may sign.
    if skipped("ykman") {
        return;
    }
    bench.ykman("piv keys attest 9a ykman.pem").ok();
    bench
        .nkey(&format!(
            "piv verify-attestation {key} ykman.pem f9.pem --ca {root} {middle}"
        ))
        .ok();
    let mut openssl = command("openssl");
    openssl.current_dir(bench.home.path());
    openssl.args(["verify", "-CAfile", &root, "-untrusted", &middle]);
    let output = run(openssl.args(["-untrusted", "f9.pem", "ykman.pem"]), "");
    assert_eq!(output.status == 0, constraints, "{output:?}");
    bench.order("attest-another");
    let word = bench.nkey("piv attest CARD 9a").ok();
    bench.home.file("word.pem", word);
    bench.nkey(&verify).fails(1);
}

#[test]
fn an_attestation_leads_over_intermediates_that_the_card_does_not_have() {
    if skipped("pcscd") {
        return;
    }
    attest("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", true);
    attest("-algorithm EC -pkeyopt ec_paramgen_curve:P-384", false);
}

#[test]
fn an_attestation_of_old_shape_is_good_without_basic_constraints() {
    if skipped("pcscd") {
        return;
    }
    attest("-algorithm RSA -pkeyopt rsa_keygen_bits:2048", false);
}

#[test]
fn a_touch_is_asked_for_and_who_does_not_wait_is_free() {
    if skipped("pcscd") {
        return;
    }
    let bench = Bench::new(&[(0x9a, 1)]);
    bench.init();
    let always = bench.key("piv generate CARD 9c -u --pin-file new-pin --touch-policy always");
    let cached = bench.key("piv generate CARD 9d -u --pin-file new-pin --touch-policy cached");
    let never = PublicKey::from_bytes(
        Kind::User,
        *nkey_core::nkey::Seed::from_bytes(Kind::User, [1; 32])
            .public_key()
            .as_bytes(),
    );
    // At enrolment as well: a proof is a signature.
    bench.unlock();
    let told = bench.nkey("store enrol piv:key 9c --user");
    assert!(
        told.stderr.contains("touch piv:key (card 23456789)"),
        "{told:?}"
    );
    assert_eq!(told.ok().trim(), always.to_string());
    for (slot, key) in [("9d", &cached), ("9a", &never)] {
        bench.signs(slot, key);
    }
    let nonce = b"abcdefghijklmno";
    let notices = Arc::new(Mutex::new(Vec::new()));
    let client = || {
        let mut client = bench.agent.client();
        let (notices, started) = (Arc::clone(&notices), Instant::now());
        client.on_notice(move |text| {
            let row = (text.to_owned(), started.elapsed());
            notices.lock().expect("notices").push(row);
        });
        client
    };
    let heard = || std::mem::take(&mut *notices.lock().expect("notices"));
    // Announced at once, whether or not the finger is quick.
    client().sign(&always, nonce).expect("a signature");
    let told = heard();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].0.starts_with("touch piv:key (card 23456789)"),
        "{told:?}"
    );
    client().sign(&never, nonce).expect("a signature");
    assert_eq!(heard(), []);
    // A touch that the card still remembers is not asked for.
    client().sign(&cached, nonce).expect("a signature");
    assert_eq!(heard(), []);
    // One that it forgot is, once the card takes its time.
    std::thread::sleep(Duration::from_secs(16));
    bench.order("wait");
    std::thread::scope(|scope| {
        let signing = scope.spawn(|| client().sign(&cached, nonce));
        wait_for(|| !notices.lock().expect("notices").is_empty(), "a notice");
        bench.order("");
        signing.join().expect("no panic").expect("a signature");
    });
    let told = heard();
    assert!(told[0].1 > Duration::from_millis(450), "{told:?}");
    // Nobody touches it.
    bench.order("untouched");
    let told = client()
        .sign(&always, nonce)
        .expect_err("no touch")
        .to_string();
    assert!(told.contains("touch not given"), "{told}");
    heard();
    // Who gives up is free; the card is busy until it answers.
    bench.order("wait");
    let mut giving_up = UnixStream::connect(bench.agent.socket()).expect("the agent");
    let request = sign_request(&always, nonce);
    giving_up.write_all(&request).expect("a request");
    std::thread::sleep(Duration::from_millis(700));
    drop(giving_up);
    let other = bench
        .agent
        .client()
        .generate(Kind::User, "", 0)
        .expect("a key");
    bench
        .agent
        .client()
        .sign(&other, nonce)
        .expect("another key");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let started = Instant::now();
            client().sign(&never, nonce).expect("a signature");
            started.elapsed()
        });
        std::thread::sleep(Duration::from_millis(600));
        assert!(!waiting.is_finished());
        bench.order("");
        assert!(waiting.join().expect("no panic") > Duration::from_millis(500));
    });
}

/// `SSH_AGENTC_SIGN_REQUEST`, as a client sends that goes away meanwhile.
fn sign_request(key: &PublicKey, message: &[u8]) -> Vec<u8> {
    let mut frame = Writer::new();
    let at = frame.begin_frame();
    frame.byte(13).key_blob(key).string(message).uint32(0);
    frame.end_frame(at);
    frame.as_bytes().to_vec()
}

#[test]
fn a_whole_operator_lives_on_a_card() {
    if skipped("pcscd") || skipped("nsc") {
        return;
    }
    let bench = Bench::new(&[]);
    bench.init();
    bench.unlock();
    // Made there: each in the first slot that is free.
    let made = bench.key("generate nkey -o --store=piv:key --name ops");
    assert_eq!(made.kind(), Kind::Operator);
    let slots = bench.agent.client().slots("piv:key").expect("slots");
    assert_eq!(slots[0].id, "82");
    assert_eq!(slots[0].enrolled, Some(made));
    bench.nkey("init -n acme --store piv:key").ok();
    bench.nkey("describe operator").ok();
    // Brought there from nsc's keystore, and the files go only then.
    let nsc = |arguments: &str| {
        let mut nsc = command(tool("nsc"));
        nsc.env("HOME", bench.home.path())
            .current_dir(bench.home.path());
        let own = ["--all-dirs", "nsc-store"];
        run(nsc.args(arguments.split(' ')).args(own), "").ok()
    };
    nsc("add operator -n old --sys=false");
    nsc("add account -n app");
    nsc("add user -n u1 -a app");
    let told = bench
        .nkey("-H nsc-store adopt -A --store pkcs11:x")
        .fails(2);
    assert!(told.contains("PIV cards and OpenPGP cards"), "{told}");
    let adopted = bench
        .nkey("-H nsc-store adopt -A --store piv:key --pin-file new-pin --remove")
        .ok();
    assert_eq!(adopted.matches("imported, proved").count(), 3, "{adopted}");
    let keys = bench.agent.client().list().expect("keys");
    for kind in [Kind::Operator, Kind::Account, Kind::User] {
        let mine = |info: &&nkey_agent::client::KeyInfo| {
            info.key.kind() == kind && info.store == "piv:key"
        };
        assert!(keys.iter().filter(mine).count() >= 1, "{keys:?}");
    }
    // The card signs for it.
    bench.nkey("-H nsc-store add account -n second").ok();
    bench.nkey("-H nsc-store validate -A").ok();
}

#[test]
fn a_touch_policy_that_other_software_sets_meanwhile_is_announced() {
    if skipped("pcscd") {
        return;
    }
    let bench = Bench::new(&[]);
    bench.init();
    let seed = nkey_core::nkey::Seed::generate(Kind::User, getrandom::fill).expect("a seed");
    bench.home.file("seed.nk", seed.encode().reveal());
    let import = "piv import CARD 9d seed.nk --pin-file new-pin";
    let key = bench.key(import);
    bench.signs("9d", &key);
    // The same key, which wants to be touched now. The agent is told nothing.
    bench.key(&format!("{import} --touch-policy always --overwrite {key}"));
    std::thread::sleep(Duration::from_millis(1100));
    let mut client = bench.agent.client();
    let notices = Notices::of(&mut client);
    client.sign(&key, b"abcdefghijklmno").expect("touched");
    let told = notices.take();
    assert!(
        told.len() == 1 && told[0].starts_with("touch piv:key"),
        "{told:?}"
    );
}
