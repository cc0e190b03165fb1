//! The main job through agent and CLI: every key is born on the token, and a real server accepts what it signs.

use nkey_core::nkey::{Kind, PublicKey};
use nkey_tests::emulator::{Emulator, firmware};
use nkey_tests::{Agent, Demo, Scratch, contains, run, skipped, wait_for};
use std::process::{Child, Stdio};

const DIRECT: &str = "--sysfs nowhere";

/// A token at its agent, and a person with a shell.
struct Desk {
    _scratch: Scratch,
    emulator: Emulator,
    serial: String,
    demo: Demo,
}

impl Desk {
    fn new() -> Desk {
        let scratch = Scratch::new();
        let emulator = Emulator::in_folder(scratch.path(), &firmware(), &[]);
        emulator.presence(true);
        let serial = emulator.attached().serial;
        let port = emulator.path.display();
        let holders = format!("[token.desk]\nserial = \"{serial}\"\nport = \"{port}\"\n");
        let demo = Demo {
            agent: Agent::with_holders(&holders),
            home: Scratch::new(),
        };
        demo.home.file("pin", "correct horse\n");
        demo.home.file("wrong", "wrong horse\n");
        Desk {
            _scratch: scratch,
            emulator,
            serial,
            demo,
        }
    }

    /// Starts `nkey`, which will wait for the button.
    fn start(&self, arguments: &str) -> Child {
        let blinks = || self.emulator.state()["lightChanges"].as_u64();
        // The light of the last request is out.
        self.emulator.pass(1_100);
        let before = blinks();
        let mut nkey = self.demo.command(arguments);
        nkey.stdin(Stdio::null());
        nkey.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = nkey.spawn().expect("nkey");
        wait_for(|| blinks() > before, "the light");
        child
    }
}

#[track_caller]
fn ends(child: Child, status: i32) -> String {
    let output = child.wait_with_output().expect("its end");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{said}");
    said
}

#[test]
fn operator_account_and_user_are_born_on_it_and_a_server_accepts() {
    if skipped("nats-server") {
        return;
    }
    let Desk {
        emulator,
        serial,
        demo,
        ..
    } = &Desk::new();
    let listed = demo.nkey(&format!("token list {DIRECT}"));
    contains(&listed, &[serial, "RP2040", "empty"]);
    let unlock = "token unlock --pin-file pin";
    let init = format!("token init --yes --iterations 1000 --pin-file pin {DIRECT}");
    contains(
        &demo.run(&init).stderr,
        &["there is no PUK", "hold the button on"],
    );
    let needs = format!("nkey token unlock {serial}");
    contains(
        &demo.run("init -n demo --store token:desk").fails(4),
        &[&needs],
    );
    contains(
        &demo.run("token unlock --pin-file wrong").fails(3),
        &["the PIN is wrong", "7 tries"],
    );
    demo.nkey(unlock);

    let made = demo.run("init -n demo --store token:desk");
    contains(&made.stderr, &["press the button on"]);
    contains(&made.ok(), &["the operator's seeds are in token:desk"]);
    demo.nkey("add account -n app --store token:desk");
    demo.nkey("add user -a app -n front --store token:desk --allow-pub foo.> --allow-sub foo.>");
    contains(&demo.nkey("validate -A"), &["0 findings"]);
    let keys = demo.nkey("list keys");
    for name in ["demo", "demo/sk", "demo/app", "demo/app/front"] {
        let found = keys.lines().any(|line| {
            let cells: Vec<&str> = line.split_whitespace().collect();
            cells.get(2) == Some(&name) && cells.get(3) == Some(&"token:desk")
        });
        assert!(found, "{name}: {keys}");
    }

    let server = demo.server("--nats-resolver", "");
    demo.nkey(&format!("push -A -u {}", server.url()));
    // The token signs the server's nonce.
    let before = counted(demo);
    let connected = demo.connect(&server, "app", "front");
    assert!(connected.is_ok(), "{:?}", connected.err());
    assert_eq!(counted(demo), before + 1);
    drop(connected);

    // Without its power it has forgotten the PIN, and nothing else.
    emulator.unplug();
    emulator.plug();
    let add = "add user -a app -n late --store token:desk";
    contains(&demo.run(add).fails(4), &[&needs]);
    demo.nkey(unlock);
    demo.nkey(add);
    contains(&demo.nkey("validate -A"), &["0 findings"]);
}

fn counted(demo: &Demo) -> u64 {
    let counters = demo.nkey(&format!("token counters -J {DIRECT}"));
    let counters: serde_json::Value = serde_json::from_str(&counters).expect("JSON");
    counters["signatures"].as_u64().expect("a number")
}

#[test]
fn pressed_not_pressed_pulled_out() {
    let desk = Desk::new();
    let demo = &desk.demo;
    demo.nkey(&format!(
        "token init --yes --iterations 1000 --pin-file pin {DIRECT}"
    ));
    demo.nkey("token unlock --pin-file pin");
    demo.nkey("init -n demo");
    let account = demo.nkey("generate nkey -a --store=token:desk");
    let account = account.trim();
    let user = PublicKey::from_bytes(Kind::User, [9; 32]);
    let claims = format!(r#"{{"sub":"{user}","nats":{{"type":"user"}}}}"#);
    demo.home.file("claims", claims);
    let sign = format!("sign --key {account} claims");

    desk.emulator.presence(false);
    let waiting = desk.start(&sign);
    desk.emulator.press(100);
    contains(
        &ends(waiting, 0),
        &[&format!("press the button on token:desk ({})", desk.serial)],
    );
    let waiting = desk.start(&sign);
    desk.emulator.pass(31_000);
    contains(&ends(waiting, 3), &["nobody pressed"]);
    // On the button too early: it waits for another press.
    desk.emulator.button(true);
    let waiting = desk.start(&sign);
    desk.emulator.pass(10_000);
    desk.emulator.button(false);
    desk.emulator.pass(21_000);
    contains(&ends(waiting, 3), &["nobody pressed"]);
    let waiting = desk.start(&sign);
    desk.emulator.unplug();
    contains(&ends(waiting, 1), &["gone"]);
    desk.emulator.plug();
    desk.emulator.presence(true);
    demo.nkey("token unlock --pin-file pin");
    run(&mut demo.command(&sign), "").ok();
}
