//! `nkey token` while the agent holds the token, and operators that are born on one.

use nkey_core::nkey::{Kind, Seed};
use nkey_tests::{Agent, Desk, Output, Scratch, command, contains, plugged_in, program, run};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The configuration of a virtual token.
fn holder(desk: &Desk, name: &str, serial: &str) -> String {
    format!(
        "[token.{name}]\nserial = \"{serial}\"\nport = \"{}\"\nallow_virtual = \"{serial}\"\n",
        desk.scratch.path().join("line").display()
    )
}

/// `nkey` with this agent, in the desk's folder; no other tokens are plugged in.
fn nkey(desk: &Desk, agent: &Agent, arguments: &str) -> Output {
    let mut nkey = command(program("nkey"));
    nkey.args(arguments.split_whitespace());
    let direct = !["unlock", "lock"]
        .iter()
        .any(|word| arguments.starts_with(&format!("token {word}")));
    if arguments.starts_with("token ") && direct {
        nkey.args(["--sysfs", "nowhere"]);
    }
    nkey.env("HOME", desk.scratch.path())
        .env("NKEY_AUTH_SOCK", agent.socket())
        .current_dir(desk.scratch.path());
    run(&mut nkey, "")
}

#[test]
fn through_the_agent_all_is_as_directly() {
    let desk = Desk::new("VIRTUAL-T1");
    let agent = Agent::with_holders(&holder(&desk, "desk", "VIRTUAL-T1"));
    let nkey = |arguments: &str| nkey(&desk, &agent, arguments);
    let listed = nkey("token list");
    contains(&listed.stderr, &["VIRTUAL-T1 is a VIRTUAL token"]);
    contains(&listed.ok(), &["VIRTUAL-T1", "empty", "the agent"]);
    contains(
        &nkey("token init --yes --pin-file pin --iterations 1000 --importable").stderr,
        &["hold the button on", "there is no PUK"],
    );
    contains(
        &nkey("token generate -a --name app").fails(4),
        &["nkey token unlock VIRTUAL-T1"],
    );
    contains(
        &nkey("token unlock --pin-file wrong").fails(3),
        &["the PIN is wrong"],
    );
    contains(
        &nkey("token unlock VIRTUAL-T2").fails(1),
        &["VIRTUAL-T2 is not plugged in"],
    );
    nkey("token unlock --pin-file pin").ok();
    contains(
        &nkey("token info").ok(),
        &["unlocked", "importable     Yes"],
    );
    contains(
        &desk.nkey("info").fails(1),
        &["another program has line open", "nkey agent status"],
    );
    let made = nkey("token generate -a --name app");
    contains(&made.stderr, &["enrolled in the agent"]);
    let key = made.ok().trim().to_owned();
    let listed = nkey("list keys").ok();
    let row = listed.lines().find(|line| line.contains(&key));
    contains(row.expect("its row"), &["app", "token:desk", "VIRTUAL"]);
    nkey("token name app billing").ok();
    contains(
        &nkey("token policy billing --longest-life 9d").stderr,
        &["allows nothing more"],
    );
    contains(&nkey("token policy billing").ok(), &["777600 s"]);
    nkey("token attest billing -o said.json").ok();
    contains(&nkey("token counters").ok(), &["signatures        2"]);
    let seed = Seed::from_bytes(Kind::User, [7; 32]);
    desk.scratch.file("user.nk", seed.encode().reveal());
    let imported = nkey("token import user.nk --name front");
    contains(&imported.stderr, &["hold the button on"]);
    imported.ok();
    contains(&nkey("list keys").ok(), &[&seed.public_key().to_string()]);
    nkey("token policy front --presence never").ok();
    contains(&nkey("token bench -n 2").ok(), &["signature of a nonce"]);
    desk.scratch.file("new", "battery staple");
    nkey("token pin --pin-file pin --new-pin-file new").ok();
    nkey("token erase front --yes").ok();
    nkey("token lock").ok();
    contains(
        &nkey("token erase billing --yes").fails(4),
        &["nkey token unlock"],
    );
    nkey("token unlock token:desk --pin-file new").ok();
    nkey("token reset --yes").ok();
    contains(
        &nkey("token info").ok(),
        &["empty", "keys           0 of 16"],
    );
}

