//! Damaged and hostile files in a store: the finding names file and member, and nothing else is
//! touched.

use data_encoding::BASE64URL_NOPAD;
use nkey_core::nkey::{KeyPair, Kind, PublicKey, Seed};
use nkey_tests::{Demo, Output, run};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

/// A store with operator O, accounts A and B and user A/u, whose keys the test has as well.
struct Victim {
    demo: Demo,
    operator: KeyPair,
    account: KeyPair,
}

const OPERATOR: &str = "store/O/O.jwt";
const ACCOUNT: &str = "store/O/accounts/A/A.jwt";
const USER: &str = "store/O/accounts/A/users/u.jwt";

fn seed(kind: Kind, byte: u8) -> Seed {
    Seed::from_bytes(kind, [byte; 32])
}

fn pair(kind: Kind, byte: u8) -> KeyPair {
    KeyPair::from_seed(&seed(kind, byte)).expect("a pair")
}

impl Victim {
    fn new() -> Victim {
        let victim = Victim {
            demo: Demo::empty(),
            operator: pair(Kind::Operator, 1),
            account: pair(Kind::Account, 2),
        };
        for (kind, byte, name) in [
            (Kind::Operator, 1, "o"),
            (Kind::Account, 2, "a"),
            (Kind::Account, 3, "b"),
            (Kind::User, 4, "u"),
        ] {
            let added = victim.demo.agent.client().add(&seed(kind, byte), name, 0);
            added.expect("a key");
        }
        for arguments in [
            "add operator -n O -K o",
            "add account -n A -k a",
            "add account -n B -k b",
            "add user -a A -n u -k u",
            "add export -a A -s x",
            "select account A",
        ] {
            victim.nkey(arguments).ok();
        }
        victim
    }

    fn nkey(&self, arguments: &str) -> Output {
        self.demo.run(arguments)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.demo.path(file)
    }

    fn claims(&self, file: &str) -> Value {
        let token = fs::read_to_string(self.path(file)).expect("a token");
        let payload = token.split('.').nth(1).expect("a payload");
        let json = BASE64URL_NOPAD
            .decode(payload.as_bytes())
            .expect("base64url");
        serde_json::from_slice(&json).expect("JSON")
    }

    fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(file), text).expect("a file");
    }

    #[track_caller]
    fn refuses(&self, arguments: &str, needles: &[&str]) {
        self.demo.refuses(arguments, needles);
    }

    /// What `validate -A` prints, which must find something.
    #[track_caller]
    fn finds(&self, needles: &[&str]) {
        let output = self.nkey("validate -A");
        assert_eq!(output.status, 1, "{output:?}");
        for needle in needles {
            assert!(
                output.stdout.contains(needle),
                "{needle}: {}",
                output.stdout
            );
        }
    }
}

/// A token as anybody can make it, with whatever it says.
fn token(claims: &Value, signer: &KeyPair) -> String {
    let header = BASE64URL_NOPAD.encode(br#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
    let payload = BASE64URL_NOPAD.encode(claims.to_string().as_bytes());
    let input = format!("{header}.{payload}");
    let signature = signer.sign(input.as_bytes());
    format!("{input}.{}", BASE64URL_NOPAD.encode(signature.as_bytes()))
}

const EDITS: [&str; 3] = [
    "edit operator --tag t",
    "edit account A --tag t",
    "edit user -a A -n u --tag t",
];

#[test]
fn what_a_newer_library_wrote_is_not_dropped() {
    let victim = Victim::new();
    for (file, signer, edit) in [
        (OPERATOR, &victim.operator, EDITS[0]),
        (ACCOUNT, &victim.operator, EDITS[1]),
        (USER, &victim.account, EDITS[2]),
    ] {
        let before = fs::read(victim.path(file)).expect("a token");
        let mut claims = victim.claims(file);
        claims["nats"]["of_a_later_day"] = json!({ "x": 1 });
        victim.write(file, token(&claims, signer));
        victim.refuses(edit, &[file, "nats.of_a_later_day"]);
        let validated = victim.nkey("validate -A");
        assert!(
            validated.stdout.contains("nats.of_a_later_day"),
            "{validated:?}"
        );
        victim.write(file, before);
        victim.nkey(edit).ok();
    }
    // In an object below as well.
    let mut claims = victim.claims(ACCOUNT);
    claims["nats"]["exports"][0]["colour"] = json!("red");
    victim.write(ACCOUNT, token(&claims, &victim.operator));
    for edit in [
        EDITS[1],
        "edit export -a A -s x -n y",
        "delete export -a A -s x",
        "add mapping -a A -f f -t t",
        "revocations add-user -a A -u *",
        "edit signing-key -a A --sk generate --role r",
        "rename account A C",
    ] {
        victim.refuses(edit, &[ACCOUNT, "colour"]);
    }
}

#[test]
fn a_user_whose_key_is_not_on_disk_is_not_added() {
    let victim = Victim::new();
    let keys = victim.demo.agent.vault().join("keys");
    let away = keys.with_file_name("away");
    let listed = victim.demo.agent.client().list().expect("keys");
    // The agent has the folder open, so its own names still reach it: only one that is gone fails.
    fs::create_dir(&away).expect("a folder");
    for file in fs::read_dir(&keys).expect("the keys").flatten() {
        fs::rename(file.path(), away.join(file.file_name())).expect("moved");
    }
    fs::remove_dir(&keys).expect("removed");
    victim.refuses("add user -a A -n v -K a", &["cannot write", ".age"]);
    victim.refuses("add user -a A -n v", &["cannot write", ".age"]);
    let output = victim.nkey("add user -a A -n v");
    assert!(!output.stderr.contains("still holds"), "{output:?}");
    assert_eq!(victim.demo.agent.client().list().expect("keys"), listed);
}

/// One frame of the agent's protocol, with its length.
fn frame(from: &mut UnixStream) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    if from.read_exact(&mut bytes).is_err() {
        return Vec::new();
    }
    let length = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    bytes.resize(4 + usize::try_from(length).expect("a length"), 0);
    from.read_exact(&mut bytes[4..]).expect("a frame");
    bytes
}

