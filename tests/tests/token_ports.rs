//! Tokens that are found by their USB ids while the agent runs.

use nkey_agent::client::{Client, Error, Prompt};
use nkey_agent::message::Status;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::{Command, Init};
use nkey_tests::virtual_token::Running;
use nkey_tests::virtual_token::ports::Ports;
use nkey_tests::{Agent, Scratch, pty, wait_for};
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

const NONCE: &[u8] = b"abcdefghijklmno";
const A: &str = "NKEY-VIRTUAL-A";
const B: &str = "NKEY-VIRTUAL-B";

/// Gives one PIN to each token that asks.
struct Pin;

impl Prompt for Pin {
    fn message(&mut self, _text: &str) {}

    fn secret(&mut self, _text: &str) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new("correct horse".to_owned()))
    }

    fn public(&mut self, _text: &str) -> Option<String> {
        None
    }

    fn confirm(&mut self, _text: &str) -> Option<bool> {
        None
    }
}

struct Token {
    running: Running,
    _scratch: Scratch,
}

fn token(serial: &str) -> Token {
    let scratch = Scratch::new();
    Token {
        running: Running::start(&scratch, true, "always", &["--serial", serial]),
        _scratch: scratch,
    }
}

fn init(client: &mut Client, serial: &str) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let init = Init {
        pin: b"correct horse",
        time: since.expect("a clock").as_secs(),
        iterations: 1_000,
        importable: false,
        peer: None,
        drift_days: 30,
        idle_seconds: 600,
    };
    let mut bytes = [0; 128];
    let command = postcard::to_slice(&Command::Init(init), &mut bytes);
    client
        .token(serial, command.expect("a command"))
        .expect("to initialise it");
}

fn names(client: &mut Client) -> Vec<String> {
    let stores = client.stores().expect("stores").into_iter();
    stores.map(|store| store.name).collect()
}

fn born(client: &mut Client, serial: &str) -> PublicKey {
    init(client, serial);
    client.unlock_store(serial, &mut Pin).expect("to unlock");
    client
        .generate_in(&format!("token:{serial}"), Kind::User, serial, 0)
        .expect("a key")
}

