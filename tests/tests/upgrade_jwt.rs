//! A store of version 1, issued anew in version 2.

use nkey_core::nkey::{KeyPair, Kind, PublicKey, Seed};
use nkey_core::tolerant;
use nkey_tests::{Demo, command, old_token, program, root, run, skipped, snapshot, tool};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn pair(kind: Kind, byte: u8) -> KeyPair {
    KeyPair::from_seed(&Seed::from_bytes(kind, [byte; 32])).expect("a pair")
}

fn key(kind: Kind, byte: u8) -> String {
    pair(kind, byte).public_key().to_string()
}

/// A store as nsc 0.5 left it: operator O (key 1, signing key 2), accounts A (3, signing key 4)
/// and B (5), users A/u (signed by A), A/s (by its signing key) and A/r, which is revoked.
struct Old {
    demo: Demo,
    operator: KeyPair,
    account: KeyPair,
}

const OPERATOR: &str = "store/O/O.jwt";
const A: &str = "store/O/accounts/A/A.jwt";
const B: &str = "store/O/accounts/B/B.jwt";

impl Old {
    /// With the keys of these bytes in the agent.
    fn new(held: &[(Kind, u8)]) -> Old {
        let old = Old {
            demo: Demo::empty(),
            operator: pair(Kind::Operator, 1),
            account: pair(Kind::Account, 3),
        };
        for (kind, byte) in held {
            old.hold(*kind, *byte);
        }
        let maker = Demo::empty();
        maker.nkey("add operator -n O");
        let accounts = old.demo.path("store/O/accounts");
        fs::create_dir_all(accounts.join("A/users")).expect("folders");
        fs::create_dir_all(accounts.join("B")).expect("a folder");
        for file in ["store/O/.nsc", "store/nsc.json"] {
            let text = fs::read_to_string(maker.path(file)).expect("a file");
            let [from, to] = [&maker, &old.demo].map(|demo| demo.home.path().display().to_string());
            fs::write(old.demo.path(file), text.replace(&from, &to)).expect("a file");
        }
        // Every run of nkey would make it.
        fs::write(old.demo.path("store/.nkey.lock"), "").expect("a lock");
        let operator = json!({ "signing_keys": [key(Kind::Operator, 2)], "tags": ["t"] });
        let claims = claims("O", &key(Kind::Operator, 1), "operator", operator);
        old.write(OPERATOR, claims, &old.operator);
        let limits = json!({
            "subs": -1, "conn": 5, "leaf": -1, "imports": -1, "exports": -1, "data": -1, "payload": -1, "wildcards": true
        });
        let account = json!({
            "limits": limits, "signing_keys": [key(Kind::Account, 4)],
            "exports": [{ "name": "x", "subject": "x.>", "type": "stream" }],
            "revocations": { key(Kind::User, 8): 5 },
        });
        old.write(
            A,
            self::claims("A", &key(Kind::Account, 3), "account", account),
            &old.operator,
        );
        let account = self::claims(
            "B",
            &key(Kind::Account, 5),
            "account",
            json!({ "limits": limits }),
        );
        old.write(B, account, &pair(Kind::Operator, 2));
        let user = |name, byte| {
            self::claims(
                name,
                &key(Kind::User, byte),
                "user",
                json!({ "pub": { "allow": ["a"] }, "sub": {} }),
            )
        };
        old.write(&user_file("u"), user("u", 6), &old.account);
        let mut signed = user("s", 7);
        signed["issuer_account"] = key(Kind::Account, 3).into();
        old.write(&user_file("s"), signed, &pair(Kind::Account, 4));
        old.write(&user_file("r"), user("r", 8), &old.account);
        old
    }

    fn hold(&self, kind: Kind, byte: u8) -> PublicKey {
        let seed = Seed::from_bytes(kind, [byte; 32]);
        self.demo.agent.client().add(&seed, "", 0).expect("a key")
    }

    fn write(&self, file: &str, claims: Value, signer: &KeyPair) {
        fs::write(self.demo.path(file), old_token(claims, signer)).expect("a token");
    }

