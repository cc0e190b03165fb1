//! PIV cards of the tests' own behind a real pcscd.

use nkey_agent::client::{Client, Enrol, Error};
use nkey_agent::device::Ask;
use nkey_agent::message::Status;
use nkey_core::nkey::{Kind, PublicKey, Seed};
use nkey_tests::{Agent, Pin, Readers, Scratch, refusal, run, server_accepts, skipped, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const NONCE: &[u8] = b"abcdefghijklmno";
const SERIAL: u32 = 12_345_678;

struct Bench {
    agent: Agent,
    orders: PathBuf,
    _readers: Readers,
}

impl Bench {
    fn new() -> Bench {
        Bench::with(&[(0x9a, 1), (0x9c, 2), (0x9d, 3), (0x82, 4)], "5.7.1")
    }

    fn with(slots: &[(u8, u8)], version: &str) -> Bench {
        let mut readers = Readers::new();
        // Not the first one.
        readers.add(SERIAL + 1, "5.7.1", &[(0x9a, 9)]);
        let orders = readers.add(SERIAL, version, slots);
        let config = format!("[piv.key]\nserial = \"{SERIAL}\"\npatience = 3\n");
        let bench = Bench {
            agent: Agent::inside(&readers.script(), &config),
            orders,
            _readers: readers,
        };
        bench.agent.wait_for_card();
        bench
    }

    /// A program in the place of the agent, where the readers are.
    fn inside(&self, program: &str) -> Command {
        self.agent.beside(program, Path::new("/"))
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
            store: "piv:key",
            slot,
            kind,
            name: slot,
            flags: 0,
            key: None,
        })
    }
}

#[test]
fn operator_account_and_user_lie_on_a_card_and_its_limit_is_exact() {
    if skipped("pcscd") || skipped("nats-server") {
        return;
    }
    let bench = Bench::new();
    let slots = bench.client().slots("piv:key").expect("slots");
    let ids: Vec<&str> = slots.iter().map(|slot| slot.id.as_str()).collect();
    assert_eq!(ids, ["9a", "9c", "9d", "82"]);
    assert_eq!(slots[0].label, "PIN always, touch never, generated");
    assert_eq!(slots[3].label, "PIN once, touch never, generated");
    let (status, _) = refusal(bench.enrol("9a", Kind::Operator));
    assert_eq!(status, Status::Locked);
    let asked = bench.unlock("123456").expect("to unlock");
    assert_eq!(asked, ["PIN of piv:key (PIV of firmware 5.7.1)"]);
    let operator = bench.enrol("9a", Kind::Operator).expect("to enrol");
    let account = bench.enrol("9c", Kind::Account).expect("to enrol");
    let user = bench.enrol("9d", Kind::User).expect("to enrol");
    let right = Seed::from_bytes(Kind::User, [3; 32]).public_key();
    assert_eq!(user, right);
    server_accepts(&bench.agent, &operator, &account, &user);
    // Every size that base64 gives, over the borders of chunks and lengths.
    let mut client = bench.client();
    let mut lengths = Vec::new();
    for size in (1..1940).step_by(97).chain(1955..1995) {
        let claims = format!(
            r#"{{"sub":"{user}","name":"{}","nats":{{"type":"user"}}}}"#,
            "x".repeat(size)
        );
        match client.issue(&account, &claims, 0, 0) {
            Ok(token) => lengths.push(token.rfind('.').expect("its signature")),
            Err(error) => {
                let (status, reason) = refusal::<()>(Err(error));
                assert_eq!(status, Status::TooLarge, "{reason}");
                assert!(reason.contains("piv:key signs at most 3045"), "{reason}");
            }
        }
    }
    let longest = lengths.iter().max().copied();
    assert!(
        longest.is_some_and(|length| (3040..=3045).contains(&length)),
        "{longest:?}"
    );
}

