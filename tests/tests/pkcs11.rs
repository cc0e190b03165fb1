//! PKCS#11: SoftHSM2, and a module that hangs, crashes and lies.

use nkey_agent::client::{Client, Enrol, Error};
use nkey_agent::message::Status;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_tests::{
    Agent, EVIL, Pin, SoftHsm, claims_of, command, limit_is_exact, lists_cleanly, program, refusal,
    run, server_accepts, skipped, wait_for,
};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const NONCE: &[u8] = b"abcdefghijklmno";

/// A token, an agent over it, and a file of orders for the module of the tests.
struct Bench {
    softhsm: SoftHsm,
    agent: Agent,
}

impl Bench {
    fn new(softhsm: SoftHsm, odd: bool) -> Bench {
        Bench::with(softhsm, odd, "")
    }

    fn with(softhsm: SoftHsm, odd: bool, extra: &str) -> Bench {
        let module = match odd {
            true => program("libnkey_tests_module.so"),
            false => SoftHsm::module(),
        };
        let config = format!(
            "[pkcs11.soft]\nmodule = \"{}\"\ntoken = \"nats\"\npatience = 2\n{extra}\n",
            module.display()
        );
        let orders = softhsm.scratch().file("orders", "");
        let agent = Agent::with_environment(
            &config,
            &[
                softhsm.environment(),
                (
                    "NKEY_TEST_MODULE".into(),
                    SoftHsm::module().display().to_string(),
                ),
                ("NKEY_TEST_ORDERS".into(), orders.display().to_string()),
            ],
        );
        Bench { softhsm, agent }
    }

    fn order(&self, word: &str) {
        self.softhsm.scratch().file("orders", word);
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
            store: "pkcs11:soft",
            slot,
            kind,
            name: slot,
            flags: 0,
            key: None,
        })
    }

    fn is_locked(&self) -> bool {
        self.client().status().expect("its status").is_locked()
    }
}

#[test]
fn keys_made_by_pkcs11_tool_and_by_us_sign_for_a_real_server() {
    if skipped("nats-server") {
        return;
    }
    let softhsm = SoftHsm::new();
    softhsm.make("operator", "01");
    softhsm.make("account", "02");
    let bench = Bench::new(softhsm, false);
    let (status, _) = refusal(bench.enrol("operator", Kind::Operator));
    assert_eq!(status, Status::Locked);
    let asked = bench.unlock("1234").expect("to unlock");
    assert_eq!(asked, ["PIN of pkcs11:soft (nats)"]);
    // By label, by id, by URI.
    let operator = bench.enrol("operator", Kind::Operator).expect("to enrol");
    let account = bench
        .enrol("pkcs11:object=account;id=%02", Kind::Account)
        .expect("to enrol");
    let mut client = bench.client();
    let user = client
        .generate_in("pkcs11:soft", Kind::User, "user", 0)
        .expect("a key");
    server_accepts(&bench.agent, &operator, &account, &user);
    let stores = client.stores().expect("stores");
    assert_eq!(
        (stores[1].state(), stores[1].keys),
        ("ready", 3),
        "{stores:?}"
    );
    assert!(stores[1].is_shared() && !stores[1].serial.is_empty());
    assert_eq!(stores[1].policy, "PIN once");
    let slots = client.slots("pkcs11:soft").expect("slots");
    assert_eq!(slots.len(), 3);
    assert!(
        slots.iter().all(|slot| slot.enrolled.is_some()),
        "{slots:?}"
    );
    // About as long as servers read tokens; SoftHSM2 signs more.
    let claims = claims_of(700_000, &user);
    client
        .issue(&account, &claims, 0, 0)
        .expect("a large token");
    let (_, reason) = refusal(client.export(&user));
    assert!(
        reason.contains("stays in the agent") || reason.contains("not"),
        "{reason}"
    );
}

#[test]
fn a_token_that_is_locked_again_forgets_its_pin_and_a_new_agent_finds_its_keys() {
    let softhsm = SoftHsm::new();
    softhsm.make("user", "07");
    let mut bench = Bench::new(softhsm, false);
    bench.unlock("1234").expect("to unlock");
    let user = bench.enrol("id:07", Kind::User).expect("to enrol");
    bench.client().lock().expect("to lock");
    let (status, _) = refusal(bench.client().sign(&user, NONCE));
    assert_eq!(status, Status::Locked);
    bench.agent.end(rustix::process::Signal::TERM);
    bench.agent.start();
    assert!(bench.is_locked());
    let (status, _) = refusal(bench.client().sign(&user, NONCE));
    assert_eq!(status, Status::Locked);
    bench.unlock("1234").expect("to unlock");
    bench.client().sign(&user, NONCE).expect("a signature");
}