    /// The files of the operator.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        snapshot(&self.demo.path("store/O"))
    }

    fn backups(&self) -> Vec<PathBuf> {
        let all = fs::read_dir(self.demo.path("store"))
            .expect("a folder")
            .flatten();
        let mut found: Vec<PathBuf> = all
            .map(|entry| entry.path())
            .filter(|path| path.display().to_string().contains("/O-jwtV1-backup-"))
            .collect();
        found.sort();
        found
    }

    /// Version, issuer and what else a token says.
    fn read(&self, file: &str) -> (i64, String, Value) {
        said(&fs::read(self.demo.path(file)).expect("a token"))
    }
}

fn said(token: &[u8]) -> (i64, String, Value) {
    let decoded = tolerant::decode(std::str::from_utf8(token).expect("text")).expect("a token");
    let mut claims: Value = serde_json::from_str(&decoded.claims.to_json()).expect("JSON");
    let version = claims["nats"]["version"].as_i64().expect("a version");
    let iss = claims["iss"].as_str().expect("an issuer").to_owned();
    let members = claims.as_object_mut().expect("an object");
    for member in ["iss", "iat", "jti"] {
        members.remove(member);
    }
    claims["nats"]["version"] = 2.into();
    (version, iss, claims)
}

fn claims(name: &str, sub: &str, kind: &str, nats: Value) -> Value {
    json!({ "iat": 5, "jti": "X", "name": name, "sub": sub, "type": kind, "nats": nats })
}

fn user_file(user: &str) -> String {
    format!("store/O/accounts/A/users/{user}.jwt")
}

const ALL: [(Kind, u8); 5] = [
    (Kind::Operator, 1),
    (Kind::Operator, 2),
    (Kind::Account, 3),
    (Kind::Account, 4),
    (Kind::Account, 5),
];

#[test]
fn everything_of_version_1_is_issued_anew_and_nsc_takes_it() {
    let old = Old::new(&ALL);
    let before = old.files();
    let with_nsc = !skipped("nsc");
    if with_nsc {
        let refused = old.demo.nsc("describe operator");
        assert!(refused.stdout.contains("upgrade-jwt") || refused.stderr.contains("upgrade-jwt"));
    }
    for edit in [
        "edit operator --tag x",
        "edit account A --tag x",
        "edit user -a A -n u --tag x",
    ] {
        old.demo
            .refuses(edit, &["token of version 1", "type: nkey upgrade-jwt"]);
    }
    old.demo.refuses(
        "upgrade-jwt",
        &["nats-server 2.2 or later", "--yes does it unasked"],
    );
    old.demo.refuses("upgrade-jwt --yes -K x", &["-K: "]);
    let told = old.demo.run("upgrade-jwt --yes");
    assert!(
        told.stdout
            .starts_with("operator O: issued the operator, 2 accounts and 2 users in version 2\n"),
        "{told:?}"
    );
    assert!(
        told.stderr.contains("every nats-server")
            && told
                .stderr
                .contains("user A/r stays of version 1, and servers refuse it: it is revoked"),
        "{told:?}"
    );
    told.ok();
    // All say what they said, by the keys that signed them.
    for (path, bytes) in &before {
        let file = path
            .strip_prefix(old.demo.home.path())
            .expect("below")
            .display()
            .to_string();
        if !file.ends_with(".jwt") || file == user_file("r") {
            assert_eq!(&fs::read(path).expect("a file"), bytes, "{file}");
            continue;
        }
        let (version, iss, claims) = said(bytes);
        assert_eq!(version, 1, "{file}");
        assert_eq!(old.read(&file), (2, iss, claims), "{file}");
    }
    // What was is kept, beside what nsc and nkey take for operators.
    let [backup] = &old.backups()[..] else {
        panic!("{:?}", old.backups())
    };
    assert!(!old.demo.nkey("list operators").contains("backup"));
    let kept = snapshot(&backup.join("O"));
    let kept: BTreeMap<&Path, &Vec<u8>> = kept
        .iter()
        .map(|(path, bytes)| (path.strip_prefix(backup.join("O")).expect("below"), bytes))
        .collect();
    let wanted: BTreeMap<&Path, &Vec<u8>> = before
        .iter()
        .map(|(path, bytes)| {
            (
                path.strip_prefix(old.demo.path("store/O")).expect("below"),
                bytes,
            )
        })
        .collect();
    assert_eq!(kept, wanted);
    // Again: nothing.
    old.demo.nkey("validate -A");
    let after = snapshot(&old.demo.path("store"));
    let told = old.demo.nkey("upgrade-jwt");
    assert_eq!(
        told,
        "operator O: there is nothing of version 1 to issue anew\n"
    );
    assert!(snapshot(&old.demo.path("store")) == after);
    if with_nsc {
        old.demo.nsc("validate --all-accounts").ok();
        let listed = old.demo.nsc("list operators");
        assert!(!(listed.stdout + &listed.stderr).contains("backup"));
        for what in [
            "operator",
            "account -n A",
            "account -n B",
            "user -a A -n u",
            "user -a A -n s",
        ] {
            let arguments = format!("describe {what} --json");
            let [theirs, ours] = [old.demo.nsc(&arguments).ok(), old.demo.nkey(&arguments)]
                .map(|text| serde_json::from_str::<Value>(&text).expect("JSON"));
            assert_eq!(theirs, ours, "{what}");
            assert_eq!(theirs["nats"]["version"], 2, "{what}");
        }
    }
    old.demo.nkey("edit account A --tag x");
    old.demo.nkey("edit user -a A -n u --tag x");
}

