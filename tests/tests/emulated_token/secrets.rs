//! What is left in memory.

use crate::hand::*;
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use nkey_agent::token::{Hand, Token};
use nkey_core::nkey::{KeyPair, Kind, Seed};
use nkey_core::token::{Answer, Command, Details, Init, Press, Session};
use nkey_tests::Scratch;
use nkey_tests::emulator::Emulator;

/// As long as a PIN can be, and no four bytes of it twice.
const LONG: &[u8] = b"0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT-uV_wX.yZ,aC;eG:iK!mO?qS+uW*yA/cE=";
/// A seed from outside.
const SEED: [u8; 32] = *b"\x91 seed that nobody else has yet!";
/// Shorter pieces than this are found by chance.
const PIECE: usize = 8;

/// Presses, and keeps what was in memory when a press was wanted.
struct Looks<'a>(&'a Emulator, Vec<u8>);

impl Hand for Looks<'_> {
    fn wanted(&mut self, press: Press) {
        self.1 = self.0.memory();
        Finger(self.0).wanted(press);
    }
}

/// Where pieces of a secret lie.
fn pieces(memory: &[u8], secret: &[u8]) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut at = 0;
    while at + PIECE <= memory.len() {
        let len = secret
            .windows(PIECE)
            .position(|piece| memory[at..].starts_with(piece))
            .map(|from| {
                let same = memory[at..].iter().zip(&secret[from..]);
                same.take_while(|(a, b)| a == b).count()
            });
        if let Some(len) = len {
            found.push((at, String::from_utf8_lossy(&memory[at..at + len]).into()));
        }
        at += len.unwrap_or(1);
    }
    found
}

/// What is in a slot's record behind what is said about the key.
fn sealed(flash: &[u8], key: &[u8; 32]) -> ([u8; 12], [u8; 32]) {
    let at = flash
        .windows(32)
        .position(|window| window == key)
        .expect("the key's record");
    let (_, rest) =
        postcard::take_from_bytes::<Details<'_>>(&flash[at - 1..]).expect("what is said about it");
    let nonce = rest[..12].try_into().expect("a nonce");
    (nonce, rest[12..44].try_into().expect("a sealed seed"))
}

/// Opens a sealed seed, or seals it.
fn apply(key: &[u8; 32], nonce: [u8; 12], mut text: [u8; 32]) -> [u8; 32] {
    let mut cipher = ChaCha20::new(key.into(), &nonce.into());
    // The first block is the authenticator's.
    cipher.seek(64u32);
    cipher.apply_keystream(&mut text);
    text
}

/// The master keys in memory: those which this seed was sealed with.
fn masters(memory: &[u8], (nonce, text): ([u8; 12], [u8; 32])) -> Vec<[u8; 32]> {
    let opens = |key: &[u8; 32]| apply(key, nonce, text) == SEED;
    memory
        .windows(32)
        .map(|window| window.try_into().expect("32 bytes"))
        .filter(opens)
        .collect()
}

fn init(pin: &[u8]) -> Command<'_> {
    Command::Init(Init {
        pin,
        time: NOW,
        iterations: 1_000,
        importable: true,
        peer: None,
        drift_days: 30,
        idle_seconds: 60,
    })
}

/// Unlocks it with the long PIN.
fn opened(token: &mut Token) -> Session {
    try_pin(token, LONG).expect("the right PIN")
}