#[test]
fn a_wrong_pin_is_said_and_not_tried_again() {
    let softhsm = SoftHsm::new();
    softhsm.make("user", "07");
    let bench = Bench::new(softhsm, true);
    let (status, reason) = refusal(bench.unlock("4321"));
    assert_eq!(status, Status::Refused);
    assert!(reason.contains("pkcs11:soft: the PIN is wrong"), "{reason}");
    assert!(bench.is_locked());
    bench.order("login-blocked");
    let messages = bench.unlock("1234").expect("the others go on");
    assert!(
        messages.iter().any(|text| text.contains("blocked")),
        "{messages:?}"
    );
    assert!(bench.is_locked());
    bench.order("");
    bench.unlock("1234").expect("to unlock");
    let user = bench.enrol("user", Kind::User).expect("to enrol");
    bench.client().sign(&user, NONCE).expect("a signature");
}

#[test]
fn a_module_that_hangs_crashes_or_loses_its_session_is_started_anew() {
    let softhsm = SoftHsm::new();
    softhsm.make("user", "07");
    let bench = Bench::new(softhsm, true);
    bench.unlock("1234").expect("to unlock");
    let user = bench.enrol("user", Kind::User).expect("to enrol");
    let other = bench.client().generate(Kind::User, "", 0).expect("a key");
    let sign = || bench.client().sign(&user, NONCE);
    for (word, part) in [
        ("crash", "crashed (signal 6)"),
        ("hang", "no answer within 2 s"),
        ("error", "CKR_FUNCTION_FAILED"),
        ("removed", "the token is not there"),
        ("long", "does not sign 15 bytes"),
        ("lost", "CKR_SESSION_HANDLE_INVALID"),
    ] {
        bench.order(word);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(sign);
            std::thread::sleep(Duration::from_millis(100));
            let begun = Instant::now();
            bench.client().sign(&other, NONCE).expect("another key");
            assert!(begun.elapsed() < Duration::from_secs(1), "{word}");
            let (status, reason) = refusal(waiting.join().expect("a thread"));
            assert_eq!(status, Status::StoreFailed);
            assert!(reason.contains(part), "{word}: {reason}");
        });
        bench.order("");
        assert!(!bench.is_locked(), "{word}");
        sign().unwrap_or_else(|error| panic!("after {word}: {error}"));
    }
}

#[test]
fn a_pin_that_kills_the_module_is_not_given_to_it_again() {
    let softhsm = SoftHsm::new();
    softhsm.make("user", "07");
    let bench = Bench::new(softhsm, true);
    bench.unlock("1234").expect("to unlock");
    let user = bench.enrol("user", Kind::User).expect("to enrol");
    bench.order("crash");
    refusal(bench.client().sign(&user, NONCE));
    bench.order("login-crash");
    let (_, reason) = refusal(bench.client().sign(&user, NONCE));
    assert!(reason.contains("crashed"), "{reason}");
    for _ in 0..3 {
        let (status, _) = refusal(bench.client().sign(&user, NONCE));
        assert_eq!(status, Status::Locked);
    }
    let logins = bench.softhsm.scratch().path().join("orders.logins");
    assert_eq!(std::fs::read_to_string(logins).expect("a login"), "x");
    bench.order("");
    bench.unlock("1234").expect("to unlock");
    bench.client().sign(&user, NONCE).expect("a signature");
}