#[test]
fn a_key_of_which_nothing_was_heard_is_named() {
    let victim = Victim::new();
    let place = victim.path("proxy.sock");
    let listener = UnixListener::bind(&place).expect("a socket");
    let agent = victim.demo.agent.socket();
    // Hangs up when it is asked whether the key is on disk.
    let proxy = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a client");
        let mut agent = UnixStream::connect(agent).expect("the agent");
        loop {
            let request = frame(&mut client);
            if request.is_empty() || request.windows(8).any(|bytes| bytes == b"flush-v1") {
                return;
            }
            agent.write_all(&request).expect("sent");
            client.write_all(&frame(&mut agent)).expect("answered");
        }
    });
    let mut add = victim.demo.command("add user -a A -n v");
    let output = run(add.env("NKEY_AUTH_SOCK", &place), "");
    proxy.join().expect("the proxy");
    assert_eq!(output.status, 1, "{output:?}");
    assert!(
        output.stderr.contains("still holds the unused key U"),
        "{output:?}"
    );
    assert!(!victim.path("store/O/accounts/A/users/v.jwt").exists());
}

#[test]
fn damaged_and_wrongly_signed_tokens_are_named_and_not_taken_over() {
    let victim = Victim::new();
    let stranger = pair(Kind::Operator, 9);
    for (file, edit) in [(OPERATOR, EDITS[0]), (ACCOUNT, EDITS[1]), (USER, EDITS[2])] {
        let good = fs::read_to_string(victim.path(file)).expect("a token");
        let cut = &good[..good.len() - 7];
        let flipped = good.replacen(".eyJ", ".eyK", 1);
        for bad in ["", "x", "a.b.c", cut, &flipped, "eyJ..", "\u{1b}[31mred"] {
            victim.write(file, bad);
            victim.refuses(edit, &[file]);
            victim.finds(&[file]);
        }
        victim.write(file, [0xff, 0xfe, 0]);
        victim.refuses(edit, &[file]);
        victim.write(file, vec![b'x'; (1 << 20) + 1]);
        victim.refuses(edit, &[file, "longer than 1048576 bytes"]);
        // Signed, but by somebody else.
        victim.write(file, &good);
        let mut claims = victim.claims(file);
        let thief = if file == USER {
            pair(Kind::Account, 9)
        } else {
            stranger.clone()
        };
        claims["iss"] = json!(thief.public_key().to_string());
        victim.write(file, token(&claims, &thief));
        victim.refuses(edit, &[file, "iss", &thief.public_key().to_string()]);
        victim.finds(&["blocking  iss:"]);
        // Of another kind.
        victim.write(
            file,
            fs::read(victim.path(if file == USER { ACCOUNT } else { USER })).expect("a token"),
        );
        victim.refuses(edit, &[file, "is not the token of an"]);
        victim.write(file, &good);
        victim.nkey(edit).ok();
    }
    victim.nkey("validate -A").ok();
}