#[test]
fn a_board_with_another_device_key_gets_no_pin_unasked() {
    let desk = Desk::initialised("VIRTUAL-T1", "");
    let first = desk.device_key();
    let agent = Agent::with_holders(&holder(&desk, "desk", "VIRTUAL-T1"));
    let nkey = |arguments: &str| nkey(&desk, &agent, arguments);
    nkey("token unlock --pin-file pin").ok();
    nkey("token generate -a --name app").ok();
    nkey("token lock").ok();
    // Somebody exchanges the board: the same serial number, another device.
    desk.nkey("reset --yes").ok();
    desk.nkey("init --yes --iterations 1000 --pin-file pin")
        .ok();
    let second = desk.device_key();
    let both = [first.as_str(), &second, "no PIN was given to it"];
    contains(&nkey("token unlock --pin-file wrong").fails(1), &both);
    let direct = "token generate -u --name front --pin-file wrong";
    contains(&nkey(direct).fails(4), &["nkey token unlock"]);
    let direct = format!("{direct} --port line --allow-virtual VIRTUAL-T1");
    contains(&nkey(&direct).fails(1), &both);
    let change =
        "token pin --new-pin-file pin --pin-file wrong --port line --allow-virtual VIRTUAL-T1";
    contains(&nkey(change).fails(1), &both);
    assert_eq!(desk.json("info")["tries"], 8);
}

#[test]
fn ctrl_c_takes_back_what_the_agent_waits_for() {
    let mut desk = Desk::initialised("VIRTUAL-T1", "");
    desk.generate("-u");
    desk.plug("never", &[]);
    let agent = Agent::with_holders(&holder(&desk, "desk", "VIRTUAL-T1"));
    nkey(&desk, &agent, "token unlock --pin-file pin").ok();
    let mut waits = desk.command("policy 0 --presence never --sysfs nowhere");
    waits
        .env("NKEY_AUTH_SOCK", agent.socket())
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = waits.spawn().expect("nkey");
    let mut lines = BufReader::new(child.stderr.take().expect("its words")).lines();
    let asked = lines.any(|line| line.is_ok_and(|line| line.contains("hold the button on")));
    assert!(asked);
    let start = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).expect("Ctrl-C");
    assert!(!child.wait().expect("its end").success());
    // Its line is free again, long before the 30 s are over that the token would wait.
    contains(
        &nkey(&desk, &agent, "token policy 0").ok(),
        &["presence       always"],
    );
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[test]
fn only_an_agent_keeps_a_session() {
    let desk = Desk::new("VIRTUAL-T1");
    for arguments in ["unlock", "lock"] {
        let said = run(
            &mut desk.command(&format!("{arguments} --socket nowhere")),
            "",
        );
        contains(
            &said.fails(4),
            &["only an agent keeps a session", "type: nkey agent start"],
        );
    }
    let agent = Agent::new();
    contains(
        &nkey(&desk, &agent, "token unlock").fails(1),
        &["no token is plugged in"],
    );
}

