//! Keys that others hold: what the agent adds to a card of 50 ms, and to a PKCS#11 token.

use super::Row;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, ObjectClass};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use nkey_agent::child::{Child, Failed};
use nkey_agent::client::Enrol;
use nkey_agent::device::Ask;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_tests::{Agent, Passphrase, Readers, SoftHsm, command, run, wait_for};
use std::time::{Duration, Instant};

/// How long the tests' card takes in its slow mode.
const CARD: Duration = Duration::from_millis(50);
const ROUNDS: u32 = 60;
/// The argument with which this program measures C_Sign alone.
pub const C_SIGN: &str = "c-sign";
const NONCE: &[u8] = b"abcdefghijklmno";
const SERIALS: [&str; 2] = ["45678901", "45678902"];

fn enrol(agent: &Agent, store: &str, slot: &str) -> PublicKey {
    let wanted = Enrol {
        store,
        slot,
        kind: Kind::User,
        name: store,
        flags: 0,
        key: None,
    };
    agent.client().enrol(&wanted).expect("to enrol")
}

/// How long one round of `work` takes.
fn each(rounds: u32, mut work: impl FnMut()) -> Duration {
    work();
    let started = Instant::now();
    (0..rounds).for_each(|_| work());
    started.elapsed() / rounds
}

/// How many times as fast two workers are as one.
fn speed_up<T: Send>(mut workers: [T; 2], work: impl Fn(&mut T) + Sync) -> f64 {
    let alone = each(ROUNDS, || work(&mut workers[0]));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for worker in &mut workers {
            scope.spawn(|| (0..ROUNDS).for_each(|_| work(worker)));
        }
    });
    let both = started.elapsed() / (2 * ROUNDS);
    alone.as_secs_f64() / both.as_secs_f64()
}

fn ask(child: &mut Child, ask: &Ask<'_>) -> Vec<u8> {
    match child.ask(ask, Duration::from_secs(20)) {
        Ok(body) => body,
        Err(Failed::Said(failure)) => panic!("{}", failure.text),
        Err(Failed::Broken(why)) => panic!("{why}"),
    }
}

fn cards() -> Vec<Row> {
    let mut readers = Readers::new();
    let mut config = String::new();
    let mut orders = Vec::new();
    for (index, serial) in SERIALS.iter().enumerate() {
        let number = serial.parse().expect("a number");
        orders.push(readers.add(number, "5.7.4", &[(0x82, 1 + index as u8)]));
        config += &format!("[piv.c{index}]\nserial = \"{serial}\"\n");
    }
    let agent = Agent::inside(&readers.script(), &config);
    wait_for(
        || (0..2).all(|index| agent.client().slots(&format!("piv:c{index}")).is_ok()),
        "the cards",
    );
    agent
        .client()
        .unlock(&mut Passphrase("123456"))
        .expect("to unlock");
    let keys = [0, 1].map(|index| enrol(&agent, &format!("piv:c{index}"), "82"));
    for orders in &orders {
        std::fs::write(orders, "slow").expect("an order");
    }
    let mut client = agent.client();
    let serial = each(ROUNDS, || {
        client.sign(&keys[0], NONCE).expect("a signature");
    });
    let over = (serial.as_secs_f64() / CARD.as_secs_f64() - 1.0) * 100.0;
    let clients = keys.map(|key| (agent.client(), key));
    let through = speed_up(clients, |(client, key)| {
        client.sign(key, NONCE).expect("a signature");
    });
    let children = SERIALS.map(|serial| {
        let mut child = agent.holder();
        ask(&mut child, &Ask::Piv { serial });
        ask(&mut child, &Ask::Login { pin: "123456" });
        child
    });
    let without = speed_up(children, |child| {
        let slot = "82";
        let message = NONCE;
        ask(child, &Ask::Sign { slot, message });
    });
    vec![
        Row::new(
            "a PIV card of 50 ms: time over that",
            "at most 5 %",
            format!("{over:.1} %"),
        ),
        Row::new(
            "two PIV cards at once: speed-up, of that without the agent",
            "at least 0.95",
            format!("{:.2} ({through:.2} of {without:.2})", through / without),
        ),
    ]
}

fn softhsm() -> Row {
    let token = SoftHsm::new();
    token.make("bench", "01");
    let config = format!(
        "[pkcs11.soft]\nmodule = \"{}\"\n",
        SoftHsm::module().display()
    );
    let agent = Agent::with_environment(&config, &[token.environment()]);
    agent
        .client()
        .unlock(&mut Passphrase("1234"))
        .expect("to unlock");
    let key = enrol(&agent, "pkcs11:soft", "bench");
    let mut client = agent.client();
    let through = each(2000, || {
        client.sign(&key, NONCE).expect("a signature");
    });
    let signature = client.sign(&key, NONCE).expect("a signature");
    let verification = each(2000, || assert!(key.verify(NONCE, &signature)));
    // The module reads its place from the environment: it has a process of its own.
    let mut own = command(std::env::current_exe().expect("this program"));
    let told = run(own.envs([token.environment()]).arg(C_SIGN), "").ok();
    let alone = Duration::from_nanos(told.trim().parse().expect("nanoseconds"));
    let over = through.saturating_sub(alone).saturating_sub(verification);
    Row::new(
        "SoftHSM2: time above C_Sign and verification, serial",
        "at most 150 us",
        format!(
            "{} us ({} us, C_Sign {} us, verification {} us)",
            over.as_micros(),
            through.as_micros(),
            alone.as_micros(),
            verification.as_micros()
        ),
    )
}

/// Prints how many nanoseconds C_Sign takes in this process.
pub fn c_sign() {
    let module = Pkcs11::new(SoftHsm::module()).expect("SoftHSM2");
    module
        .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
        .expect("to initialise it");
    let slot = module.get_slots_with_token().expect("slots")[0];
    let session = module.open_ro_session(slot).expect("a session");
    let pin = AuthPin::new("1234".into());
    session.login(UserType::User, Some(&pin)).expect("its PIN");
    let template = [Attribute::Class(ObjectClass::PRIVATE_KEY)];
    let key = session.find_objects(&template).expect("keys")[0];
    let pure = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
    let took = each(2000, || {
        session.sign(&pure, key, NONCE).expect("a signature");
    });
    println!("{}", took.as_nanos());
}

pub fn rows() -> Vec<Row> {
    let mut rows = cards();
    rows.push(softhsm());
    rows
}