#[test]
fn tokens_in_the_wrong_place_are_refused() {
    let victim = Victim::new();
    fs::create_dir_all(victim.path("store/O/accounts/B/users")).expect("a folder");
    let stray = "store/O/accounts/B/users/u.jwt";
    fs::copy(victim.path(USER), victim.path(stray)).expect("a copy");
    // A key of account A's own signed it: the account is known by its issuer.
    victim.refuses("edit user -a B -n u --tag t", &[stray, "iss"]);
    victim.finds(&[stray, "iss"]);
    let mut claims = victim.claims(USER);
    claims["nats"]["issuer_account"] = json!(victim.account.public_key().to_string());
    claims["iss"] = json!(pair(Kind::Account, 3).public_key().to_string());
    victim.write(stray, token(&claims, &pair(Kind::Account, 3)));
    victim.refuses(
        "edit user -a B -n u --tag t",
        &[stray, "nats.issuer_account"],
    );
    victim.refuses(
        "edit user -a B -n u --resign",
        &[stray, "nats.issuer_account"],
    );
    // One account's token under the name of another.
    fs::copy(
        victim.path(ACCOUNT),
        victim.path("store/O/accounts/B/B.jwt"),
    )
    .expect("a copy");
    victim.refuses(
        "edit account -n B --tag t",
        &["store/O/accounts/B/B.jwt", "name"],
    );
    victim.finds(&["store/O/accounts/B/B.jwt", "sub"]);
    for name in ["../A", "A/../A", "..", "a/b", ".hidden"] {
        victim.refuses(&format!("edit account -n {name} --tag t"), &[]);
        victim.refuses(&format!("delete account -n {name}"), &[]);
        victim.refuses(&format!("delete user -a A -n {name} -D -C"), &[]);
        victim.refuses(&format!("rename account A {name}"), &[]);
        victim.refuses(&format!("select account {name}"), &[]);
        victim.refuses(&format!("select operator {name}"), &[]);
    }
    victim.write("store/O/.nsc", r#"{"name":"../../O"}"#);
    victim.refuses("edit account A --tag t", &[".nsc"]);
}

#[test]
fn an_expired_account_can_be_edited_and_a_huge_one_too() {
    let victim = Victim::new();
    let mut claims = victim.claims(ACCOUNT);
    claims["exp"] = json!(1_700_000_000);
    victim.write(ACCOUNT, token(&claims, &victim.operator));
    victim.finds(&["time      exp"]);
    let edited = victim.nkey("edit account A --tag t");
    assert!(edited.stderr.contains("exp"), "{edited:?}");
    edited.ok();
    victim.nkey("edit account A --expiry 0").ok();
    victim.nkey("validate -A").ok();
    // Nearly a MiB; a description more would make it longer than a token may be.
    let mut claims = victim.claims(ACCOUNT);
    let revocations = (0..11_180u32).map(|number| {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        let key = PublicKey::from_bytes(Kind::User, bytes).to_string();
        (key, json!(1_700_000_000))
    });
    claims["nats"]["revocations"] = Value::Object(revocations.collect());
    let large = token(&claims, &victim.operator);
    assert!(
        (1_040_000..1 << 20).contains(&large.len()),
        "{}",
        large.len()
    );
    victim.write(ACCOUNT, large);
    victim.nkey("describe account A -F name").ok();
    victim.nkey("edit account A --tag u").ok();
    let text = "d".repeat(8_000);
    victim.refuses(
        &format!("edit account A --description {text}"),
        &["1048576"],
    );
    victim.nkey("validate -A").ok();
}

#[test]
fn circles_of_imports_are_found_wherever_they_come_from() {
    let victim = Victim::new();
    let key = |byte| pair(Kind::Account, byte).public_key().to_string();
    for (name, from) in [("A", 3), ("B", 2)] {
        let file = format!("store/O/accounts/{name}/{name}.jwt");
        let mut claims = victim.claims(&file);
        claims["nats"]["exports"] = json!([{ "name": "x", "subject": "x", "type": "stream" }]);
        claims["nats"]["imports"] =
            json!([{ "name": "x", "subject": "x", "account": key(from), "type": "stream" }]);
        victim.write(&file, token(&claims, &victim.operator));
    }
    victim.finds(&[
        "account A (store/O/accounts/A/A.jwt)\n  blocking  nats.imports.0: the import is part of a circle",
        "account B (store/O/accounts/B/B.jwt)\n  blocking  nats.imports.0",
    ]);
    // What breaks the circle is possible.
    victim.nkey("delete import -a B").ok();
    victim.nkey("validate -A").ok();
}