#[test]
fn an_operator_is_born_on_a_token_and_a_second_one_stands_by() {
    let first = Desk::initialised("VIRTUAL-T1", "");
    let second = Desk::initialised("VIRTUAL-T2", "");
    let holders = holder(&first, "a", "VIRTUAL-T1") + &holder(&second, "b", "VIRTUAL-T2");
    let agent = Agent::with_holders(&holders);
    let nkey = |arguments: &str| nkey(&first, &agent, arguments);
    contains(
        &nkey("-H s init -n demo --store token:a").fails(4),
        &["nkey token unlock VIRTUAL-T1"],
    );
    contains(
        &nkey("token info").fails(2),
        &["several tokens are plugged in: name one of VIRTUAL-T1, VIRTUAL-T2"],
    );
    nkey("token unlock VIRTUAL-T1 --pin-file pin").ok();
    nkey("token unlock VIRTUAL-T2 --pin-file pin").ok();
    contains(
        &nkey("-H s init -n demo --store token:a --second token:a").fails(2),
        &["both keys would be lost"],
    );
    contains(
        &nkey("-H s init -n demo --second token:b").fails(2),
        &["--store"],
    );
    let made = nkey("-H s init -n demo --store token:a --second token:b");
    contains(
        &made.stderr,
        &[
            "shall sign its operator's claims",
            "hold the button on",
            "press the button on",
        ],
    );
    contains(
        &made.ok(),
        &[
            "  second signing key",
            "the operator's seeds are in token:a and token:b",
        ],
    );
    contains(&nkey("-H s validate -A").ok(), &["0 findings"]);
    let keys = nkey("list keys").ok();
    for (name, store) in [
        ("demo", "token:a"),
        ("demo/sk", "token:a"),
        ("demo/sk2", "token:b"),
        ("demo/demo/sk", "vault"),
        ("demo/demo/sk2", "token:b"),
    ] {
        let found = keys.lines().any(|line| {
            let cells: Vec<&str> = line.split_whitespace().collect();
            cells.get(2) == Some(&name) && cells.get(3) == Some(&store)
        });
        assert!(found, "{name} in {store}: {keys}");
    }
    // The day on which the first token is lost.
    nkey("token lock VIRTUAL-T1").ok();
    nkey("-H s add account -n more -K demo/sk2").ok();
    nkey("-H s add user -a demo -n app -K demo/demo/sk2").ok();
    contains(&nkey("-H s validate -A").ok(), &["0 findings"]);
}

#[test]
fn operators_accounts_and_users_are_added_on_a_token() {
    let desk = Desk::initialised("VIRTUAL-T1", "");
    let agent = Agent::with_holders(&holder(&desk, "a", "VIRTUAL-T1"));
    let nkey = |arguments: &str| nkey(&desk, &agent, arguments);
    nkey("token unlock --pin-file pin").ok();
    // Not strict: its identity key signs the accounts as well.
    let added = nkey("-H s add operator -n demo --sys --store token:a");
    contains(
        &added.stderr,
        &["shall sign its operator's claims", "press the button on"],
    );
    added.ok();
    nkey("-H s add account -n app --store token:a").ok();
    nkey("-H s add user -n front --store token:VIRTUAL-T1").ok();
    nkey("-H s edit operator --tag here").ok();
    contains(&nkey("-H s validate -A").ok(), &["0 findings"]);
    let info = nkey("token info -J").ok();
    let info: serde_json::Value = serde_json::from_str(&info).expect("JSON");
    let kinds: Vec<_> = (0..3).map(|at| info["keys"][at]["kind"].as_str()).collect();
    assert_eq!(kinds, [Some("operator"), Some("account"), Some("user")]);
    assert_eq!(
        info["keys"][0]["policy"]["types"],
        serde_json::json!(["operator", "account"])
    );
}

#[test]
fn seeds_are_adopted_into_a_token_that_takes_them() {
    let desk = Desk::initialised("VIRTUAL-T1", "--importable");
    let closed = Desk::initialised("VIRTUAL-T2", "");
    let holders = holder(&desk, "a", "VIRTUAL-T1") + &holder(&closed, "b", "VIRTUAL-T2");
    let agent = Agent::with_holders(&holders);
    let nkey = |arguments: &str| nkey(&desk, &agent, arguments);
    let seed = Seed::from_bytes(Kind::Account, [7; 32]);
    let key = seed.public_key().to_string();
    let folder = desk.scratch.path().join("s/keys/keys/A").join(&key[1..3]);
    std::fs::create_dir_all(&folder).expect("a keystore");
    let file = folder.join(format!("{key}.nk"));
    std::fs::write(&file, seed.encode().reveal()).expect("a seed");
    nkey("token unlock VIRTUAL-T1 --pin-file pin").ok();
    nkey("token unlock VIRTUAL-T2 --pin-file pin").ok();
    let refused = nkey("-H s adopt -A --remove --store token:b");
    contains(&refused.stdout, &["NOT ADOPTED", "without --importable"]);
    contains(&refused.fails(1), &["no file was deleted"]);
    contains(
        &nkey("-H s adopt -A --store vault").fails(2),
        &["take seeds in, such as token:SERIAL"],
    );
    assert!(file.exists());
    let adopted = nkey("-H s adopt -A --remove --store token:a");
    contains(&adopted.stderr, &["hold the button on"]);
    contains(&adopted.ok(), &[&key, "imported, proved"]);
    assert!(!file.exists());
    contains(&nkey("list keys").ok(), &[&key, "token:a"]);
    std::fs::write(&file, seed.encode().reveal()).expect("a seed");
    contains(
        &nkey("-H s adopt -A --store token:a").ok(),
        &["already there, proved"],
    );
}