#[test]
fn locked_it_holds_no_secret() {
    let scratch = Scratch::new();
    let emulator = Emulator::start(&scratch);
    let mut token = open(&emulator);
    let mut looks = Looks(&emulator, Vec::new());
    done(&mut token, None, init(LONG), &mut looks);
    // The request waits for the button, and the PIN in it.
    assert!(!pieces(&looks.1, LONG).is_empty());
    let locked = |when: &str| {
        emulator.pass(50);
        let memory = emulator.memory();
        assert_eq!(pieces(&memory, LONG), [], "the PIN {when}");
        assert_eq!(pieces(&memory, &SEED), [], "the seed {when}");
        memory
    };
    locked("after Init");

    let session = opened(&mut token);
    let import = Command::Import {
        kind: Kind::User.prefix(),
        seed: SEED,
        name: "from outside",
    };
    let key = match token.call(Some(session), import, &mut looks) {
        Ok(Answer::Key(key)) => key.key,
        other => panic!("{other:?}"),
    };
    assert!(!pieces(&looks.1, &SEED).is_empty());
    let pair = KeyPair::from_seed(&Seed::from_bytes(Kind::User, SEED)).expect("a pair");
    assert_eq!(pair.public_key().as_bytes(), &key);
    let signature = sign(&mut token, session, 0, NONCE, &mut Finger(&emulator));
    assert!(pair.public_key().verify(NONCE, &signature));

    // Unlocked it holds the master key, once.
    let flash = std::fs::read(scratch.path().join("flash.bin")).expect("its flash");
    let record = sealed(&flash, &key);
    let found = masters(&locked("while it is unlocked"), record);
    let [master] = found[..] else {
        panic!("{} master keys in memory", found.len());
    };
    let holds_none = |when: &str| {
        assert_eq!(pieces(&locked(when), &master), [], "the master key {when}");
    };

    // Nor the seed of a key that was made on it.
    let made = generate(&mut token, session, Kind::User);
    sign(&mut token, session, 1, NONCE, &mut Finger(&emulator));
    let flash = std::fs::read(scratch.path().join("flash.bin")).expect("its flash");
    let (nonce, text) = sealed(&flash, made.as_bytes());
    let seed = apply(&master, nonce, text);
    let pair = KeyPair::from_seed(&Seed::from_bytes(Kind::User, seed)).expect("a pair");
    assert_eq!(pair.public_key(), made);
    assert_eq!(pieces(&locked("after Sign"), &seed), [], "the seed");

    done(&mut token, Some(session), Command::Lock, &mut ());
    holds_none("after Lock");
    let change = Command::ChangePin {
        old: LONG,
        new: LONG,
    };
    let session = opened(&mut token);
    done(&mut token, Some(session), change, &mut ());
    let memory = locked("after ChangePin");
    assert_eq!(masters(&memory, record), [master]);
    // The host goes, and says nothing before.
    drop(token);
    std::thread::sleep(std::time::Duration::from_millis(100));
    holds_none("when the host has gone");

    let mut token = open(&emulator);
    opened(&mut token);
    emulator.suspend();
    emulator.pass(20);
    holds_none("in suspend");
    emulator.resume();
    drop(token);
    let mut token = open(&emulator);
    opened(&mut token);
    emulator.pass(61_000);
    holds_none("when nobody needed it for a minute");

    // Who asks the boot ROM reads all memory.
    let session = opened(&mut token);
    done(
        &mut token,
        Some(session),
        Command::Bootloader,
        &mut Finger(&emulator),
    );
    emulator.in_bootsel();
    let memory = emulator.memory();
    for secret in [LONG, &SEED, &seed, &master] {
        assert_eq!(pieces(&memory, secret), [], "in the bootloader");
    }
}

/// Half of a request, and the host goes.
#[test]
fn a_pin_that_nobody_took_is_wiped() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    drop(open(&emulator));
    let mut host = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&emulator.path)
        .expect("the terminal");
    let mut frame = vec![9; 12];
    frame.extend_from_slice(LONG);
    std::io::Write::write_all(&mut host, &frame).expect("a line");
    std::thread::sleep(std::time::Duration::from_millis(100));
    emulator.pass(50);
    assert!(!pieces(&emulator.memory(), LONG).is_empty());
    drop(host);
    std::thread::sleep(std::time::Duration::from_millis(100));
    emulator.pass(50);
    assert_eq!(pieces(&emulator.memory(), LONG), []);
}
