//! Tokens as key holders of a real agent: virtual ones, at a configured port.

use nkey_agent::client::{Client, Enrol, Error, Prompt};
use nkey_agent::message::Status;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::policy::{Claims, Kinds, Policy, Presence, Signable};
use nkey_core::token::{Answer, Command, Init};
use nkey_tests::virtual_token::Running;
use nkey_tests::{Agent, Scratch, run, server_accepts, skipped, wait_for};
use std::net::Shutdown;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

const PIN: &str = "correct horse";
const NONCE: &[u8] = b"abcdefghijklmno";
const STORE: &str = "token:one";

/// Gives a PIN, and keeps what was said and asked.
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

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock").as_secs()
}

/// Passes a command on; whether it was done.
fn pass(client: &mut Client, command: Command<'_>) -> Result<Vec<u8>, Error> {
    let mut bytes = [0; 512];
    let bytes = postcard::to_slice(&command, &mut bytes).expect("a command");
    client.token(STORE, bytes)
}

/// The token of a test and its agent.
struct Bench {
    scratch: Scratch,
    token: Option<Running>,
    agent: Agent,
}

fn config(scratch: &Scratch, more: &str) -> String {
    let port = scratch.path().join("line");
    format!(
        "[token.one]\nserial = \"VIRTUAL-1\"\nport = \"{}\"\n{more}",
        port.display()
    )
}

const ALLOWED: &str = "allow_virtual = \"VIRTUAL-1\"\n";

impl Bench {
    /// A token that has no PIN yet.
    fn blank() -> Bench {
        let scratch = Scratch::new();
        let token = Running::start(&scratch, true, "always", &[]);
        let agent = Agent::with_holders(&config(&scratch, ALLOWED));
        Bench {
            scratch,
            token: Some(token),
            agent,
        }
    }

    /// One that is initialised and unlocked.
    fn new() -> Bench {
        let bench = Bench::blank();
        bench.init();
        bench.unlock(PIN).expect("to unlock");
        bench
    }

    fn client(&self) -> Client {
        self.agent.client()
    }

    fn init(&self) {
        self.init_at(now());
    }

    fn init_at(&self, time: u64) {
        let init = Init {
            pin: PIN.as_bytes(),
            time,
            iterations: 1_000,
            importable: false,
            peer: None,
            drift_days: 30,
            idle_seconds: 60,
        };
        pass(&mut self.client(), Command::Init(init)).expect("to initialise it");
    }

    fn unlock(&self, pin: &'static str) -> Result<Vec<String>, Error> {
        let mut prompt = Pin(pin, Vec::new());
        self.client().unlock_store(STORE, &mut prompt)?;
        Ok(prompt.1)
    }

    fn generate(&self, kind: Kind, name: &str) -> PublicKey {
        let made = self.client().generate_in(STORE, kind, name, 0);
        made.expect("a key that is born on the token")
    }

    /// Pulls the token out, and plugs it in again as it is started with these arguments.
    fn replug(&mut self, presence: &str, more: &[&str]) {
        self.token.take();
        wait_for(
            || self.client().status().expect("its status").is_locked(),
            "the agent to notice",
        );
        self.token = Some(Running::start(&self.scratch, true, presence, more));
    }

    fn press(&mut self) {
        self.token.as_mut().expect("a token").press();
    }

    /// A client whose messages to the person come out of the receiver.
    fn told(&self) -> (Client, Receiver<String>) {
        let (say, heard) = channel();
        let mut client = self.client();
        client.on_notice(move |text| {
            let _ = say.send(text.to_owned());
        });
        (client, heard)
    }
}

