//! `nkey token`, with virtual tokens at the other end of the line.

use nkey_agent::token::{Place, Token};
use nkey_core::nkey::{Kind, PublicKey, Seed};
use nkey_core::token::{Answer, Command, Init};
use nkey_tests::{
    Desk, Scratch, command, contains, plugged_in, program, root, run, skipped, tool, wait_for,
};
use rustix::process::{Pid, Signal, kill_process};
use std::io::Read;
use std::process::Stdio;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

#[test]
fn a_virtual_token_says_so_and_is_taken_only_by_name() {
    let desk = Desk::new("VIRTUAL-T1");
    for arguments in ["list", "info"] {
        let refused = run(&mut desk.command(&format!("{arguments} --port line")), "");
        contains(
            &refused.fails(3),
            &["VIRTUAL token", "--allow-virtual VIRTUAL-T1"],
        );
        let listed = desk.nkey(arguments);
        contains(&listed.stderr, &["warning: VIRTUAL-T1 is a VIRTUAL token"]);
        contains(&listed.ok(), &["VIRTUAL-T1", "empty"]);
    }
    assert_eq!(desk.json("list")[0]["virtual"], true);
    assert_eq!(desk.json("info")["virtual"], true);
    let other = run(
        &mut desk.command("info VIRTUAL-T2 --port line --allow-virtual VIRTUAL-T1"),
        "",
    );
    contains(
        &other.fails(1),
        &["this is the token VIRTUAL-T1, not VIRTUAL-T2"],
    );
}

#[test]
fn without_a_token_each_command_says_so() {
    let scratch = Scratch::new();
    for arguments in [
        "info",
        "init",
        "counters",
        "reset",
        "generate -u",
        "erase 0",
    ] {
        let mut nkey = command(program("nkey"));
        nkey.arg("token").args(arguments.split_whitespace());
        nkey.args(["--sysfs", "/nowhere"])
            .env("HOME", scratch.path());
        contains(&run(&mut nkey, "").fails(1), &["no token is plugged in"]);
    }
    let mut nkey = command(program("nkey"));
    nkey.args(["token", "list", "--sysfs", "/nowhere", "-J"])
        .env("HOME", scratch.path());
    assert_eq!(run(&mut nkey, "").ok(), "[]\n");
}

#[test]
fn tokens_are_found_by_usb_and_never_taken_because_they_come_first() {
    let desk = Desk::new("VIRTUAL-T1");
    let root = Scratch::new();
    let found = |arguments: &str| {
        let mut nkey = desk.command(arguments);
        nkey.arg("--sysfs").arg(root.path().join("sys"));
        nkey.arg("--dev").arg(root.path().join("dev"));
        run(&mut nkey, "")
    };
    plugged_in(
        &root,
        "ttyACM0",
        "NKEY-A",
        &desk.scratch.path().join("line"),
    );
    // It answers with another serial number than the one in its descriptor: it is not trusted.
    contains(
        &found("info").fails(1),
        &["this is the token VIRTUAL-T1, not NKEY-A"],
    );
    contains(
        &found("list").ok(),
        &["NKEY-A", "silent", "this is the token VIRTUAL-T1"],
    );
    plugged_in(&root, "ttyACM1", "NKEY-B", std::path::Path::new("/nowhere"));
    contains(
        &found("info").fails(2),
        &["several tokens are plugged in: name one of NKEY-A, NKEY-B"],
    );
    contains(
        &found("info NKEY-C").fails(1),
        &["NKEY-C is not plugged in, but NKEY-A, NKEY-B"],
    );
    contains(&found("info NKEY-B").fails(1), &["is gone"]);
}