#[test]
fn whoever_has_the_session_is_asked_and_the_others_directly() {
    let first = Desk::initialised("NKEY-VIRTUAL-A", "");
    let second = Desk::initialised("NKEY-VIRTUAL-B", "");
    let root = Scratch::new();
    plugged_in(
        &root,
        "ttyACM0",
        "NKEY-VIRTUAL-A",
        &first.scratch.path().join("line"),
    );
    plugged_in(
        &root,
        "ttyACM1",
        "NKEY-VIRTUAL-B",
        &second.scratch.path().join("line"),
    );
    let (sysfs, dev) = (root.path().join("sys"), root.path().join("dev"));
    let agent = Agent::with_holders(&format!(
        "sysfs = \"{}\"\ndev = \"{}\"\nallow_virtual = [\"NKEY-VIRTUAL-A\", \"NKEY-VIRTUAL-B\"]\n",
        sysfs.display(),
        dev.display()
    ));
    let nkey = |arguments: &str| {
        let mut nkey = command(program("nkey"));
        nkey.arg("token").args(arguments.split_whitespace());
        if !arguments.starts_with("unlock") {
            nkey.arg("--sysfs").arg(&sysfs).arg("--dev").arg(&dev);
        }
        nkey.env("HOME", first.scratch.path())
            .env("NKEY_AUTH_SOCK", agent.socket())
            .current_dir(first.scratch.path());
        run(&mut nkey, "")
    };
    contains(
        &nkey("info").fails(2),
        &["name one of NKEY-VIRTUAL-A, NKEY-VIRTUAL-B"],
    );
    // Without a session the port is free, and the person says which virtual token is meant.
    contains(
        &nkey("info NKEY-VIRTUAL-A").fails(3),
        &["--allow-virtual NKEY-VIRTUAL-A"],
    );
    contains(
        &nkey("info NKEY-VIRTUAL-A --allow-virtual NKEY-VIRTUAL-A").ok(),
        &["locked"],
    );
    nkey("unlock NKEY-VIRTUAL-A --pin-file pin").ok();
    let listed = nkey("list --allow-virtual NKEY-VIRTUAL-B").ok();
    for (serial, state, port) in [
        ("NKEY-VIRTUAL-A", "unlocked", "the agent"),
        ("NKEY-VIRTUAL-B", "locked", "ttyACM1"),
    ] {
        let line = listed.lines().find(|line| line.starts_with(serial));
        contains(line.expect("a line"), &[state, port]);
    }
    let made = nkey("generate NKEY-VIRTUAL-A -u --name front");
    contains(&made.stderr, &["enrolled in the agent"]);
    let direct = nkey("generate NKEY-VIRTUAL-B -u --allow-virtual NKEY-VIRTUAL-B --pin-file pin");
    contains(
        &direct.stderr,
        &["nkey store enrol token:NKEY-VIRTUAL-B 0 --user"],
    );
    direct.ok();
    nkey("unlock NKEY-VIRTUAL-B --pin-file pin").ok();
    let mut enrol = command(program("nkey"));
    enrol
        .args(["store", "enrol", "token:NKEY-VIRTUAL-B", "0", "--user"])
        .env("NKEY_AUTH_SOCK", agent.socket());
    run(&mut enrol, "").ok();
}
