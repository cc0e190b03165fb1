//! One suite for PIV cards: on the tests' own card with every run, and on a real one by
//! `make test-hardware CARD=serial`, on slots that are named and empty.

use nkey_agent::child::Failed;
use nkey_agent::client::Enrol;
use nkey_agent::device::Ask;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_tests::{Agent, Output, Readers, Scratch, command, program, run, skipped, wait_for};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// What one extended command carries; more is tried as well, and told.
const LIMIT: usize = 3045;

/// A card and how it is reached.
struct Bench {
    agent: Agent,
    home: Scratch,
    serial: String,
    slots: [String; 2],
    pin: PathBuf,
    /// The agent's place, if the readers are there only.
    is_inside: bool,
}

impl Bench {
    fn command(&self, program: &Path) -> Command {
        if !self.is_inside {
            return command(program);
        }
        self.agent.beside(program, self.home.path())
    }

    fn nkey(&self, arguments: &str) -> Output {
        let mut nkey = self.command(&program("nkey"));
        nkey.current_dir(self.home.path());
        nkey.env("HOME", self.home.path());
        nkey.env("NKEY_AUTH_SOCK", self.agent.socket());
        run(nkey.args(arguments.split_whitespace()), "")
    }

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
    let seed = nkey_core::nkey::Seed::generate(Kind::User, getrandom::fill).expect("a seed");
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
    // The agent signs with both.
    let passphrase = bench.agent.scratch().path().join("passphrase");
    bench
        .nkey(&format!(
            "agent unlock --passphrase-file {} --pin-file piv:key={}",
            passphrase.display(),
            bench.pin.display()
        ))
        .ok();
    let nonce = b"abcdefghijklmno";
    for (slot, key) in [(made, made_key), (taken, taken_key)] {
        let mut client = bench.agent.client();
        let enrolled = client
            .enrol(&Enrol {
                store: "piv:key",
                slot,
                kind: Kind::User,
                name: slot,
                flags: 0,
                key: None,
            })
            .expect("to enrol");
        assert_eq!(enrolled, key);
        let started = Instant::now();
        let signature = client.sign(&key, nonce).expect("a signature");
        assert!(key.verify(nonce, &signature));
        println!("signature with {slot}: {:?}", started.elapsed());
    }
    lengths(bench, made, &made_key);
    for (slot, key) in [(made, made_key), (taken, taken_key)] {
        bench.piv("delete", &format!("{slot} {key}")).ok();
        println!("delete {slot}: done");
    }
}

fn lengths(bench: &Bench, slot: &str, key: &PublicKey) {
    let pin = std::fs::read_to_string(&bench.pin).expect("the PIN's file");
    let mut child = bench.agent.holder();
    let mut ask = |ask: &Ask<'_>| match child.ask(ask, Duration::from_secs(60)) {
        Ok(body) => Ok(body),
        Err(Failed::Said(failure)) => Err(failure.text),
        Err(Failed::Broken(why)) => panic!("{why}"),
    };
    ask(&Ask::Piv {
        serial: &bench.serial,
    })
    .expect("the card");
    ask(&Ask::Login {
        pin: pin.trim_end_matches('\n'),
    })
    .expect("its PIN");
    let message: Vec<u8> = (0..4000u32).map(|byte| byte as u8).collect();
    let mut sign = |length: usize| {
        let message = &message[..length];
        let body = ask(&Ask::Sign { slot, message })?;
        let signature = nkey_core::Signature::from_bytes(body.try_into().expect("64 bytes"));
        assert!(key.verify(message, &signature), "{length} bytes");
        Ok::<(), String>(())
    };
    for length in [
        1, 2, 127, 128, 246, 247, 254, 255, 256, 510, 1013, 1014, 1015, 2048, LIMIT,
    ] {
        sign(length).unwrap_or_else(|why| panic!("{length} bytes: {why}"));
    }
    println!("signs up to {LIMIT} bytes");
    let refused = (LIMIT + 1..=4000)
        .step_by(8)
        .find_map(|length| sign(length).err().map(|why| (length, why)));
    match refused {
        Some((length, why)) => println!("{length} bytes: {why}"),
        None => println!("signs 3,999 bytes as well"),
    }
}

#[test]
fn the_tests_own_card_passes_the_suite_for_real_ones() {
    if skipped("pcscd") {
        return;
    }
    let mut readers = Readers::new();
    let serial = 34_567_890;
    readers.add(serial, "5.7.4", &[]);
    let home = Scratch::new();
    let pin = home.file("pin", "246802\n");
    home.file("puk", "13571357\n");
    let config = format!("[piv.key]\nserial = \"{serial}\"\n");
    let bench = Bench {
        agent: Agent::inside(&readers.script(), &config),
        home,
        serial: serial.to_string(),
        slots: ["94".to_owned(), "95".to_owned()],
        pin,
        is_inside: true,
    };
    wait_for(
        || {
            bench
                .nkey("piv list --plugged")
                .ok()
                .contains(&bench.serial)
        },
        "the card",
    );
    bench.piv("init", "--puk-file puk").ok();
    suite(&bench);
}

#[test]
#[ignore = "it needs a real card: make test-hardware CARD=serial"]
fn a_real_card_passes_the_suite() {
    let variable = |name: &str| {
        std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: make test-hardware"))
    };
    let serial = variable("NKEY_HARDWARE_CARD");
    let slots = variable("NKEY_HARDWARE_SLOTS");
    let slots: Vec<String> = slots.split(',').map(str::to_owned).collect();
    let config = format!("[piv.key]\nserial = \"{serial}\"\n");
    suite(&Bench {
        agent: Agent::with_holders(&config),
        home: Scratch::new(),
        serial,
        slots: slots
            .try_into()
            .expect("NKEY_HARDWARE_SLOTS names two slots"),
        pin: PathBuf::from(variable("NKEY_HARDWARE_PIN_FILE")),
        is_inside: false,
    });
}