#[test]
fn init_says_what_is_fixed_and_asks_for_the_serial_number() {
    let desk = Desk::new("VIRTUAL-T1");
    contains(
        &desk.nkey("generate -u").fails(1),
        &["has no PIN yet", "type: nkey token init VIRTUAL-T1"],
    );
    let unasked = desk.nkey("init --pin-file pin").fails(2);
    contains(
        &unasked,
        &[
            "there is no PUK",
            "keys are lost",
            "nobody is there to type",
        ],
    );
    desk.scratch.file("short", "12345");
    contains(
        &desk.nkey("init --yes --pin-file short").fails(2),
        &["a PIN has 6 to 64 bytes"],
    );
    let own = desk.device_key();
    contains(
        &desk
            .nkey(&format!("init --yes --pin-file pin --backup-peer {own}"))
            .fails(2),
        &["own device key"],
    );
    contains(
        &desk.nkey("init --yes --backup-peer NABC").fails(2),
        &["--backup-peer"],
    );
    contains(
        &desk
            .nkey("init --yes --pin-file pin --iterations 200001")
            .fails(2),
        &["1000..=200000"],
    );
    assert_eq!(desk.json("info")["state"], "empty");
    desk.scratch.file("six", "123456");
    let made = desk.nkey("init --yes --iterations 1000 --pin-file six");
    contains(
        &made.stderr,
        &[
            "a PIN of 6 characters",
            "passphrase",
            "hold the button of VIRTUAL-T1 for 3 s",
        ],
    );
    contains(&made.ok(), &["initialised VIRTUAL-T1", &own]);
    contains(
        &desk.nkey("init --yes --pin-file pin").fails(1),
        &["has a PIN already", "nkey token pin"],
    );
}

#[test]
fn keys_are_made_named_ruled_and_wiped() {
    let desk = Desk::initialised("VIRTUAL-T1", "");
    contains(&desk.nkey("policy").fails(1), &["has no key"]);
    contains(&desk.nkey("generate").fails(2), &["-o (operator)"]);
    contains(
        &desk
            .nkey("generate -u --exportable --pin-file pin")
            .fails(3),
        &["no backup peer"],
    );
    let user = desk.generate("-u --name front");
    let account = desk.generate("-a");
    assert_eq!((user.kind(), account.kind()), (Kind::User, Kind::Account));
    desk.nkey(&format!("name {account} billing --pin-file pin"))
        .ok();
    let info = desk.json("info");
    assert_eq!(info["keys"][1]["name"], "billing");
    assert_eq!(info["keys"][1]["public_key"], account.to_string());
    assert_eq!(info["keys"][1]["policy"]["types"][0], "user");
    contains(
        &desk.nkey("info").ok(),
        &[
            "front",
            "billing",
            "signs user; press always",
            "keys           2 of 16",
        ],
    );

    contains(&desk.nkey("policy").fails(2), &["has 2 keys"]);
    contains(
        &desk.nkey("policy billing").ok(),
        &["subjects       any", "changed        never"],
    );
    let tightened = desk.nkey(
        "policy billing --longest-life 30d --subjects orders.>,a.b --budget 9 --pin-file pin",
    );
    contains(&tightened.stderr, &["allows nothing more"]);
    assert!(!tightened.stderr.contains("hold the button"));
    contains(
        &tightened.ok(),
        &[
            "2592000 s",
            "orders.>,a.b",
            "9 signatures",
            "once, never loosened",
        ],
    );
    let loosened =
        desk.nkey("policy 1 --subjects any --bearer true --presence cached=60 --pin-file pin");
    contains(&loosened.stderr, &["this allows more", "hold the button"]);
    contains(
        &loosened.ok(),
        &["bearer         true", "cached=60", "2 times, loosened"],
    );
    contains(
        &desk.nkey("policy 1 --types users").fails(2),
        &["user,activation"],
    );
    contains(
        &desk.nkey("policy 1 --subjects a..b").fails(2),
        &["--subjects"],
    );

    contains(
        &desk.nkey("erase front --pin-file pin").fails(2),
        &["this wipes", "--yes"],
    );
    contains(
        &desk.nkey("erase 7 --yes").fails(1),
        &["slot 7 of VIRTUAL-T1 is free"],
    );
    desk.nkey("erase front --yes --pin-file pin").ok();
    let keys = desk.json("info")["keys"].clone();
    assert_eq!(keys.as_array().map(Vec::len), Some(1));
}

