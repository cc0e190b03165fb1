//! OpenPGP cards behind a real pcscd, shared with gpg: Nitrokey's own applet, and jcecard.

use nkey_agent::client::{Client, Enrol, Error, Prompt};
use nkey_agent::message::Status;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_tests::{Agent, Gpg, Output, Readers, program, run, server_accepts, skipped, wait_for};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

const NONCE: &[u8] = b"abcdefghijklmno";
const SERIAL: &str = "000F:0000A1B2";
const OTHER: &str = "000F:0000A1B3";

struct Pin(&'static str, Vec<String>);

impl Prompt for Pin {
    fn message(&mut self, text: &str) {
        self.1.push(text.to_owned());
    }

    fn secret(&mut self, text: &str) -> Option<Zeroizing<String>> {
        self.1.push(text.to_owned());
        Some(Zeroizing::new(self.0.to_owned()))
    }

    fn public(&mut self, _text: &str) -> Option<String> {
        None
    }

    fn confirm(&mut self, _text: &str) -> Option<bool> {
        None
    }
}

struct Bench {
    // Ends before the agent, beside which it runs.
    gpg: Gpg,
    agent: Agent,
    orders: PathBuf,
    serial: String,
    _readers: Readers,
}

impl Bench {
    fn opcard(extra: &str) -> Bench {
        let mut readers = Readers::new();
        // gpg takes the first one.
        let orders = readers.add_opcard(SERIAL);
        readers.add_opcard(OTHER);
        Bench::new(readers, orders, SERIAL, extra)
    }

    fn jcecard(extra: &str) -> Bench {
        let mut readers = Readers::new();
        let orders = readers.add_jcecard();
        Bench::new(readers, orders, "0000:00000001", extra)
    }

    fn new(readers: Readers, orders: PathBuf, serial: &str, extra: &str) -> Bench {
        let config = format!("[openpgp.key]\nserial = \"{serial}\"\npatience = 10\n{extra}\n");
        let agent = Agent::inside(&readers.script(), &config);
        let bench = Bench {
            gpg: Gpg::beside(&agent),
            agent,
            orders,
            serial: serial.to_owned(),
            _readers: readers,
        };
        wait_until_said(&bench.agent, |why| !why.contains("is not there"));
        bench
    }

    fn order(&self, word: &str) {
        std::fs::write(&self.orders, word).expect("an order");
    }

    fn client(&self) -> Client {
        self.agent.client()
    }

    fn unlock(&self, pin: &'static str) -> Result<Vec<String>, Error> {
        let mut prompt = Pin(pin, Vec::new());
        self.client().unlock(&mut prompt)?;
        Ok(prompt.1)
    }

    fn enrol(&self, slot: &str, kind: Kind) -> Result<PublicKey, Error> {
        self.client().enrol(&Enrol {
            store: "openpgp:key",
            slot,
            kind,
            name: slot,
            flags: 0,
            key: None,
        })
    }

    /// `nkey` beside the card; `input` is what is piped into it.
    #[track_caller]
    fn nkey(&self, arguments: &str, input: &str) -> Output {
        let mut nkey = self.gpg.inside(&program("nkey").display().to_string());
        nkey.env("NKEY_AUTH_SOCK", self.agent.socket());
        nkey.env("HOME", self.agent.scratch().path());
        run(nkey.args(arguments.split_whitespace()), input)
    }

    /// What the card answers another program.
    #[track_caller]
    fn apdus(&self, apdus: &[&str]) -> String {
        let mut tool = self.gpg.inside("opensc-tool");
        // Its drivers would select other applets first.
        tool.args(["--card-driver", "default", "--reader", "0"]);
        tool.args(["--send-apdu", "00:A4:04:00:06:D2:76:00:01:24:01"]);
        tool.args(apdus.iter().flat_map(|apdu| ["--send-apdu", apdu]));
        run(&mut tool, "").ok()
    }

    /// Makes a key and enrols it.
    #[track_caller]
    fn generate(&self, arguments: &str) -> PublicKey {
        let arguments = format!("openpgp generate key {arguments} --admin-pin-file -");
        let told = self.nkey(&arguments, "12345678\n").ok();
        told.trim().parse().expect("a public key")
    }

    /// The fingerprint of a slot, as `nkey openpgp info` shows it.
    #[track_caller]
    fn fingerprint(&self, slot: &str) -> String {
        let told = self.nkey("openpgp info key --json", "").ok();
        let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        let keys = told["keys"].as_array().expect("keys");
        let key = keys.iter().find(|key| key["slot"] == slot).expect("a key");
        key["fingerprint"].as_str().expect("text").to_owned()
    }

    /// The longest signing input, and what is said of the first one that is too long.
    fn limit(&self, account: &PublicKey, user: &PublicKey) -> (usize, Status, String) {
        let mut client = self.client();
        let mut longest = 0;
        for size in 1.. {
            let name = "x".repeat(size * 3 / 2 + 300);
            let claims = format!(r#"{{"sub":"{user}","name":"{name}","nats":{{"type":"user"}}}}"#);
            match client.issue(account, &claims, 0, 0) {
                Ok(token) => longest = token.rfind('.').expect("its signature"),
                Err(error) => {
                    let (status, reason) = refusal::<()>(Err(error));
                    return (longest, status, reason);
                }
            }
        }
        unreachable!("sizes do not end")
    }
}

/// The data in what opensc-tool prints: 16 bytes in a line, then the same as text.
fn bytes(told: &str) -> Vec<u8> {
    let rows = told
        .lines()
        .filter(|row| row.as_bytes().get(2) == Some(&b' '));
    rows.flat_map(|row| row.as_bytes().chunks(3).take(16))
        .map_while(|cell| u8::from_str_radix(std::str::from_utf8(&cell[..2]).ok()?, 16).ok())
        .collect()
}

/// Waits until what the card's store says of its absence is right: pcscd takes its time.
fn wait_until_said(agent: &Agent, is_right: impl Fn(&str) -> bool) {
    let told = || agent.client().stores().expect("stores")[1].why.clone();
    wait_for(|| is_right(&told()), "the card");
}

#[track_caller]
fn refusal<T>(result: Result<T, Error>) -> (Status, String) {
    match result.map(|_| ()) {
        Err(Error::Refused { status, reason }) => (status, reason),
        other => panic!("{other:?}"),
    }
}

fn no_card() -> bool {
    skipped("pcscd") || skipped("nkey-test-opcard")
}

/// Operator and user on the card, with each of its keys in turn: a real server accepts both.
fn both_keys_sign_for_a_server(bench: &Bench) {
    let (status, _) = refusal(bench.enrol("sig", Kind::Operator));
    assert_eq!(status, Status::Locked);
    let told = bench.nkey(
        "openpgp generate key sig -o --admin-pin-file -",
        "12345678\n",
    );
    assert!(told.fails(4).contains("openpgp:key is locked"));
    let asked = bench.unlock("123456").expect("to unlock");
    assert!(
        asked[0].starts_with("PIN of openpgp:key (OpenPGP 3.4 of "),
        "{asked:?}"
    );
    let operator = bench.generate("sig --operator --name OPS");
    let account = bench.generate("aut --account --name APP");
    let user = bench.client().generate(Kind::User, "", 0).expect("a key");
    server_accepts(&bench.agent, &operator, &account, &user);
    // The other way round: the same keys as those of another account and its user.
    let mut client = bench.client();
    client.remove(&operator).expect("to forget it");
    client.remove(&account).expect("to forget it");
    let account = bench.enrol("sig", Kind::Account).expect("to enrol");
    let user = bench.enrol("aut", Kind::User).expect("to enrol");
    let operator = client.generate(Kind::Operator, "", 0).expect("a key");
    server_accepts(&bench.agent, &operator, &account, &user);
    let signature = client.sign(&user, NONCE).expect("a signature");
    assert!(user.verify(NONCE, &signature));
    // gpg sees the keys that we made.
    let status = bench.gpg.status();
    for slot in ["sig", "aut"] {
        let fingerprint = bench.fingerprint(slot);
        assert_eq!(fingerprint.len(), 40);
        assert!(status.contains(&fingerprint), "{fingerprint}: {status}");
    }
    let stores = client.stores().expect("stores");
    assert!(stores[1].is_shared(), "{stores:?}");
    assert_eq!(
        (stores[1].state(), stores[1].serial.as_str()),
        ("ready", bench.serial.as_str())
    );
}

#[test]
fn nitrokeys_applet_signs_for_a_server_and_its_limit_is_exact() {
    if no_card() || skipped("nats-server") {
        return;
    }
    let bench = Bench::opcard("");
    both_keys_sign_for_a_server(&bench);
    let slots = bench.client().slots("openpgp:key").expect("slots");
    assert_eq!(slots[0].label, "signature, touch off");
    let account = slots[0].enrolled.expect("an account");
    let user = slots[1].enrolled.expect("a user");
    let (longest, status, reason) = bench.limit(&account, &user);
    assert_eq!(status, Status::TooLarge, "{reason}");
    assert!(
        reason.contains("openpgp:key signs at most 1024"),
        "{reason}"
    );
    assert!((1020..=1024).contains(&longest), "{longest}");
}

#[test]
fn jcecard_signs_for_a_server_and_a_longer_limit_can_be_named() {
    if no_card() || skipped("jcecard") || skipped("nats-server") {
        return;
    }
    let bench = Bench::jcecard("limit = 3000");
    both_keys_sign_for_a_server(&bench);
    let slots = bench.client().slots("openpgp:key").expect("slots");
    let account = slots[0].enrolled.expect("an account");
    let user = slots[1].enrolled.expect("a user");
    let (longest, status, reason) = bench.limit(&account, &user);
    assert_eq!(status, Status::TooLarge, "{reason}");
    assert!((2995..=3000).contains(&longest), "{longest}");
}

#[test]
fn a_length_that_the_card_refuses_is_named() {
    if no_card() {
        return;
    }
    let bench = Bench::opcard("limit = 2000");
    bench.unlock("123456").expect("to unlock");
    let account = bench.generate("sig --account");
    let user = bench.generate("aut --user");
    // 1,024 bytes pass, the next length that base64 gives does not.
    let (longest, status, reason) = bench.limit(&account, &user);
    assert_eq!(status, Status::StoreFailed, "{reason}");
    assert!((1020..=1024).contains(&longest), "{longest}");
    let tried = (1025..1030).find(|tried| reason.contains(&format!("{tried} bytes")));
    assert!(tried.is_some() && reason.contains("SW 6A84"), "{reason}");
    bench.client().sign(&user, NONCE).expect("a signature");
}

#[test]
fn a_card_that_fails_or_lies_is_reported_as_what_it_is() {
    if no_card() {
        return;
    }
    let bench = Bench::opcard("");
    bench.unlock("123456").expect("to unlock");
    let account = bench.generate("sig --account");
    let user = bench.generate("aut --user");
    let other = bench.client().generate(Kind::User, "", 0).expect("a key");
    let claims = format!(r#"{{"sub":"{user}","nats":{{"type":"user"}}}}"#);
    for (word, part) in [
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
        ("ffff", "SW FFFF"),
        ("0000", "SW 0000"),
        ("endless", "does not end"),
        ("truncated", "has no status word"),
        ("unplug", "not there"),
    ] {
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
            assert!(
                reason.contains(&format!("{SERIAL} is not there")),
                "{reason}"
            );
        }
        bench.order("");
        wait_for(
            || bench.client().issue(&account, &claims, 0, 0).is_ok(),
            "the card to be there again",
        );
        bench.client().sign(&user, NONCE).expect("a signature");
    }
    bench.order("damaged");
    let (_, reason) = refusal(bench.client().slots("openpgp:key"));
    assert!(reason.contains("does not have its form"), "{reason}");
    bench.order("");
    bench.client().slots("openpgp:key").expect("slots");
}

#[test]
fn a_card_that_hangs_is_given_up_and_delays_nobody() {
    if no_card() {
        return;
    }
    let bench = Bench::opcard("");
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
    let told = Arc::new(Mutex::new(Vec::new()));
    let mut client = bench.client();
    let heard = Arc::clone(&told);
    client.on_notice(move |text| heard.lock().expect("notices").push(text.to_owned()));
    client.sign(&user, NONCE).expect("a signature");
    assert_eq!(*told.lock().expect("notices"), [""; 0]);
    client.issue(&account, &claims, 0, 0).expect("touched");
    let told = told.lock().expect("notices").clone();
    assert!(
        told.len() == 1 && told[0].starts_with("touch openpgp:key"),
        "{told:?}"
    );
    bench.order("untouched");
    let (_, reason) = refusal(bench.client().issue(&account, &claims, 0, 0));
    assert!(reason.contains("touch not given"), "{reason}");
}

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

#[test]
fn a_key_of_somebody_who_runs_gpg_stays_unless_it_is_named() {
    if no_card() {
        return;
    }
    let bench = Bench::opcard("");
    bench.unlock("123456").expect("to unlock");
    // gpg makes all three: signature and authentication keys of Ed25519.
    for key in 1..=3 {
        let attribute = if key == 2 { "cv25519" } else { "ed25519" };
        let algorithm = if key == 2 { 18 } else { 22 };
        let told = bench.gpg.connect(&format!(
            "SCD SETATTR KEY-ATTR --force {key} {algorithm} {attribute}"
        ));
        assert!(told.contains("OK"), "{told}");
        let told = bench
            .gpg
            .connect(&format!("SCD GENKEY --timestamp=20200102T030405 {key}"));
        assert!(told.contains("KEY-FPR"), "{told}");
    }
    let status = bench.gpg.status();
    let (sig, aut) = (bench.fingerprint("sig"), bench.fingerprint("aut"));
    assert!(status.contains(&sig) && status.contains(&aut), "{status}");
    let told = bench.nkey("openpgp info key", "").ok();
    assert!(told.contains("2020-01-02T03:04:05Z"), "{told}");
    // We sign with what gpg made.
    let account = bench.enrol("sig", Kind::Account).expect("to enrol");
    let user = bench.enrol("aut", Kind::User).expect("to enrol");
    let operator = bench
        .client()
        .generate(Kind::Operator, "", 0)
        .expect("a key");
    if !skipped("nats-server") {
        server_accepts(&bench.agent, &operator, &account, &user);
    }
    // Not replaced: neither unnamed nor under another's name.
    let generate = "openpgp generate key sig --account --admin-pin-file -";
    for extra in [String::new(), format!(" --overwrite {aut}")] {
        let told = bench.nkey(&format!("{generate}{extra}"), "12345678\n");
        assert!(told.fails(1).contains(&format!("slot sig holds {sig}")));
        assert_eq!(bench.fingerprint("sig"), sig);
    }
    let told = bench.nkey(&format!("{generate} --overwrite {account}"), "12345678\n");
    let made: PublicKey = told.ok().trim().parse().expect("a public key");
    assert_ne!(made, account);
    assert_eq!(bench.fingerprint("aut"), aut);
    let replaced = bench.fingerprint("sig");
    assert_ne!(replaced, sig);
    // scdaemon remembers what it read: another one.
    assert!(Gpg::beside(&bench.agent).status().contains(&replaced));
    // The old one is gone, and the agent says so.
    let slots = bench.client().slots("openpgp:key").expect("slots");
    assert!(slots[0].enrolled.is_some(), "{slots:?}");
    let claims = format!(r#"{{"sub":"{user}","nats":{{"type":"user"}}}}"#);
    let (status, reason) = refusal(bench.client().issue(&account, &claims, 0, 0));
    assert_eq!(status, Status::StoreFailed);
    assert!(reason.contains("instead of"), "{reason}");
    bench
        .client()
        .issue(&made, &claims, 0, 0)
        .expect("the new key");
}

#[test]
fn another_program_cannot_sign_with_the_pin_that_we_gave() {
    if no_card() {
        return;
    }
    for bench in [Bench::opcard(""), Bench::jcecard("")] {
        bench.unlock("123456").expect("to unlock");
        let account = bench.generate("sig --account");
        let user = bench.generate("aut --user");
        let claims = format!(r#"{{"sub":"{user}","nats":{{"type":"user"}}}}"#);
        for _ in 0..2 {
            bench
                .client()
                .issue(&account, &claims, 0, 0)
                .expect("a token");
            bench.client().sign(&user, NONCE).expect("a signature");
            let told = bench.apdus(&[
                "00:2A:9E:9A:04:61:62:63:64:00",
                "00:88:00:00:04:61:62:63:64:00",
            ]);
            assert_eq!(told.matches("SW1=0x69, SW2=0x82").count(), 2, "{told}");
        }
    }
}

#[test]
fn eight_clients_sign_a_thousand_times_while_gpg_reads_the_card() {
    if no_card() {
        return;
    }
    let bench = Bench::opcard("");
    bench.unlock("123456").expect("to unlock");
    let user = bench.generate("aut --user");
    let fingerprint = bench.fingerprint("aut");
    let done = AtomicUsize::new(0);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = bench.client();
                for _ in 0..125 {
                    let signature = client.sign(&user, NONCE).expect("a signature");
                    assert!(user.verify(NONCE, &signature));
                    done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let mut reads = 0;
        while done.load(Ordering::SeqCst) < 1000 && begun.elapsed() < Duration::from_secs(120) {
            let status = bench.gpg.status();
            assert!(status.contains(&fingerprint), "{status}");
            reads += 1;
        }
        assert!(reads > 1, "gpg read the card {reads} times");
    });
    eprintln!("1,000 signatures in {:?}", begun.elapsed());
}

#[test]
fn cards_are_told_apart_and_an_absent_one_is_named() {
    if no_card() {
        return;
    }
    let mut readers = Readers::new();
    readers.add_opcard(OTHER);
    let orders = readers.add_opcard(SERIAL);
    // The serial number alone, in small letters, is enough.
    let config = "[openpgp.absent]\nserial = \"000F:00000001\"\n[openpgp.key]\nserial = \"0000a1b2\"\n[openpgp.other]\nserial = \"D276000124010304000F0000A1B30000\"\n[openpgp.wrong]\nserial = \"12345\"\n";
    let agent = Agent::inside(&readers.script(), config);
    let bench = Bench {
        gpg: Gpg::beside(&agent),
        agent,
        orders,
        serial: SERIAL.to_owned(),
        _readers: readers,
    };
    let serial = |at: usize| bench.client().stores().expect("stores")[at].serial.clone();
    wait_for(|| serial(2) == SERIAL && serial(3) == OTHER, "both cards");
    let stores = bench.client().stores().expect("stores");
    let absent = &stores[1].why;
    assert!(
        absent.contains("000F:00000001 is not there: there are") && absent.contains(OTHER),
        "{absent}"
    );
    assert!(stores[4].why.contains("12345 is no serial number"));
    let told = bench.nkey("openpgp list --json", "").ok();
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told[0]["serial"], OTHER);
    assert_eq!(told[0]["store"], "openpgp:other");
    assert_eq!(told[1]["serial"], SERIAL);
    assert_eq!(told[1]["store"], "openpgp:key");
    bench.unlock("123456").expect("to unlock");
    let key = bench.generate("aut --user");
    let told = bench
        .nkey(
            "openpgp generate other aut --user --admin-pin-file -",
            "12345678\n",
        )
        .ok();
    let other: PublicKey = told.trim().parse().expect("a public key");
    assert_ne!(key, other);
    for key in [key, other, key] {
        bench.client().sign(&key, NONCE).expect("a signature");
    }
    let told = bench.nkey("openpgp info nobody", "").fails(1);
    assert!(told.contains("neither a card"), "{told}");
    let told = bench.nkey("openpgp info 000F:00000001", "").fails(1);
    assert!(told.contains("is not there"), "{told}");
}

#[test]
fn a_card_that_wants_its_pin_hashed_gets_it_hashed() {
    if no_card() {
        return;
    }
    let bench = Bench::opcard("");
    // gpg switches hashing on; the PINs stay as people type them.
    let mut gpg = bench.gpg.inside("gpg");
    gpg.args(["--no-tty", "--command-fd=0", "--status-fd=2", "--card-edit"]);
    let told = run(&mut gpg, "admin\nkdf-setup\nquit\n");
    let status = bench.gpg.status();
    assert!(status.contains("kdf:on"), "{told:?}\n{status}");
    // Cards set the PINs to the hashes that gpg gave, 87 and 88; this one leaves that to us.
    let read = bench.apdus(&["00:CA:00:F9:00"]);
    let given = bytes(&read);
    let hash = |tag: u8| {
        let at = given.windows(2).position(|head| head == [tag, 32]);
        let at = at.expect("a hash") + 2;
        let hash: Vec<String> = given[at..at + 32]
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        hash.join(":")
    };
    let (user, admin) = (hash(0x87), hash(0x88));
    let told = bench.apdus(&[
        &format!("00:24:00:81:26:31:32:33:34:35:36:{user}"),
        &format!("00:24:00:83:28:31:32:33:34:35:36:37:38:{admin}"),
    ]);
    assert_eq!(told.matches("SW1=0x90, SW2=0x00").count(), 3, "{told}");
    let (_, reason) = refusal(bench.unlock("654321"));
    assert!(reason.contains("2 tries are left"), "{reason}");
    bench.unlock("123456").expect("to unlock");
    let user = bench.generate("aut --user");
    bench.client().sign(&user, NONCE).expect("a signature");
}