#[test]
fn a_module_that_lies_is_reported_as_what_it_is() {
    let softhsm = SoftHsm::new();
    softhsm.make("account", "07");
    let bench = Bench::new(softhsm, true);
    bench.unlock("1234").expect("to unlock");
    let lies = [
        ("prefix", "only the first 32 of"),
        ("zeros", "zeros"),
        ("bit", "is not that of"),
        ("short", "answered 10 bytes"),
        ("replay", "is not that of"),
    ];
    for (word, part) in lies {
        bench.order(word);
        let (_, reason) = refusal(bench.enrol("account", Kind::Account));
        assert!(reason.contains(part), "{word}: {reason}");
    }
    bench.order("");
    let account = bench.enrol("account", Kind::Account).expect("to enrol");
    let claims = format!(r#"{{"sub":"{account}","nats":{{}}}}"#);
    for (word, part) in lies {
        bench.order(word);
        let (_, reason) = refusal(bench.client().issue(&account, &claims, 0, 0));
        assert!(reason.contains(part), "{word}: {reason}");
    }
}

#[test]
fn a_token_without_eddsa_a_wrong_token_and_a_wrong_module_are_named() {
    let softhsm = SoftHsm::new();
    softhsm.make("user", "07");
    let bench = Bench::new(softhsm, true);
    bench.order("no-eddsa");
    let (_, reason) = refusal(bench.client().slots("pkcs11:soft"));
    assert!(
        reason.contains("the token nats") && reason.contains("CKM_EDDSA"),
        "{reason}"
    );
    let stores = bench.client().stores().expect("stores");
    assert_eq!(stores[1].state(), "absent");
    drop(bench);
    let softhsm = SoftHsm::new();
    let writable = softhsm.scratch().file("writable.so", "not ELF");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    std::fs::set_permissions(&writable, open).expect("its mode");
    let text = softhsm.scratch().file("text.so", "not ELF");
    let real = SoftHsm::module();
    let cases: [(&str, PathBuf, &str, &str); 5] = [
        ("a", real.clone(), "other", "its tokens are nats"),
        ("b", real, "pkcs11:slot-id=1", "not known"),
        ("c", writable, "", "written by others"),
        ("d", text, "", "text.so"),
        ("e", "/nowhere/module.so".into(), "", "No such file"),
    ];
    let mut config = String::new();
    for (name, module, token, _) in &cases {
        config += &format!(
            "[pkcs11.{name}]\nmodule = \"{}\"\ntoken = \"{token}\"\n",
            module.display()
        );
    }
    let agent = Agent::with_environment(&config, &[softhsm.environment()]);
    for (name, _, _, part) in &cases {
        let (_, reason) = refusal(agent.client().slots(&format!("pkcs11:{name}")));
        assert!(reason.contains(part), "{name}: {reason}");
    }
}

#[test]
fn a_holder_process_ends_with_its_agent_even_if_it_hangs() {
    let softhsm = SoftHsm::new();
    softhsm.make("user", "07");
    let mut bench = Bench::new(softhsm, true);
    bench.unlock("1234").expect("to unlock");
    let user = bench.enrol("user", Kind::User).expect("to enrol");
    bench.order("hang");
    let mut client = bench.client();
    let waiting = std::thread::spawn(move || client.sign(&user, NONCE).is_err());
    let children = format!("/proc/{0}/task/{0}/children", bench.agent.pid());
    let mut child = String::new();
    wait_for(
        || {
            child = std::fs::read_to_string(&children).unwrap_or_default();
            !child.trim().is_empty()
        },
        "a holder process",
    );
    bench.agent.end(rustix::process::Signal::KILL);
    assert!(waiting.join().expect("a thread"));
    let process = PathBuf::from(format!("/proc/{}", child.trim()));
    let is_gone = || {
        let state = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
        state.is_empty() || state.contains(") Z ")
    };
    wait_for(is_gone, "its end");
}

#[test]
fn neither_program_needs_a_driver_and_the_holder_explains_itself() {
    for name in ["nkey", "nkey-agent"] {
        let needed = run(command("readelf").arg("-d").arg(program(name)), "").ok();
        assert!(needed.contains("NEEDED"), "{needed}");
        for library in ["pcsc", "pkcs11", "softhsm"] {
            assert!(!needed.contains(library), "{name}: {needed}");
        }
    }
    let told = run(&mut command(program("nkey-holder")), "").fails(2);
    assert!(told.contains("nkey-agent starts this program"), "{told}");
}

#[test]
fn eight_clients_sign_a_thousand_times_at_once() {
    let softhsm = SoftHsm::new();
    softhsm.make("user", "07");
    let bench = Bench::new(softhsm, false);
    bench.unlock("1234").expect("to unlock");
    let user = bench.enrol("user", Kind::User).expect("to enrol");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = bench.client();
                for _ in 0..125 {
                    client.sign(&user, NONCE).expect("a signature");
                }
            });
        }
    });
}

#[test]
fn labels_with_control_characters_do_not_reach_the_terminal() {
    let softhsm = SoftHsm::new();
    softhsm.make(EVIL, "07");
    let bench = Bench::new(softhsm, false);
    bench.unlock("1234").expect("to unlock");
    lists_cleanly(&bench.agent, "pkcs11:soft");
}

#[test]
fn a_token_that_goes_and_comes_back_signs_again() {
    let softhsm = SoftHsm::new();
    softhsm.make("user", "07");
    let bench = Bench::new(softhsm, true);
    bench.unlock("1234").expect("to unlock");
    let user = bench.enrol("user", Kind::User).expect("to enrol");
    // Before a request, in it, and between two.
    for _ in 0..2 {
        bench.client().sign(&user, NONCE).expect("a signature");
        bench.order("removed");
        for _ in 0..2 {
            let (status, reason) = refusal(bench.client().sign(&user, NONCE));
            assert_eq!(status, Status::StoreFailed);
            assert!(reason.contains("the token is not there"), "{reason}");
        }
        bench.order("");
        bench.client().sign(&user, NONCE).expect("a signature");
    }
}

#[test]
fn a_limit_that_is_named_is_exact() {
    let softhsm = SoftHsm::new();
    softhsm.make("account", "07");
    // What YubiHSM 2 signs, by its documentation.
    let bench = Bench::with(softhsm, true, "limit = 2047");
    bench.unlock("1234").expect("to unlock");
    let account = bench.enrol("account", Kind::Account).expect("to enrol");
    let reason = limit_is_exact(&bench.agent, &account, 2047);
    assert!(
        reason.contains("pkcs11:soft signs at most 2047"),
        "{reason}"
    );
}