#[test]
fn a_lost_key_leaves_every_file_as_it_was() {
    // The operator's, those of its accounts, those of A's users.
    for (lost, needle) in [
        (&[1, 2][..], "operator O"),
        (&[3, 4][..], "the users of account A"),
    ] {
        let held: Vec<(Kind, u8)> = ALL
            .into_iter()
            .filter(|(_, byte)| !lost.contains(byte))
            .collect();
        let old = Old::new(&held);
        old.demo.refuses(
            "upgrade-jwt --yes",
            &["the agent holds none of the keys", needle],
        );
        assert!(old.backups().is_empty());
    }
    // Another key that may sign takes the place of the one that did.
    let old = Old::new(&[(Kind::Operator, 1), (Kind::Account, 4)]);
    let told = old.demo.nkey("upgrade-jwt -y -J");
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["upgraded"].as_array().map(Vec::len), Some(5), "{told}");
    assert_eq!(
        told["left"],
        json!([{ "account": "A", "user": "r", "reason": "it is revoked" }])
    );
    let backup = told["backup"].as_str().expect("a path");
    assert!(old.demo.path(backup).join("O.jwt").is_file(), "{backup}");
    assert_eq!(old.read(B).1, key(Kind::Operator, 1));
    let (version, iss, claims) = old.read(&user_file("u"));
    assert_eq!((version, iss), (2, key(Kind::Account, 4)));
    assert_eq!(claims["nats"]["issuer_account"], key(Kind::Account, 3));
    old.demo.nkey("validate -A");
}

#[test]
fn what_was_interrupted_is_completed_and_what_was_can_be_put_back() {
    let old = Old::new(&ALL);
    let before = old.files();
    old.demo.nkey("upgrade-jwt -y");
    // As a run leaves it that ended before the last accounts and the operator.
    for file in [OPERATOR, B] {
        fs::write(old.demo.path(file), &before[&old.demo.path(file)]).expect("a token");
    }
    let kept = fs::read(old.demo.path(A)).expect("a token");
    let told = old.demo.nkey("upgrade-jwt -y");
    assert!(
        told.starts_with("operator O: issued the operator and 1 account in version 2\n"),
        "{told}"
    );
    assert_eq!(fs::read(old.demo.path(A)).expect("a token"), kept);
    old.demo.nkey("validate -A");
    let backups = old.backups();
    assert_eq!(backups.len(), 2);
    fs::remove_dir_all(old.demo.path("store/O")).expect("removed");
    fs::rename(backups[0].join("O"), old.demo.path("store/O")).expect("put back");
    assert!(old.files() == before);
}