#[test]
fn a_damaged_record_is_listed_and_can_be_wiped() {
    let mut desk = Desk::initialised("VIRTUAL-T1", "");
    let key = desk.generate("-u");
    desk.running = None;
    let path = desk.scratch.path().join("flash");
    let mut flash = std::fs::read(&path).expect("the flash");
    let mut copies = 0;
    for at in 0..flash.len() - 32 {
        if flash[at..at + 32] == *key.as_bytes() {
            flash[at] ^= 1;
            copies += 1;
        }
    }
    assert_eq!(copies, 2);
    std::fs::write(&path, flash).expect("the flash");
    desk.plug("always", &[]);
    contains(&desk.nkey("info").ok(), &["0     DAMAGED"]);
    contains(
        &desk.nkey("policy 0").fails(1),
        &["damaged", "nkey token erase 0"],
    );
    desk.nkey("erase 0 --yes --pin-file pin").ok();
    contains(&desk.nkey("info").ok(), &["keys           0 of 16"]);
}

#[test]
fn a_pin_is_changed_and_a_token_blocked_and_reset() {
    let desk = Desk::initialised("VIRTUAL-T1", "");
    desk.generate("-u");
    desk.scratch.file("new", "battery staple");
    contains(
        &desk
            .nkey("pin --pin-file wrong --new-pin-file new")
            .fails(3),
        &["the PIN is wrong: 7 tries are left"],
    );
    desk.nkey("pin --pin-file pin --new-pin-file new").ok();
    contains(
        &desk.nkey("bench --pin-file pin").fails(3),
        &["the PIN is wrong"],
    );
    desk.nkey("generate -u --pin-file new").ok();
    for left in (0..8).rev() {
        contains(
            &desk.nkey("generate -u --pin-file wrong").fails(3),
            &[&format!("{left} tries are left")],
        );
    }
    contains(
        &desk.nkey("generate -u --pin-file new").fails(1),
        &[
            "is blocked",
            "keys are lost",
            "type: nkey token reset VIRTUAL-T1",
        ],
    );
    contains(&desk.nkey("info").ok(), &["blocked, 0 tries"]);
    let before = desk.device_key();
    contains(&desk.nkey("reset").fails(2), &["its 2 keys for good"]);
    contains(&desk.nkey("reset --yes").ok(), &["wiped VIRTUAL-T1"]);
    assert_ne!(desk.device_key(), before);
    assert_eq!(desk.json("info")["state"], "empty");
}

#[test]
fn the_serial_number_is_typed_on_a_terminal() {
    let desk = Desk::initialised("VIRTUAL-T1", "");
    let nkey = program("nkey");
    let reset = |typed: &str| {
        let line = format!(
            "(sleep 1; echo {typed}) | script -qec '{} token reset --port line --allow-virtual VIRTUAL-T1' /dev/null",
            nkey.display()
        );
        let mut shell = command("/bin/sh");
        shell
            .args(["-c", &line])
            .env("HOME", desk.scratch.path())
            .current_dir(desk.scratch.path());
        run(&mut shell, "").stdout
    };
    contains(
        &reset("VIRTUAL-T2"),
        &["VIRTUAL-T2 is not VIRTUAL-T1: nothing was changed"],
    );
    assert_eq!(desk.json("info")["state"], "locked");
    contains(&reset("VIRTUAL-T1"), &["wiped VIRTUAL-T1"]);
    assert_eq!(desk.json("info")["state"], "empty");
}