#[test]
fn a_card_that_fails_or_lies_is_reported_as_what_it_is() {
    if skipped("pcscd") {
        return;
    }
    let bench = Bench::new();
    bench.unlock("123456").expect("to unlock");
    let user = bench.enrol("9d", Kind::User).expect("to enrol");
    let account = bench.enrol("9c", Kind::Account).expect("to enrol");
    let other = bench.client().generate(Kind::User, "", 0).expect("a key");
    let claims = format!(r#"{{"sub":"{user}","nats":{{"type":"user"}}}}"#);
    for (word, part) in [
        ("prefix", "only the first 32 of"),
        ("digest", "the SHA-512 digest"),
        ("cut", "holds no signature"),
        ("swapped", "is not that of"),
        ("zeros", "zeros"),
        ("empty", "holds no signature"),
        ("long", "65 bytes instead of a signature"),
        ("endless", "does not end"),
        ("oversized", "the reader"),
        ("truncated", "has no status word"),
        ("status 6f00", "SW 6F00"),
        ("status 6a84", "does not sign"),
        ("status 6982", "touch not given"),
        ("untouched", "touch not given"),
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
        }
        bench.order("");
        wait_for(
            || bench.client().issue(&account, &claims, 0, 0).is_ok(),
            "the card to be there again",
        );
    }
    bench.order("slow");
    let begun = Instant::now();
    for _ in 0..5 {
        bench.client().sign(&user, NONCE).expect("a signature");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_wrong_pin_costs_one_try_until_it_is_blocked() {
    if skipped("pcscd") {
        return;
    }
    let bench = Bench::new();
    let (status, reason) = refusal(bench.unlock("12345"));
    assert!(
        status == Status::Refused && reason.contains("6 to 8"),
        "{reason}"
    );
    for left in ["2 tries are left", "one try is left"] {
        let (status, reason) = refusal(bench.unlock("654321"));
        assert_eq!(status, Status::Refused);
        assert!(reason.contains(left), "{reason}");
        let stores = bench.client().stores().expect("stores");
        assert!(stores[1].policy.contains(left), "{stores:?}");
    }
    let messages = bench.unlock("654321").expect("the others go on");
    assert!(
        messages.iter().any(|text| text.contains("blocked")),
        "{messages:?}"
    );
    let messages = bench.unlock("123456").expect("the others go on");
    assert!(
        messages.iter().any(|text| text.contains("blocked")),
        "{messages:?}"
    );
    assert!(bench.client().status().expect("its status").is_locked());
}

#[test]
fn another_program_cannot_sign_with_the_pin_that_we_gave() {
    if skipped("pcscd") {
        return;
    }
    let bench = Bench::new();
    let other = |apdus: &[&str]| {
        let mut tool = bench.inside("opensc-tool");
        // Its drivers would select other applets first.
        tool.args(["--card-driver", "default", "--reader", "1"]);
        tool.args(apdus.iter().flat_map(|apdu| ["--send-apdu", apdu]));
        run(&mut tool, "").ok()
    };
    let verify = "00:20:00:80:08:31:32:33:34:35:36:FF:FF";
    let sign = "00:87:E0:82:0A:7C:08:82:00:81:04:61:62:63:64:00";
    let select = "00:A4:04:00:05:A0:00:00:03:08:00";
    bench.unlock("123456").expect("to unlock");
    let user = bench.enrol("82", Kind::User).expect("to enrol");
    bench.client().sign(&user, NONCE).expect("a signature");
    let told = other(&[select, sign]);
    assert!(told.contains("SW1=0x69, SW2=0x82"), "{told}");
    // One who gives the PIN can sign, and stays able to, as he was before us.
    let told = other(&[select, verify, sign]);
    assert!(told.matches("SW1=0x90, SW2=0x00").count() == 3, "{told}");
    bench.client().sign(&user, NONCE).expect("a signature");
    let told = other(&[sign]);
    assert!(told.contains("SW1=0x90, SW2=0x00"), "{told}");
}

#[test]
fn old_firmware_and_an_absent_card_are_named() {
    if skipped("pcscd") {
        return;
    }
    let bench = Bench::with(&[(0x9a, 1)], "5.4.3");
    let (_, reason) = refusal(bench.client().slots("piv:key"));
    assert!(
        reason.contains("firmware 5.4.3") && reason.contains("OpenPGP applet"),
        "{reason}"
    );
    let mut readers = Readers::new();
    readers.add(7, "5.7.1", &[]);
    let config = format!("[piv.key]\nserial = \"{SERIAL}\"\n");
    let agent = Agent::inside(&readers.script(), &config);
    let (_, reason) = refusal(agent.client().slots("piv:key"));
    assert!(
        reason.contains("12345678 is not there: there are 7"),
        "{reason}"
    );
}

#[test]
fn eight_clients_sign_a_thousand_times_while_others_read_the_card() {
    if skipped("pcscd") {
        return;
    }
    let bench = Bench::new();
    bench.unlock("123456").expect("to unlock");
    let user = bench.enrol("9d", Kind::User).expect("to enrol");
    let done = AtomicBool::new(false);
    let (mut reads, home) = (0, Scratch::new());
    std::thread::scope(|scope| {
        let signers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = bench.client();
                    for _ in 0..125 {
                        client.sign(&user, NONCE).expect("a signature");
                    }
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                // Another program selects applets and reads; now and then gpg looks for its own.
                let mut tool = bench.inside("opensc-tool");
                let select = "00:A4:04:00:05:A0:00:00:03:08:00";
                tool.args(["--card-driver", "default", "--reader", "1"]);
                tool.args(["--send-apdu", select, "--send-apdu", "00:FD:00:00:00"]);
                let told = run(&mut tool, "").ok();
                assert!(told.contains("SW1=0x90, SW2=0x00"), "{told}");
                let mut gpg = bench.inside("gpg");
                gpg.env("GNUPGHOME", home.path());
                gpg.args(["--batch", "--card-status"]);
                // It is no OpenPGP card; that it asked is enough.
                run(&mut gpg, "");
                reads += 1;
            }
        });
        for signer in signers {
            signer.join().expect("eight clients");
        }
        done.store(true, Ordering::SeqCst);
        reader.join().expect("a reader");
    });
    let mut gpgconf = bench.inside("gpgconf");
    run(
        gpgconf
            .env("GNUPGHOME", home.path())
            .args(["--kill", "all"]),
        "",
    );
    assert!(reads > 0);
}