#[track_caller]
fn refusal<T>(result: Result<T, Error>) -> (Status, String) {
    match result.map(|_| ()) {
        Err(Error::Refused { status, reason }) => (status, reason),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn says(heard: &Receiver<String>, text: &str) {
    let found = heard.recv_timeout(Duration::from_secs(10));
    assert_eq!(found.expect("a message"), text);
}

const PRESS: &str = "press the button on token:one (VIRTUAL-1)";

#[test]
fn operator_account_and_user_are_born_on_a_token_and_a_server_accepts() {
    if skipped("nats-server") {
        return;
    }
    let bench = Bench::blank();
    let row = |at: usize| bench.client().stores().expect("stores").remove(at);
    assert_eq!(row(1).policy, "VIRTUAL; no PIN yet");
    let (_, reason) = refusal(bench.unlock(PIN));
    assert!(reason.contains("nkey token init VIRTUAL-1"), "{reason}");
    bench.init();
    let (status, reason) = refusal(bench.client().generate_in(STORE, Kind::User, "", 0));
    assert_eq!(status, Status::Locked);
    assert!(reason.contains("nkey token unlock VIRTUAL-1"), "{reason}");
    let asked = bench.unlock(PIN).expect("to unlock");
    assert_eq!(
        asked,
        ["PIN of token:one (VIRTUAL-1, a VIRTUAL token, no board; 8 tries are left)"]
    );
    let store = row(1);
    assert_eq!((store.state(), store.limit), ("ready", 32_768));
    assert_eq!(store.policy, "VIRTUAL; PIN, button; 8 tries are left");
    assert!(store.place.starts_with("VIRTUAL, no board: /"), "{store:?}");
    assert!(!store.is_shared() && store.serial == "VIRTUAL-1");

    let operator = bench.generate(Kind::Operator, "OPS");
    let account = bench.generate(Kind::Account, "APP");
    let user = bench.generate(Kind::User, "front");
    let slots = bench.client().slots(STORE).expect("slots");
    let labels: Vec<&str> = slots.iter().map(|slot| slot.label.as_str()).collect();
    let wanted = [
        "OPS: operator, made here",
        "APP: account, made here",
        "front: user, made here",
    ];
    assert_eq!(labels, wanted);
    assert_eq!(slots[1].enrolled, Some(account));
    let keys = bench.client().list().expect("keys");
    assert!(keys.iter().all(|key| key.store == STORE) && keys.len() == 3);
    // A new operator's key signs accounts; its own claims need leave from whoever holds the button.
    let leave = Policy {
        claims: Claims::of(&[Signable::Operator, Signable::Account]),
        kinds: Kinds::of(&[Kind::Operator, Kind::Account]),
        ..Policy::new(Kind::Operator)
    };
    let loosen = Command::Loosen {
        slot: 0,
        policy: leave,
    };
    pass(&mut bench.client(), loosen).expect("to loosen it");
    server_accepts(&bench.agent, &operator, &account, &user);
    let home = Scratch::new();
    for command in ["store list", "agent status"] {
        let text = run(&mut bench.agent.nkey(home.path(), command), "").ok();
        let row = text.lines().find(|line| line.contains(STORE));
        assert!(row.is_some_and(|row| row.contains("VIRTUAL")), "{text}");
    }
    // Any ssh-agent client signs as well; it is told nothing and waits.
    let (mut client, heard) = bench.told();
    let signature = client.sign_standard(&user, NONCE).expect("an answer");
    assert!(signature.is_some() && heard.try_recv().is_err());
}

#[test]
fn the_token_reads_what_it_signs_and_says_why_it_does_not() {
    let bench = Bench::new();
    let operator = bench.generate(Kind::Operator, "OPS");
    let account = bench.generate(Kind::Account, "APP");
    let mut client = bench.client();
    // The agent's own gate first.
    let (status, reason) = refusal(client.sign(&account, NONCE));
    assert!(
        status == Status::Refused && !reason.contains("token:one"),
        "{reason}"
    );
    // Then the token: a new operator's key signs accounts, not operators.
    let claims = format!(r#"{{"sub":"{operator}","nats":{{"type":"operator"}}}}"#);
    let (status, reason) = refusal(client.issue(&operator, &claims, 0, 0));
    assert_eq!(status, Status::Refused);
    assert!(
        reason.starts_with("token:one: the key's policy"),
        "{reason}"
    );
    let user = client.generate(Kind::User, "", 0).expect("a key");
    let bearer = format!(r#"{{"sub":"{user}","nats":{{"bearer_token":true,"type":"user"}}}}"#);
    let (_, reason) = refusal(client.issue(&account, &bearer, 0, 0));
    assert!(reason.contains("no bearer"), "{reason}");
    // Sixteen keys are as many as there are slots.
    for _ in 2..16 {
        bench.generate(Kind::User, "");
    }
    let (status, reason) = refusal(client.generate_in(STORE, Kind::User, "", 0));
    assert!(
        status == Status::Refused && reason.contains("slots are taken"),
        "{reason}"
    );
}

#[test]
fn a_wrong_pin_costs_a_try_until_the_token_is_blocked() {
    let bench = Bench::new();
    bench.client().lock_store(STORE).expect("to lock");
    let (status, reason) = refusal(bench.unlock("short"));
    assert!(
        status == Status::Refused && reason.contains("6 to 64"),
        "{reason}"
    );
    let (status, reason) = refusal(bench.unlock("wrong horse"));
    assert_eq!(status, Status::Refused);
    assert!(
        reason.contains("the PIN is wrong: 7 tries are left"),
        "{reason}"
    );
    let said = bench.unlock(PIN).expect("to unlock");
    assert!(said[0].contains("7 tries are left"), "{said:?}");
    assert_eq!(said[1], "the PIN was right: 8 tries are left again");
    bench.client().lock_store(STORE).expect("to lock");
    for left in (0..8).rev() {
        let (_, reason) = refusal(bench.unlock("wrong horse"));
        assert!(
            reason.contains(&format!("{left} tries are left")),
            "{reason}"
        );
    }
    let (status, reason) = refusal(bench.unlock(PIN));
    assert_eq!(status, Status::StoreFailed);
    assert!(reason.contains("nkey token reset VIRTUAL-1"), "{reason}");
    let stores = bench.client().stores().expect("stores");
    assert_eq!(stores[1].policy, "VIRTUAL; blocked, its keys are lost");
}

#[test]
fn the_person_hears_at_once_of_the_button_and_may_press_it_or_not() {
    let mut bench = Bench::new();
    let user = bench.generate(Kind::User, "front");
    bench.replug("ask", &[]);
    bench.unlock(PIN).expect("to unlock");
    let (mut client, heard) = bench.told();
    let signing = std::thread::spawn(move || client.sign(&user, NONCE));
    says(&heard, PRESS);
    assert!(!signing.is_finished(), "it signed unpressed");
    bench.press();
    signing.join().expect("a thread").expect("a signature");

    // A client that goes takes its request back; the next one has its turn at once.
    let (mut client, heard) = bench.told();
    let stream = client.stream().try_clone().expect("a second handle");
    let killed = std::thread::spawn(move || client.sign(&user, NONCE));
    says(&heard, PRESS);
    let begun = Instant::now();
    stream.shutdown(Shutdown::Both).expect("to close it");
    killed.join().expect("a thread").expect_err("no answer");
    let (mut client, heard) = bench.told();
    let signing = std::thread::spawn(move || client.sign(&user, NONCE));
    says(&heard, PRESS);
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    bench.press();
    signing.join().expect("a thread").expect("a signature");

    // Locking takes back what waits.
    let (mut client, heard) = bench.told();
    let signing = std::thread::spawn(move || client.sign(&user, NONCE));
    says(&heard, PRESS);
    bench.client().lock_store(STORE).expect("to lock");
    let (status, reason) = refusal(signing.join().expect("a thread"));
    assert!(
        status == Status::Refused && reason.contains("taken back"),
        "{reason}"
    );
    let (status, _) = refusal(bench.client().sign(&user, NONCE));
    assert_eq!(status, Status::Locked);

    // Nobody presses: half a minute, here as short as the token's clock is fast.
    bench.replug("never", &["--speed", "20"]);
    bench.unlock(PIN).expect("to unlock");
    let (status, reason) = refusal(bench.client().sign(&user, NONCE));
    assert!(
        status == Status::Refused && reason.contains("nobody pressed"),
        "{reason}"
    );
}

#[test]
fn many_requests_at_once_are_each_pressed_for() {
    let bench = Bench::new();
    let account = bench.generate(Kind::Account, "APP");
    let (mut client, heard) = bench.told();
    let users = client.generate_many(
        Kind::User,
        &[String::new(), String::new(), String::new()],
        0,
    );
    let claims: Vec<String> = users
        .expect("keys")
        .into_iter()
        .map(|user| {
            format!(
                r#"{{"sub":"{}","nats":{{"type":"user"}}}}"#,
                user.expect("a key")
            )
        })
        .collect();
    let issued = client.issue_many(&account, &claims, 0).expect("answers");
    assert!(issued.iter().all(Result::is_ok), "{issued:?}");
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), [PRESS; 3]);
}

#[test]
fn a_token_that_is_pulled_out_before_during_or_after_is_named() {
    let mut bench = Bench::new();
    let user = bench.generate(Kind::User, "front");
    bench.client().sign(&user, NONCE).expect("a signature");
    // After: the session is over, and the PIN is not given again.
    bench.replug("ask", &[]);
    let (status, reason) = refusal(bench.client().sign(&user, NONCE));
    assert_eq!(status, Status::Locked);
    assert!(reason.contains("nkey token unlock VIRTUAL-1"), "{reason}");
    let home = Scratch::new();
    let claims = format!(r#"{{"sub":"{user}","nats":{{"type":"user"}}}}"#);
    let account = bench
        .client()
        .generate(Kind::Account, "A", 0)
        .expect("a key");
    run(
        &mut bench
            .agent
            .nkey(home.path(), &format!("sign --key {account}")),
        &claims,
    )
    .ok();
    // During.
    bench.unlock(PIN).expect("to unlock");
    let (mut client, heard) = bench.told();
    let signing = std::thread::spawn(move || client.sign(&user, NONCE));
    says(&heard, PRESS);
    bench.token.take();
    let (status, reason) = refusal(signing.join().expect("a thread"));
    assert_eq!(status, Status::StoreFailed);
    assert!(reason.contains("it is gone"), "{reason}");
    // Before.
    let (status, _) = refusal(bench.client().sign(&user, NONCE));
    assert_eq!(status, Status::Locked);
    let (status, reason) = refusal(bench.unlock(PIN));
    assert_eq!(status, Status::StoreFailed);
    assert!(reason.contains("gone"), "{reason}");
    assert_eq!(
        bench.client().stores().expect("stores")[1].state(),
        "absent"
    );
    // And back.
    bench.replug("always", &[]);
    bench.unlock(PIN).expect("to unlock");
    bench.client().sign(&user, NONCE).expect("a signature");
}

#[test]
fn an_idle_or_spent_session_ends_with_exit_4_and_the_command_to_type() {
    let mut bench = Bench::new();
    let account = bench.generate(Kind::Account, "APP");
    let user = bench.client().generate(Kind::User, "", 0).expect("a key");
    let claims = format!(r#"{{"sub":"{user}","nats":{{"type":"user"}}}}"#);
    let home = Scratch::new();
    let sign = |bench: &Bench| {
        let arguments = format!("sign --key {account}");
        run(&mut bench.agent.nkey(home.path(), &arguments), &claims)
    };
    let output = sign(&bench);
    assert!(output.stderr.contains(PRESS), "{output:?}");
    output.ok();
    let mut scratch = [0; 1024];
    let policy = policy(&bench, &mut scratch);
    let spent = Policy {
        budget: Some(1),
        ..policy
    };
    let tighten = Command::Tighten {
        slot: 0,
        policy: spent,
    };
    pass(&mut bench.client(), tighten).expect("to tighten it");
    bench.unlock(PIN).expect("a session of its own is open");
    bench.client().lock_store(STORE).expect("to lock");
    bench.unlock(PIN).expect("to unlock");
    sign(&bench).ok();
    let told = sign(&bench).fails(4);
    assert!(told.contains("nkey token unlock VIRTUAL-1"), "{told}");
    // A minute, here three seconds.
    bench.replug("always", &["--speed", "20"]);
    bench.unlock(PIN).expect("to unlock");
    std::thread::sleep(Duration::from_millis(3_500));
    let told = sign(&bench).fails(4);
    assert!(told.contains("nkey token unlock VIRTUAL-1"), "{told}");
    wait_for(
        || bench.client().status().expect("its status").is_locked(),
        "the agent to close the port",
    );
}

/// The policy of slot 0.
fn policy<'a>(bench: &Bench, scratch: &'a mut [u8]) -> Policy<'a> {
    let answer = pass(&mut bench.client(), Command::Slot { slot: 0 }).expect("the slot");
    scratch[..answer.len()].copy_from_slice(&answer);
    match postcard::from_bytes(&scratch[..answer.len()]) {
        Ok(Answer::Slot(details)) => details.policy,
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_key_in_the_slot_or_another_device_is_refused_and_both_are_shown() {
    let bench = Bench::new();
    let user = bench.generate(Kind::User, "front");
    let mut client = bench.client();
    pass(&mut client, Command::Erase { slot: 0 }).expect("to erase it");
    let command = Command::Generate {
        kind: Kind::User.prefix(),
        name: "other",
        exportable: false,
    };
    let other = pass(&mut client, command).expect("another key");
    let other = match postcard::from_bytes(&other) {
        Ok(Answer::Key(key)) => PublicKey::from_bytes(Kind::User, key.key),
        answer => panic!("{answer:?}"),
    };
    let (status, reason) = refusal(client.sign(&user, NONCE));
    assert_eq!(status, Status::StoreFailed);
    for part in [user, other] {
        assert!(reason.contains(&part.to_string()), "{reason}");
    }
    let enrol = |client: &mut Client, slot, kind| {
        client.enrol(&Enrol {
            store: STORE,
            slot,
            kind,
            name: "",
            flags: 0,
            key: None,
        })
    };
    let (_, reason) = refusal(enrol(&mut client, "0", Kind::Account));
    assert!(reason.contains("the user key"), "{reason}");
    assert_eq!(
        enrol(&mut client, "other", Kind::User).expect("to enrol"),
        other
    );
    client.sign(&other, NONCE).expect("a signature");

    // A factory reset makes another device, whose keys cannot stand beside those of the first.
    pass(&mut client, Command::Reset).expect("to reset it");
    bench.init();
    let said = bench.unlock(PIN).expect("to unlock");
    assert!(
        said[0].contains("its enrolled keys were pinned with N"),
        "{said:?}"
    );
    let (_, reason) = refusal(client.sign(&other, NONCE));
    assert!(
        reason.contains("device key is N") && reason.contains("not the pinned N"),
        "{reason}"
    );
    let (_, reason) = refusal(client.generate_in(STORE, Kind::User, "", 0));
    assert!(reason.contains("a key was made in slot 0"), "{reason}");
    assert!(reason.contains("were pinned with N"), "{reason}");
    for key in [user, other] {
        client.remove(&key).expect("to remove it");
    }
    let third = enrol(&mut client, "0", Kind::User).expect("to enrol");
    client.sign(&third, NONCE).expect("a signature");
}

#[test]
fn a_lying_token_is_noticed_whatever_it_lies_about() {
    let mut bench = Bench::new();
    let user = bench.generate(Kind::User, "front");
    for (lie, part) in [
        ("signature", "is not that of"),
        ("key", "not the pinned"),
        ("device", "not the pinned"),
        ("serial", "this is the token VIRTUAL-OTHER, not VIRTUAL-1"),
        ("protocol", "versions 200 to 201"),
        ("id", "does not answer as a token does"),
        ("noise", "does not answer as a token does"),
        ("endless", "does not answer as a token does"),
        ("attestation", "not signed by its device key"),
    ] {
        bench.replug("always", &["--lie", lie]);
        let told = match bench.unlock(PIN) {
            Err(error) => Err(error),
            Ok(_) if lie == "attestation" => bench
                .client()
                .generate_in(STORE, Kind::User, "", 0)
                .map(drop),
            Ok(_) => bench.client().sign(&user, NONCE).map(drop),
        };
        let (status, reason) = refusal(told);
        assert_eq!(status, Status::StoreFailed, "{lie}: {reason}");
        assert!(reason.contains(part), "{lie}: {reason}");
    }
}

#[test]
fn what_is_too_large_is_refused_before_a_pin_is_asked_for() {
    let bench = Bench::new();
    let account = bench.generate(Kind::Account, "APP");
    let user = bench.client().generate(Kind::User, "", 0).expect("a key");
    let mut client = bench.client();
    client.lock_store(STORE).expect("to lock");
    let claims = |size| {
        let name = "x".repeat(size);
        format!(r#"{{"sub":"{user}","name":"{name}","nats":{{"type":"user"}}}}"#)
    };
    let (status, reason) = refusal(client.issue(&account, &claims(30_000), 0, 0));
    assert_eq!(status, Status::TooLarge, "{reason}");
    assert!(reason.contains("token:one signs at most 32768"), "{reason}");
    let (status, _) = refusal(client.issue(&account, &claims(20_000), 0, 0));
    assert_eq!(status, Status::Locked);
    bench.unlock(PIN).expect("to unlock");
    client
        .issue(&account, &claims(20_000), 0, 0)
        .expect("a token");
}

#[test]
fn a_virtual_token_is_refused_without_leave_by_name() {
    let scratch = Scratch::new();
    let _token = Running::start(&scratch, true, "always", &[]);
    for leave in ["", "allow_virtual = \"VIRTUAL-2\"\n"] {
        let agent = Agent::with_holders(&config(&scratch, leave));
        let store = agent.client().stores().expect("stores").remove(1);
        assert_eq!(store.state(), "absent");
        assert!(
            store.why.contains("VIRTUAL-1 is a VIRTUAL token"),
            "{store:?}"
        );
        let mut prompt = Pin(PIN, Vec::new());
        let told = agent.client().unlock_store(STORE, &mut prompt).map(drop);
        let (_, reason) = refusal(told);
        assert!(reason.contains("allow it by name"), "{reason}");
        assert_eq!(prompt.1, Vec::<String>::new(), "the PIN was asked for");
    }
}

#[test]
fn a_time_far_from_the_last_press_needs_the_button_held_and_may_be_given_up() {
    let mut bench = Bench::blank();
    bench.init_at(now() - 40 * 86_400);
    bench.replug("ask", &[]);
    let socket = bench.agent.socket();
    let unlock = move |say: std::sync::mpsc::Sender<String>| {
        let mut prompt = Saying(say);
        Client::connect(&socket)
            .expect("the agent")
            .unlock_store(STORE, &mut prompt)
    };
    let hold = "hold the button on token:one (VIRTUAL-1) for 3 s: the time it is told is too far from the last time its button was pressed";
    let (say, heard) = channel();
    let unlocking = std::thread::spawn({
        let unlock = unlock.clone();
        move || unlock(say)
    });
    says(&heard, hold);
    // Locking takes it back.
    bench.client().lock_store(STORE).expect("to lock");
    let (status, reason) = refusal(unlocking.join().expect("a thread"));
    assert!(
        status == Status::Refused && reason.contains("taken back"),
        "{reason}"
    );
    let (say, heard) = channel();
    let unlocking = std::thread::spawn(move || unlock(say));
    says(&heard, hold);
    bench.press();
    let status = unlocking.join().expect("a thread").expect("to unlock");
    assert!(!status.is_locked());
}

/// Gives the PIN, and passes on what is said.
struct Saying(std::sync::mpsc::Sender<String>);

impl Prompt for Saying {
    fn message(&mut self, text: &str) {
        let _ = self.0.send(text.to_owned());
    }

    fn secret(&mut self, _text: &str) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new(PIN.to_owned()))
    }

    fn public(&mut self, _text: &str) -> Option<String> {
        None
    }

    fn confirm(&mut self, _text: &str) -> Option<bool> {
        None
    }
}

#[test]
fn commands_are_passed_on_but_none_that_signs() {
    let bench = Bench::new();
    let user = bench.generate(Kind::User, "front");
    let mut client = bench.client();
    let sign = Command::Sign {
        slot: 0,
        message: NONCE,
    };
    let (status, reason) = refusal(pass(&mut client, sign));
    assert!(
        status == Status::Refused && reason.contains("sign-v1"),
        "{reason}"
    );
    let unlock = Command::Unlock {
        pin: PIN.as_bytes(),
        time: now(),
    };
    let (_, reason) = refusal(pass(&mut client, unlock));
    assert!(reason.contains("unlock-v2"), "{reason}");
    let (_, reason) = refusal(client.token(STORE, &[200]));
    assert!(reason.contains("no command"), "{reason}");
    let (_, reason) = refusal(client.token("vault", &[0]));
    assert!(reason.contains("no token"), "{reason}");
    // Named by its serial number as well.
    let hello = client.token("VIRTUAL-1", &[0]).expect("an answer");
    let hello = postcard::from_bytes(&hello);
    assert!(matches!(hello, Ok(Answer::Hello(hello)) if hello.serial == "VIRTUAL-1"));
    // A held button is announced.
    let (mut told, heard) = bench.told();
    let change = Command::ChangePin {
        old: PIN.as_bytes(),
        new: b"better staple",
    };
    pass(&mut told, change).expect("another PIN");
    pass(&mut told, Command::Erase { slot: 0 }).expect("to erase it");
    says(&heard, "hold the button on token:one (VIRTUAL-1) for 3 s");
    let (_, reason) = refusal(client.sign(&user, NONCE));
    assert!(reason.contains("slot 0 is free"), "{reason}");
    client.lock_store(STORE).expect("to lock");
    refusal(bench.unlock(PIN));
    bench.unlock("better staple").expect("to unlock");
    client.lock_store(STORE).expect("to lock");
    let (status, reason) = refusal(pass(&mut client, Command::Erase { slot: 0 }));
    assert_eq!(status, Status::Locked);
    assert!(reason.contains("nkey token unlock VIRTUAL-1"), "{reason}");
}

#[test]
fn eight_clients_sign_at_once_and_others_do_not_wait_for_a_press() {
    let mut bench = Bench::new();
    let user = bench.generate(Kind::User, "front");
    let other = bench.client().generate(Kind::User, "", 0).expect("a key");
    let silent = Policy {
        presence: Presence::Never,
        ..Policy::new(Kind::User)
    };
    let loosen = Command::Loosen {
        slot: 0,
        policy: silent,
    };
    pass(&mut bench.client(), loosen).expect("to loosen it");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = bench.client();
                for _ in 0..25 {
                    client.sign(&user, NONCE).expect("a signature");
                }
            });
        }
    });
    let counted = pass(&mut bench.client(), Command::Counters).expect("its counters");
    let counted = postcard::from_bytes(&counted);
    // Two hundred, and the attestation of the enrolment.
    assert!(
        matches!(&counted, Ok(Answer::Counters(counters)) if counters.signatures == 201),
        "{counted:?}"
    );
    // While one request waits for the button, keys elsewhere sign.
    let always = Policy::new(Kind::User);
    let tighten = Command::Tighten {
        slot: 0,
        policy: always,
    };
    pass(&mut bench.client(), tighten).expect("to tighten it");
    bench.replug("ask", &[]);
    bench.unlock(PIN).expect("to unlock");
    let (mut client, heard) = bench.told();
    let signing = std::thread::spawn(move || client.sign(&user, NONCE));
    says(&heard, PRESS);
    let mut client = bench.client();
    for _ in 0..100 {
        client.sign(&other, NONCE).expect("a signature");
    }
    // What is asked of the token meanwhile is answered from what it said last.
    let stores = client.stores().expect("stores");
    assert_eq!(stores[1].state(), "ready", "{stores:?}");
    assert!(!signing.is_finished());
    bench.press();
    signing.join().expect("a thread").expect("a signature");
}