#[test]
fn ctrl_c_takes_back_what_waits_for_the_button() {
    let mut desk = Desk::initialised("VIRTUAL-T1", "");
    desk.generate("-u");
    desk.plug("never", &[]);
    let mut nkey = desk.command("policy 0 --presence never --pin-file pin");
    nkey.args(["--port", "line", "--allow-virtual", "VIRTUAL-T1"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = nkey.spawn().expect("nkey");
    let mut stderr = child.stderr.take().expect("its standard error");
    let mut said = String::new();
    let mut bytes = [0; 256];
    let asked = || {
        let read = stderr.read(&mut bytes).expect("its words");
        said.push_str(&String::from_utf8_lossy(&bytes[..read]));
        said.contains("hold the button of VIRTUAL-T1 for 3 s")
    };
    wait_for(asked, "the question");
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).expect("Ctrl-C");
    let status = child.wait().expect("its end");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("its words");
    contains(&rest, &["the request was taken back"]);
    assert_eq!(status.code(), Some(3));
    contains(&desk.nkey("policy 0").ok(), &["presence       always"]);
    assert_eq!(desk.json("info")["state"], "locked");
}

#[test]
fn seeds_are_imported_only_where_init_allowed_it() {
    let seed = Seed::from_bytes(Kind::Account, [7; 32]);
    let desk = Desk::initialised("VIRTUAL-T1", "");
    desk.scratch.file("account.nk", seed.encode().reveal());
    contains(
        &desk.nkey("import account.nk --pin-file pin").fails(3),
        &["without --importable"],
    );
    let desk = Desk::initialised("VIRTUAL-T1", "--importable");
    desk.scratch.file("account.nk", seed.encode().reveal());
    let curve = Seed::from_bytes(Kind::Curve, [7; 32]);
    desk.scratch.file("curve.nk", curve.encode().reveal());
    desk.scratch.file("none.nk", "nothing");
    contains(
        &desk.nkey("import none.nk --pin-file pin").fails(1),
        &["none.nk"],
    );
    contains(
        &desk.nkey("import curve.nk --pin-file pin").fails(1),
        &["curve"],
    );
    let imported = desk.nkey("import account.nk --name app --pin-file pin");
    contains(
        &imported.stderr,
        &["hold the button", "still holds the seed"],
    );
    assert!(!imported.stderr.contains(seed.encode().reveal()));
    assert_eq!(imported.ok().trim(), seed.public_key().to_string());
    assert_eq!(desk.json("info")["keys"][0]["imported"], true);
    contains(
        &desk.nkey("import account.nk --pin-file pin").fails(3),
        &["the key is in slot 0"],
    );
}

#[test]
fn a_key_made_exportable_goes_to_the_backup_peer_and_nowhere_else() {
    let peer = Desk::new("VIRTUAL-T2");
    let own = Desk::new("VIRTUAL-T1");
    let (own_key, peer_key) = (own.device_key(), peer.device_key());
    own.nkey(&format!(
        "init --yes --iterations 1000 --pin-file pin --backup-peer {peer_key}"
    ))
    .ok();
    peer.nkey(&format!(
        "init --yes --iterations 1000 --pin-file pin --backup-peer {own_key}"
    ))
    .ok();
    let key = own.generate("-a --name app --exportable");
    own.generate("-a --name fixed");
    contains(
        &own.nkey(&format!("export fixed --to {peer_key} --pin-file pin"))
            .fails(3),
        &["was not made exportable"],
    );
    contains(
        &own.nkey(&format!("export app --to {own_key} --pin-file pin"))
            .fails(3),
        &["nothing was written", &peer_key],
    );
    let exported = own.nkey(&format!(
        "export app --to {peer_key} -o sealed --pin-file pin"
    ));
    contains(
        &exported.stderr,
        &["hold the button", "nkey token receive sealed"],
    );
    exported.ok();
    let sealed = std::fs::read(own.scratch.path().join("sealed")).expect("the file");
    peer.scratch.file("sealed", &sealed);
    contains(
        &own.nkey("receive sealed --pin-file pin").fails(1),
        &["is sealed to the device", &peer_key],
    );
    let mut changed = sealed.clone();
    let at = changed.len() - 3;
    changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
    peer.scratch.file("changed", &changed);
    contains(
        &peer.nkey("receive changed --pin-file pin").fails(3),
        &["not sealed by the backup peer"],
    );
    let received = peer.nkey("receive sealed --pin-file pin").ok();
    assert_eq!(received.trim(), key.to_string());
    let there = peer.json("info")["keys"][0].clone();
    assert_eq!(there["imported"], true);
    assert_eq!(there["exportable"], false);
    peer.scratch.file("other", "hello");
    contains(
        &peer.nkey("receive other").fails(1),
        &["no key that a token exported"],
    );
}

#[test]
fn a_statement_is_proved_by_a_pinned_device_key_only() {
    let desk = Desk::initialised("VIRTUAL-T1", "");
    let key = desk.generate("-o --name ops");
    let challenge = "0f".repeat(32);
    contains(
        &desk.nkey("attest --challenge 0f --pin-file pin").fails(2),
        &["64 hexadecimal digits"],
    );
    desk.nkey(&format!(
        "attest --challenge {challenge} -o said.json --pin-file pin"
    ))
    .ok();
    let verify = |arguments: &str| {
        run(
            &mut desk.command(&format!("verify-attestation said.json {arguments}")),
            "",
        )
    };
    let unproven = verify("");
    contains(&unproven.stdout, &[&key.to_string()]);
    contains(&unproven.fails(1), &["UNPROVEN", "--device-key"]);
    let pinned = desk.device_key();
    let proven = verify(&format!("--device-key {pinned} --challenge {challenge}")).ok();
    contains(
        &proven,
        &[
            &key.to_string(),
            "imported       No",
            "the word of that board",
        ],
    );
    let hex: String = PublicKey::from_str(&pinned)
        .expect("a key")
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    verify(&format!("--device-key {hex}")).ok();
    let other = PublicKey::from_bytes(Kind::Server, [9; 32]);
    contains(
        &verify(&format!("--device-key {other}")).fails(1),
        &["a statement of the device", &pinned],
    );
    contains(
        &verify(&format!(
            "--device-key {pinned} --challenge {}",
            "00".repeat(32)
        ))
        .fails(1),
        &["answers the challenge", &challenge],
    );
    let path = desk.scratch.path().join("said.json");
    let text = std::fs::read_to_string(&path).expect("the statement");
    std::fs::write(&path, text.replace(&challenge, &"0e".repeat(32))).expect("the statement");
    contains(
        &verify(&format!("--device-key {pinned}")).fails(1),
        &["the device key did not sign this"],
    );
}

#[test]
fn counters_count_and_speed_is_measured() {
    let desk = Desk::initialised("VIRTUAL-T1", "");
    desk.generate("-u --name probe");
    let idle = desk.nkey("bench -n 2 --pin-file pin");
    contains(&idle.stderr, &["signatures were not measured"]);
    contains(&idle.ok(), &["Hello", "256 random bytes"]);
    assert_eq!(desk.json("counters")["signatures"], 0);
    desk.nkey("policy probe --presence never --pin-file pin")
        .ok();
    let measured = desk.json("bench -n 3 --pin-file pin");
    assert_eq!(measured[2]["what"], "signature of a nonce");
    let counters = desk.json("counters");
    assert_eq!(counters["signatures"], 3);
    assert_eq!(counters["tries"], 8);
    contains(&desk.nkey("counters").ok(), &["signatures        3", "UTC"]);
    // Claims as well, of one key for each type.
    for (kind, name) in [("-a", "app"), ("-o", "op")] {
        desk.generate(&format!("{kind} --name {name}"));
        desk.nkey(&format!("policy {name} --presence never --pin-file pin"))
            .ok();
    }
    let measured = desk.nkey("bench -n 2 --pin-file pin").ok();
    for what in ["a nonce", "a user", "an account"] {
        contains(&measured, &[&format!("signature of {what}")]);
    }
    assert_eq!(desk.json("counters")["signatures"], 9);
}

#[test]
fn a_token_that_lies_about_a_key_is_named() {
    let mut desk = Desk::initialised("VIRTUAL-T1", "--importable");
    let seed = Seed::from_bytes(Kind::User, [7; 32]);
    desk.scratch.file("user.nk", seed.encode().reveal());
    desk.generate("-u --name probe");
    desk.nkey("policy probe --presence never --pin-file pin")
        .ok();
    desk.plug("always", &["--lie", "key"]);
    contains(
        &desk.nkey("import user.nk --pin-file pin").fails(1),
        &["do not use this token"],
    );
    desk.plug("always", &["--lie", "signature"]);
    contains(
        &desk.nkey("bench -n 1 --pin-file pin").fails(1),
        &["a signature of", "do not use this token"],
    );
}

#[test]
fn a_token_is_sent_to_its_bootloader() {
    let desk = Desk::initialised("VIRTUAL-T1", "");
    let sent = desk.nkey("bootsel --pin-file pin");
    contains(
        &sent.stderr,
        &["hold the button", "restarts in its bootloader"],
    );
    sent.ok();
    contains(&desk.nkey("info").fails(1), &["line"]);
}

#[test]
fn a_pin_is_typed_twice_and_not_shown() {
    if skipped("python") {
        return;
    }
    let desk = Desk::new("VIRTUAL-T1");
    let typed = |arguments: &str, keys: &[&str]| {
        let mut python = command(tool("python"));
        python
            .arg(root().join("tests/python/terminal.py"))
            .arg(program("nkey"))
            .arg("token")
            .args(arguments.split_whitespace())
            .args(["--port", "line", "--allow-virtual", "VIRTUAL-T1"]);
        python
            .env("HOME", desk.scratch.path())
            .current_dir(desk.scratch.path());
        let input: String = keys
            .iter()
            .map(|keys| serde_json::json!(keys).to_string() + "\n")
            .collect();
        run(&mut python, &input).ok()
    };
    let init = "init --yes --iterations 1000";
    let short = typed(init, &["12345\n"]);
    contains(&short, &["a PIN has 6 to 64 bytes", "status 2"]);
    let other = typed(init, &["correct horse\n", "battery staple\n"]);
    contains(
        &other,
        &["the two PINs differ: nothing was changed", "status 2"],
    );
    assert_eq!(desk.json("info")["state"], "empty");
    let made = typed(init, &["pässwört\n", "pässwört\n"]);
    contains(
        &made,
        &[
            "New PIN or passphrase of VIRTUAL-T1:",
            "The same again:",
            "initialised",
            "status 0",
        ],
    );
    assert!(!made.contains("pässwört"), "{made}");
    contains(
        &typed("generate -u", &["wrong horse\n"]),
        &["PIN of VIRTUAL-T1:", "7 tries are left", "status 3"],
    );
    contains(
        &typed("generate -u", &["pässwört\n"]),
        &[
            "PIN of VIRTUAL-T1 (7 tries are left):",
            "slot 0",
            "status 0",
        ],
    );
}

#[test]
fn a_token_that_lies_years_behind_follows_press_by_press() {
    let mut desk = Desk::new("VIRTUAL-T1");
    let place = Place {
        port: desk.scratch.path().join("line"),
        serial: None,
        allow_virtual: Some("VIRTUAL-T1".to_owned()),
    };
    let mut token = Token::open(&place).expect("the token");
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let init = Init {
        pin: b"correct horse",
        time: since.expect("a clock").as_secs() - 500 * 86_400,
        iterations: 1_000,
        importable: false,
        peer: None,
        drift_days: 30,
        idle_seconds: 600,
    };
    let done = token.call(None, Command::Init(init), &mut ());
    assert!(matches!(done, Ok(Answer::Done)), "{done:?}");
    drop(token);
    desk.plug("always", &[]);
    let first = desk.nkey("generate -u --name front --pin-file pin");
    contains(
        &first.stderr,
        &[
            "hold the button of VIRTUAL-T1",
            "until it is unplugged and unlocked again",
        ],
    );
    first.ok();
    desk.plug("always", &[]);
    let second = desk.nkey("generate -u --name back --pin-file pin");
    contains(&second.stderr, &["hold the button of VIRTUAL-T1"]);
    assert!(!second.stderr.contains("unplugged"), "{second:?}");
    second.ok();
    desk.plug("always", &[]);
    let third = desk.nkey("generate -u --name side --pin-file pin");
    assert!(!third.stderr.contains("hold the button"), "{third:?}");
    third.ok();
}

#[test]
fn the_hash_of_a_policy_is_shown_and_compared() {
    let desk = Desk::initialised("VIRTUAL-T1", "");
    desk.generate("-u --name front");
    let hash = |desk: &Desk| {
        desk.json("policy front")["policy_hash"]
            .as_str()
            .map(str::to_owned)
    };
    let before = hash(&desk).expect("a hash");
    contains(&desk.nkey("policy front").ok(), &[&before]);
    desk.nkey("policy front --budget 5 --pin-file pin").ok();
    let after = hash(&desk).expect("a hash");
    assert_ne!(before, after);
    desk.nkey("attest front --pin-file pin -o said.json").ok();
    let check = |hash: &str| {
        let key = desk.device_key();
        run(
            &mut desk.command(&format!(
                "verify-attestation said.json --device-key {key} --policy-hash {hash}"
            )),
            "",
        )
    };
    contains(&check(&after).ok(), &[&after]);
    contains(&check(&before).fails(1), &["has the hash", &after]);
    contains(&check("12").fails(2), &["--policy-hash takes 64"]);
}