#[test]
fn every_length_is_signed_up_to_the_limit() {
    if skipped("pcscd") {
        return;
    }
    let bench = Bench::new();
    let mut ask = bench.agent.asking();
    let serial = SERIAL.to_string();
    ask(&Ask::Piv { serial: &serial }).expect("the card");
    ask(&Ask::Login { pin: "123456" }).expect("its PIN");
    let seed = Seed::from_bytes(Kind::User, [3; 32]);
    let key = seed.public_key();
    let message: Vec<u8> = (0..3100u32).map(|byte| byte as u8).collect();
    for length in 1..=3045 {
        let message = &message[..length];
        let slot = "9d";
        let body = ask(&Ask::Sign { slot, message }).expect("a signature");
        let signature = nkey_core::Signature::from_bytes(body.try_into().expect("64 bytes"));
        assert!(key.verify(message, &signature), "{length} bytes");
    }
    // This card takes 3,072 bytes with what stands around the message.
    let slot = "9d";
    let told = ask(&Ask::Sign {
        slot,
        message: &message,
    })
    .expect_err("too long");
    assert!(told.contains("does not sign 3100 bytes"), "{told}");
}

#[test]
fn a_card_that_moves_and_a_pcscd_that_restarts_give_right_answers() {
    if skipped("pcscd") {
        return;
    }
    let mut readers = Readers::new();
    let other = readers.add(SERIAL + 1, "5.7.1", &[(0x9d, 9)]);
    let orders = readers.add(SERIAL, "5.7.1", &[(0x9d, 3)]);
    let config = format!(
        "[piv.key]\nserial = \"{SERIAL}\"\npatience = 5\n[piv.two]\nserial = \"{}\"\npatience = 5\n",
        SERIAL + 1
    );
    let bench = Bench {
        agent: Agent::inside(&readers.script(), &config),
        orders,
        _readers: readers,
    };
    bench.agent.wait_for_card();
    bench.unlock("123456").expect("to unlock");
    let one = bench.enrol("9d", Kind::User).expect("to enrol");
    let two = bench
        .client()
        .enrol(&Enrol {
            store: "piv:two",
            slot: "9d",
            kind: Kind::User,
            name: "two",
            flags: 0,
            key: None,
        })
        .expect("to enrol");
    let sign = |key: &PublicKey| -> Result<(), Error> {
        let signature = bench.client().sign(key, NONCE)?;
        assert!(key.verify(NONCE, &signature));
        Ok(())
    };
    sign(&one).expect("one");
    sign(&two).expect("two");
    // Pulled out before a request: said so, and the other key goes on.
    bench.order("unplug");
    std::thread::sleep(Duration::from_millis(1500));
    let (status, reason) = refusal(sign(&one));
    assert_eq!(status, Status::StoreFailed);
    assert!(
        reason.contains("is not there") || reason.contains("removed"),
        "{reason}"
    );
    sign(&two).expect("two");
    // The two change places.
    std::fs::write(&other, "unplug").expect("an order");
    wait_for(|| sign(&two).is_err(), "the other card to be gone");
    std::thread::sleep(Duration::from_millis(1500));
    bench.order(&Readers::plug_into(0));
    std::fs::write(&other, Readers::plug_into(1)).expect("an order");
    for key in [&one, &two] {
        wait_for(|| sign(key).is_ok(), "the cards to be found where they are");
    }
    // pcscd ends and starts anew.
    let before = bench._readers.pcscd();
    let pid = Pid::from_raw(before).expect("a process");
    kill_process(pid, Signal::TERM).expect("to end pcscd");
    wait_for(|| bench._readers.pcscd() != before, "another pcscd");
    for key in [&one, &two] {
        wait_for(|| sign(key).is_ok(), "pcscd to be there again");
    }
    // Pulled out after a signature, and plugged in again before the next.
    sign(&one).expect("one");
    bench.order("unplug");
    std::thread::sleep(Duration::from_millis(1500));
    bench.order("");
    wait_for(|| sign(&one).is_ok(), "the card");
}