#[test]
fn what_the_operator_or_an_account_never_signed_is_refused() {
    let old = Old::new(&ALL);
    let token = fs::read(old.demo.path(B)).expect("a token");
    let foreign = claims("B", &key(Kind::Account, 5), "account", json!({}));
    old.write(B, foreign, &pair(Kind::Operator, 9));
    old.demo.refuses(
        "upgrade-jwt -y",
        &[
            "B/B.jwt: iss: ",
            "nkey import account -j store/O/accounts/B/B.jwt --force --overwrite",
        ],
    );
    // That is so.
    old.demo
        .nkey("import account -j store/O/accounts/B/B.jwt --force --overwrite");
    assert_eq!(old.read(B).0, 2);
    fs::write(old.demo.path(B), token).expect("a token");
    let foreign = claims(
        "u",
        &key(Kind::User, 6),
        "user",
        json!({ "pub": {}, "sub": {} }),
    );
    old.write(&user_file("u"), foreign, &pair(Kind::Account, 9));
    let torn = fs::read(old.demo.path(&user_file("s"))).expect("a token");
    fs::write(old.demo.path(&user_file("s")), &torn[..torn.len() - 9]).expect("a token");
    old.demo.refuses("upgrade-jwt -y", &["s.jwt: "]);
    fs::write(old.demo.path(&user_file("s")), torn).expect("a token");
    let told = old.demo.run("upgrade-jwt -y");
    assert!(
        told.stderr.contains("user A/u stays of version 1") && told.stderr.contains("-a A -n u"),
        "{told:?}"
    );
    told.ok();
    assert_eq!(old.read(&user_file("u")).0, 1);
    old.demo.nkey("delete user -a A -n u");
    old.demo.nkey("validate -A");
}

#[test]
fn others_issue_their_operator_and_the_accounts_sign_themselves() {
    let old = Old::new(&ALL[2..]);
    let marker = old.demo.path("store/O/.nsc");
    let text = fs::read_to_string(&marker).expect("a marker");
    fs::write(
        &marker,
        text.replace(r#""managed":false"#, r#""managed":true"#),
    )
    .expect("a marker");
    old.demo.refuses(
        "upgrade-jwt -y",
        &[
            "others hold its keys",
            "nkey add operator -n O -u FILE --force",
        ],
    );
    // Whoever holds it issues it in version 2.
    let theirs = Old::new(&ALL);
    theirs.demo.nkey("upgrade-jwt -y");
    fs::copy(theirs.demo.path(OPERATOR), old.demo.path("new.jwt")).expect("a copy");
    old.demo.nkey("add operator -n O -u new.jwt --force");
    let told = old.demo.run("upgrade-jwt -y");
    assert!(told.stderr.contains("account A signed itself"), "{told:?}");
    assert!(
        told.stdout
            .starts_with("operator O: issued 2 accounts and 2 users in version 2\n"),
        "{told:?}"
    );
    assert_eq!(old.read(A).1, key(Kind::Account, 3));
    old.demo.nkey("validate -A");
}

#[test]
fn members_that_are_gone_are_named() {
    let old = Old::new(&ALL);
    let nats = json!({ "pub": {}, "sub": {}, "max": 5, "src": "10.0.0.0/8" });
    old.write(
        &user_file("u"),
        claims("u", &key(Kind::User, 6), "user", nats),
        &old.account,
    );
    let told = old.demo.run("upgrade-jwt -y");
    assert!(
        told.stderr
            .contains("u.jwt: nats.max: version 2 has no such member"),
        "{told:?}"
    );
    told.ok();
    assert_eq!(
        old.read(&user_file("u")).2["nats"]["src"],
        json!(["10.0.0.0/8"])
    );
}

#[test]
fn a_person_at_a_terminal_is_asked() {
    if skipped("python") {
        return;
    }
    let old = Old::new(&ALL);
    let before = old.files();
    let typed = |answer: &str| {
        let mut python = command(tool("python"));
        python
            .arg(root().join("tests/python/terminal.py"))
            .arg(program("nkey"));
        python
            .args(["-H", "store", "upgrade-jwt"])
            .current_dir(old.demo.home.path());
        python
            .env("HOME", old.demo.home.path())
            .env("NKEY_AUTH_SOCK", old.demo.agent.socket());
        run(&mut python, &(json!(answer).to_string() + "\n")).ok()
    };
    let told = typed("n\n");
    assert!(
        told.contains("Issue the operator, 2 accounts and 2 users anew in version 2? [y/n]"),
        "{told}"
    );
    assert!(
        told.contains("nothing was changed") && told.ends_with("status 1\n"),
        "{told}"
    );
    assert!(old.files() == before && old.backups().is_empty());
    let told = typed("y\n");
    assert!(told.ends_with("status 0\n"), "{told}");
    assert_eq!(old.read(OPERATOR).0, 2);
}