#[track_caller]
fn refusal<T>(result: Result<T, Error>) -> (Status, String) {
    match result.map(|_| ()) {
        Err(Error::Refused { status, reason }) => (status, reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn tokens_come_and_go_and_each_signs_with_its_own_keys() {
    let ports = Ports::new();
    let mut agent = Agent::with_holders(&ports.config(&[A, B]));
    let mut client = agent.client();
    assert_eq!(names(&mut client), ["vault"]);
    let (one, two) = (token(A), token(B));
    // A port that is no token's in every respect is not opened.
    let (foreign, path) = pty();
    for [vendor, product, name, serial] in [
        ["1209", "0001", "Other", A],
        ["1209", "0002", "NKey token", A],
        ["2341", "0001", "NKey token", A],
        ["1209", "0001", "NKey token", "SN-1"],
    ] {
        ports.plug_device("ttyACM5", [vendor, product, name, serial], &path);
        assert_eq!(names(&mut client), ["vault"]);
        refusal(client.unlock_store(serial, &mut Pin));
        ports.unplug("ttyACM5");
    }
    // Not one byte came out at its other end; Linux says so while nobody ever opened it.
    rustix::fs::fcntl_setfl(&foreign, rustix::fs::OFlags::NONBLOCK).expect("to ask");
    let came = rustix::io::read(&foreign, &mut [0; 64]);
    assert!(came.is_err(), "{came:?}");
    ports.plug("ttyACM0", A, &one.running.path);
    assert_eq!(names(&mut client), ["vault", "token:NKEY-VIRTUAL-A"]);
    let first = born(&mut client, A);
    ports.plug("ttyACM1", B, &two.running.path);
    let second = born(&mut client, B);
    for key in [first, second] {
        client.sign(&key, NONCE).expect("a signature");
    }
    // `agent unlock` asks for each PIN, as of any holder.
    client.lock().expect("to lock");
    refusal(client.sign(&first, NONCE));
    drop(client);
    agent.end(rustix::process::Signal::TERM);

    // The other way round, and a new agent: the serial number counts, not the port.
    ports.unplug("ttyACM0");
    ports.unplug("ttyACM1");
    ports.plug("ttyACM0", B, &two.running.path);
    agent.start();
    let mut client = agent.client();
    let stores = client.stores().expect("stores");
    assert_eq!(
        (stores[1].name.as_str(), stores[1].state()),
        ("token:NKEY-VIRTUAL-A", "absent")
    );
    assert!(
        stores[1].why.contains("NKEY-VIRTUAL-A is not plugged in"),
        "{stores:?}"
    );
    assert_eq!(stores[2].state(), "locked");
    client.unlock_store(B, &mut Pin).expect("to unlock");
    client.sign(&second, NONCE).expect("a signature");
    let (status, reason) = refusal(client.sign(&first, NONCE));
    assert_eq!(status, Status::Locked);
    assert!(
        reason.contains("nkey token unlock NKEY-VIRTUAL-A"),
        "{reason}"
    );
    ports.plug("ttyACM1", A, &one.running.path);
    client.unlock_store(A, &mut Pin).expect("to unlock");
    for key in [first, second] {
        client.sign(&key, NONCE).expect("a signature");
    }

    // A third one that nobody knows is listed only while it is there.
    let third = token("NKEY-VIRTUAL-C");
    ports.plug("ttyACM2", "NKEY-VIRTUAL-C", &third.running.path);
    let stores = client.stores().expect("stores");
    assert!(stores[3].why.contains("allow it by name"), "{stores:?}");
    ports.unplug("ttyACM2");
    assert_eq!(names(&mut client).len(), 3);
}

#[test]
fn two_tokens_of_one_serial_number_and_one_that_says_another_are_refused() {
    let ports = Ports::new();
    let agent = Agent::with_holders(&ports.config(&[A, B]));
    let mut client = agent.client();
    let (one, two) = (token(A), token(B));
    ports.plug("ttyACM0", A, &one.running.path);
    let key = born(&mut client, A);
    client.lock_store(A).expect("to lock");
    ports.plug("ttyACM1", A, &two.running.path);
    let (_, reason) = refusal(client.unlock_store(A, &mut Pin));
    assert!(
        reason.contains("two tokens say that they are NKEY-VIRTUAL-A"),
        "{reason}"
    );
    ports.unplug("ttyACM0");
    // What USB says is not what the token says.
    let (_, reason) = refusal(client.unlock_store(A, &mut Pin));
    assert!(
        reason.contains("NKEY-VIRTUAL-B, not NKEY-VIRTUAL-A"),
        "{reason}"
    );
    ports.unplug("ttyACM1");
    ports.plug("ttyACM3", A, &one.running.path);
    client.unlock_store(A, &mut Pin).expect("to unlock");
    client.sign(&key, NONCE).expect("a signature");
    // Pulled out while the session is open: the port is closed, and the agent says locked.
    drop(one);
    wait_for(
        || client.status().expect("its status").is_locked(),
        "the agent to notice",
    );
}

#[test]
fn a_name_in_the_configuration_keeps_the_keys_of_the_serial_number() {
    let ports = Ports::new();
    let mut agent = Agent::with_holders(&ports.config(&[A]));
    let one = token(A);
    ports.plug("ttyACM0", A, &one.running.path);
    let key = born(&mut agent.client(), A);
    agent.end(rustix::process::Signal::TERM);
    let config = format!("{}[token.mine]\nserial = \"{A}\"\n", ports.config(&[A]));
    agent.scratch().file("holders.toml", config);
    agent.start();
    let mut client = agent.client();
    assert_eq!(names(&mut client), ["vault", "token:mine"]);
    for name in [A, "token:mine", "token:NKEY-VIRTUAL-A"] {
        client.unlock_store(name, &mut Pin).expect("to unlock");
        client.sign(&key, NONCE).expect("a signature");
        client.lock_store(name).expect("to lock");
    }
    assert_eq!(client.list().expect("keys")[0].store, "token:mine");
}