#[test]
fn every_class_of_status_words_is_named_and_the_card_signs_afterwards() {
    if skipped("pcscd") {
        return;
    }
    let bench = Bench::new();
    let mut ask = bench.agent.asking();
    let serial = SERIAL.to_string();
    ask(&Ask::Piv { serial: &serial }).expect("the card");
    let firsts = (0..=0x0f).chain(0x5f..=0x6f).chain([0x91, 0xff]);
    for status in firsts.flat_map(|first| [0, 0x80, 0xc0, 0xff].map(|low| first << 8 | low)) {
        let named = format!("SW {status:04X}");
        // 61xx announces more of a response: a PIN that was taken.
        if status >> 8 != 0x61 {
            bench.order(&format!("pin {status:04x}"));
            let said = ask(&Ask::Login { pin: "123456" }).expect_err("a PIN that is not taken");
            let wrong = (0x63c0..=0x63cf).contains(&status);
            assert!(
                said.contains(&named)
                    || (wrong && said.contains("wrong"))
                    || said.contains("blocked"),
                "{status:04x}: {said}"
            );
        }
        bench.order("");
        ask(&Ask::Login { pin: "123456" }).expect("its PIN");
        bench.order(&format!("status {status:04x}"));
        let slot = "9d";
        let said = ask(&Ask::Sign {
            slot,
            message: NONCE,
        })
        .expect_err("no signature");
        // 61xx announces more of a response, which is not there.
        assert!(
            said.contains(&named) || (status >> 8 == 0x61 && said.contains("no signature")),
            "{status:04x}: {said}"
        );
        bench.order("");
        ask(&Ask::Sign {
            slot,
            message: NONCE,
        })
        .expect("a signature");
    }
    bench.order("damaged");
    let slots = bench.client().slots("piv:key").expect("slots");
    assert!(
        slots.iter().all(|slot| !slot.trouble.is_empty()),
        "{slots:?}"
    );
}

#[test]
fn other_programs_get_their_turn_on_a_card_that_signs_without_a_pause() {
    if skipped("pcscd") {
        return;
    }
    let bench = Bench::new();
    bench.unlock("123456").expect("to unlock");
    let user = bench.enrol("9d", Kind::User).expect("to enrol");
    bench.order("slow");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = bench.client();
                while !done.load(Ordering::SeqCst) {
                    client.sign(&user, NONCE).expect("a signature");
                }
            });
        }
        std::thread::sleep(Duration::from_millis(300));
        let begun = Instant::now();
        for _ in 0..2 {
            let mut tool = bench.inside("opensc-tool");
            tool.args(["--card-driver", "default", "--reader", "1"]);
            tool.args(["--send-apdu", "00:A4:04:00:05:A0:00:00:03:08:00"]);
            let told = run(&mut tool, "");
            if told.status != 0 || begun.elapsed() > Duration::from_secs(60) {
                done.store(true, Ordering::SeqCst);
            }
            assert!(told.ok().contains("SW1=0x90, SW2=0x00"));
        }
        done.store(true, Ordering::SeqCst);
        // Two gaps; by chance alone it took 50 s.
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(30), "{took:?}");
    });
}

#[test]
fn a_card_that_never_answers_is_given_up_and_delays_nobody() {
    if skipped("pcscd") {
        return;
    }
    let bench = Bench::new();
    bench.unlock("123456").expect("to unlock");
    let user = bench.enrol("9d", Kind::User).expect("to enrol");
    let other = bench.client().generate(Kind::User, "", 0).expect("a key");
    bench.order("hang");
    std::thread::scope(|scope| {
        let hung = scope.spawn(|| refusal(bench.client().sign(&user, NONCE)));
        std::thread::sleep(Duration::from_millis(500));
        let begun = Instant::now();
        bench.client().sign(&other, NONCE).expect("another key");
        assert!(begun.elapsed() < Duration::from_secs(2));
        let (_, reason) = hung.join().expect("a thread");
        assert!(reason.contains("no answer within 3 s"), "{reason}");
    });
    bench.order("");
    wait_for(|| bench.client().sign(&user, NONCE).is_ok(), "the card");
}
