//! Accounts of one operator brought under another, and what is refused.

use nkey_core::claims::owned::{Account, Claims};
use nkey_core::nkey::{KeyPair, Kind, Seed};
use nkey_core::tolerant::{self, AnyClaims};
use nkey_tests::{Demo, User, account_server, old_token, skipped};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// A store with the operator `old`, its accounts A (users u and v) and B (user w), and the
/// operator `new`, which is selected. The agent holds every key.
fn two_operators() -> Demo {
    let demo = Demo::empty();
    for arguments in [
        "add operator -n old --generate-signing-key",
        "add account -n A",
        "add user -a A -n u",
        "edit account -n A --sk generate",
        "add account -n B",
        "add user -a B -n w --allow-pub b",
        "add operator -n new --generate-signing-key --sys",
    ] {
        demo.nkey(arguments);
    }
    demo.nkey("select operator old");
    let sk = signing_key(&claims(&demo, "old/accounts/A/A.jwt"));
    demo.nkey(&format!("add user -a A -n v -K {sk}"));
    demo.nkey("select operator new");
    demo
}

const A: &str = "store/old/accounts/A/A.jwt";

fn signing_key(account: &Claims<Account>) -> String {
    account.nats.signing_keys[0].key().to_owned()
}

fn claims(demo: &Demo, file: &str) -> Claims<Account> {
    let token = fs::read_to_string(demo.path("store").join(file)).expect("a token");
    match tolerant::decode(&token).expect("a token").claims {
        AnyClaims::Account(claims) => claims,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn same_users(demo: &Demo, account: &str, users: &[&str]) {
    for user in users {
        let read = |operator: &str| {
            let file = format!("store/{operator}/accounts/{account}/users/{user}.jwt");
            fs::read(demo.path(&file)).expect("a user")
        };
        assert_eq!(read("old"), read("new"), "{account}/{user}");
    }
}

#[test]
fn every_account_of_an_operator_is_brought_with_its_users() {
    let demo = two_operators();
    let before = claims(&demo, "old/accounts/A/A.jwt");
    let told = demo.nkey("migrate --operator-dir store/old");
    assert_eq!(
        told,
        "migrated account A to operator new, 2 users\nmigrated account B to operator new, 1 users\n"
    );
    same_users(&demo, "A", &["u", "v"]);
    same_users(&demo, "B", &["w"]);
    let after = claims(&demo, "new/accounts/A/A.jwt");
    assert_eq!(after.nats, before.nats);
    assert_ne!(after.standard.iss, before.standard.iss);
    demo.nkey("validate -A");
    // Again: what is there is not replaced unasked, and then only by the same.
    demo.refuses(
        "migrate --operator-dir store/old",
        &["account A already (--force", "2 of 2 accounts"],
    );
    let told = demo.nkey("migrate -u store/old/accounts/A/A.jwt --force -J");
    let rows: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(rows[0]["result"], "migrated");
    assert_eq!([&rows[0]["users"], &rows[0]["unchanged"]], [0, 2]);
    if !skipped("nsc") {
        demo.nsc("validate --all-accounts").ok();
        let shown = demo.nsc("describe account -n A --json").ok();
        let shown: Value = serde_json::from_str(&shown).expect("JSON");
        assert_eq!(shown["sub"], before.standard.sub);
        let shown = demo.nsc("describe user -a A -n v --json").ok();
        let shown: Value = serde_json::from_str(&shown).expect("JSON");
        assert_eq!(shown["nats"]["issuer_account"], before.standard.sub);
    }
}

#[test]
fn an_account_of_a_url_comes_without_users() {
    let demo = two_operators();
    let token = fs::read_to_string(demo.path(A)).expect("a token");
    let url = account_server(move |_, path, _| match path {
        "/jwt/v2/torn" => (200, token[..token.len() - 9].to_owned()),
        "/jwt/v2/long" => (200, "x".repeat(3_000_000)),
        _ => (200, token.clone()),
    });
    for torn in ["torn", "long"] {
        demo.refuses(&format!("migrate -u {url}/{torn}"), &[torn]);
    }
    let told = demo.nkey(&format!("migrate -u {url}/A"));
    assert_eq!(told, "migrated account A to operator new\n");
    assert!(!demo.path("store/new/accounts/A/users").exists());
    demo.nkey("validate -A");
}

#[test]
fn what_was_interrupted_is_completed() {
    let demo = two_operators();
    // The account is written last.
    let users = demo.path("store/new/accounts/A/users");
    fs::create_dir_all(&users).expect("a folder");
    fs::copy(
        demo.path("store/old/accounts/A/users/u.jwt"),
        users.join("u.jwt"),
    )
    .expect("a copy");
    let told = demo.nkey(&format!("migrate -u {A}"));
    assert!(told.contains("1 users; 1 were there already"), "{told}");
    same_users(&demo, "A", &["u", "v"]);
}

#[test]
fn of_two_accounts_one_fails_and_the_other_is_brought() {
    let demo = two_operators();
    let file = demo.path("store/old/accounts/A/users/v.jwt");
    let whole = fs::read(&file).expect("a user");
    fs::write(&file, &whole[..whole.len() - 20]).expect("a user");
    let failed = demo.run("migrate --operator-dir store/old -J");
    assert_eq!(failed.status, 1, "{failed:?}");
    assert!(
        failed.stderr.contains("users/v.jwt") && failed.stderr.contains("1 of 2 accounts"),
        "{}",
        failed.stderr
    );
    let rows: Value = serde_json::from_str(&failed.stdout).expect("JSON");
    assert_eq!(
        [&rows[0]["result"], &rows[1]["result"]],
        ["failed", "migrated"]
    );
    assert!(
        rows[0]["error"]
            .as_str()
            .is_some_and(|text| text.contains("v.jwt"))
    );
    assert!(!demo.path("store/new/accounts/A").exists());
    same_users(&demo, "B", &["w"]);
    fs::write(&file, &whole).expect("a user");
    demo.nkey(&format!("migrate -u {A}"));
    demo.nkey("validate -A");
}

#[test]
fn what_is_not_the_accounts_is_refused() {
    let demo = two_operators();
    let users = demo.path("store/old/accounts/A/users");
    let place = |name: &str, bytes: &[u8]| fs::write(users.join(name), bytes).expect("a file");
    let stranger = fs::read(demo.path("store/old/accounts/B/users/w.jwt")).expect("a user");
    place("w.jwt", &stranger);
    demo.refuses(
        &format!("migrate -u {A}"),
        &[
            "users/w.jwt: iss: ",
            "neither the account A nor one of its signing keys",
        ],
    );
    // Two files of one name, and a seed beside a token.
    place("w.jwt", &fs::read(users.join("u.jwt")).expect("a user"));
    demo.refuses(&format!("migrate -u {A}"), &["w.jwt: name: ", "named u"]);
    fs::remove_file(users.join("w.jwt")).expect("removed");
    demo.nkey("select operator old");
    demo.nkey("generate creds -a A -n u -o u.creds");
    demo.nkey("select operator new");
    place("u.jwt", &fs::read(demo.path("u.creds")).expect("creds"));
    demo.refuses(
        &format!("migrate -u {A}"),
        &["u.jwt holds a seed", "nkey import user"],
    );
    // Reading a pipe would wait for whoever writes it.
    fs::create_dir_all(demo.path("away/users")).expect("a folder");
    fs::copy(demo.path(A), demo.path("away/A.jwt")).expect("a copy");
    let pipe = demo.path("away/users/u.jwt");
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
    rustix::fs::mknodat(rustix::fs::CWD, pipe, kind, mode, 0).expect("a pipe");
    demo.refuses("migrate -u away/A.jwt", &["u.jwt is not a file"]);
}

#[test]
fn neither_itself_nor_another_account_is_replaced() {
    let demo = two_operators();
    demo.nkey("select operator old");
    fs::create_dir_all(demo.path("elsewhere")).expect("a folder");
    std::os::unix::fs::symlink(demo.path("store/old"), demo.path("elsewhere/link"))
        .expect("a link");
    for arguments in [
        format!("migrate --force -u {A}"),
        "migrate --force --operator-dir store/old".to_owned(),
        "migrate --force --operator-dir elsewhere/link".to_owned(),
    ] {
        demo.refuses(&arguments, &["cannot be brought onto itself"]);
    }
    demo.nkey("select operator new");
    demo.nkey("add account -n B");
    demo.refuses(
        "migrate --force -u store/old/accounts/B/B.jwt",
        &["another account B", "nkey rename account B NEW"],
    );
    demo.nkey("rename account B b");
    demo.refuses(
        "migrate --force -u store/old/accounts/B/B.jwt",
        &["differs from B in letter case only"],
    );
    demo.nkey(&format!("migrate -u {A}"));
    demo.nkey("rename account A C");
    demo.refuses(
        &format!("migrate --force -u {A}"),
        &["as account C", "nkey rename account C A"],
    );
    demo.nkey("rename account C A");
    // A user that was edited, and another one of its name.
    demo.nkey("edit user -a A -n u --tag t");
    demo.refuses(&format!("migrate -u {A}"), &["account A already"]);
    demo.nkey(&format!("migrate --force -u {A}"));
    same_users(&demo, "A", &["u", "v"]);
    demo.nkey("delete user -a A -n u --revoke=false");
    demo.nkey("add user -a A -n u");
    demo.refuses(
        &format!("migrate --force -u {A}"),
        &["another user A/u", "nkey delete user -a A -n u"],
    );
}

#[test]
fn damaged_files_and_missing_keys_are_named() {
    let demo = two_operators();
    let whole = fs::read(demo.path(A)).expect("a token");
    demo.home.file("torn.jwt", &whole[..whole.len() / 2]);
    demo.home.file("long.jwt", "x".repeat(3_000_000));
    demo.home.file("user.jwt", demo_user(&demo));
    for (file, needle) in [
        ("torn.jwt", "torn.jwt: "),
        ("long.jwt", "longer than"),
        ("user.jwt", "not the token of an account"),
        ("none.jwt", "none.jwt is missing"),
        ("store", "store is not a file"),
    ] {
        demo.refuses(&format!("migrate -u {file}"), &[needle]);
    }
    demo.refuses(
        "migrate --operator-dir elsewhere",
        &["no operator's folder"],
    );
    for arguments in ["migrate", "migrate -u x --operator-dir y"] {
        assert_eq!(demo.run(arguments).status, 2, "{arguments}");
    }
    // Rightly signed, with a name that would lead elsewhere; and nobody's keys.
    let stranger = KeyPair::from_seed(&Seed::from_bytes(Kind::Operator, [7; 32])).expect("a pair");
    let account = Seed::from_bytes(Kind::Account, [8; 32])
        .public_key()
        .to_string();
    let mut claims =
        json!({ "iat": 1, "name": "../../evil", "sub": account, "type": "account", "nats": {} });
    demo.home
        .file("evil.jwt", old_token(claims.clone(), &stranger));
    demo.refuses(
        "migrate -u evil.jwt",
        &["evil.jwt: name: ", "it holds / or"],
    );
    claims["name"] = "a..b".into();
    demo.home
        .file("evil.jwt", old_token(claims.clone(), &stranger));
    demo.refuses("migrate -u evil.jwt", &["two dots in a row"]);
    claims["name"] = "fine".into();
    demo.home.file("evil.jwt", old_token(claims, &stranger));
    demo.refuses(
        "migrate -u evil.jwt",
        &[
            "the agent holds no key of account fine",
            &account,
            "nkey import keys",
        ],
    );
}

fn demo_user(demo: &Demo) -> Vec<u8> {
    fs::read(demo.path("store/old/accounts/A/users/u.jwt")).expect("a user")
}

#[test]
fn version_1_becomes_version_2_and_its_users_stay() {
    let demo = two_operators();
    let pair =
        |kind, byte| KeyPair::from_seed(&Seed::from_bytes(kind, [byte; 32])).expect("a pair");
    let (operator, account) = (pair(Kind::Operator, 7), pair(Kind::Account, 8));
    // In this order, which the agent does not take.
    let keys = [9, 10].map(|byte| pair(Kind::Account, byte).public_key().to_string());
    let mut keys = keys.to_vec();
    keys.sort();
    keys.reverse();
    let sub = account.public_key().to_string();
    let limits = json!({ "subs": -1, "conn": 5, "leaf": -1, "imports": -1, "exports": -1, "data": -1, "payload": -1, "wildcards": true });
    let nats = json!({ "limits": limits, "signing_keys": keys });
    let claims = json!({ "iat": 1, "name": "V", "sub": sub, "type": "account", "nats": nats });
    let user = pair(Kind::User, 11).public_key().to_string();
    let user = json!({ "iat": 1, "name": "x", "sub": user, "type": "user", "nats": { "pub": {}, "sub": {} } });
    fs::create_dir(demo.path("users")).expect("a folder");
    demo.home.file("V.jwt", old_token(claims, &operator));
    let user = old_token(user, &account);
    demo.home.file("users/x.jwt", &user);
    let seed = Seed::from_bytes(Kind::Account, [9; 32]);
    demo.agent
        .client()
        .add(&seed, "signing key", 0)
        .expect("a key");
    let told = demo.nkey("migrate -u V.jwt");
    assert_eq!(told, "migrated account V to operator new, 1 users\n");
    let kept = fs::read_to_string(demo.path("store/new/accounts/V/users/x.jwt"));
    assert_eq!(kept.expect("a user"), user);
    let shown: Value = serde_json::from_str(&demo.nkey("describe account -n V -J")).expect("JSON");
    assert_eq!(
        [&shown["nats"]["version"], &shown["nats"]["limits"]["conn"]],
        [2, 5]
    );
    assert_eq!(
        shown["nats"]["signing_keys"].as_array().map(Vec::len),
        Some(2)
    );
    if !skipped("nsc") {
        demo.nsc("validate -a V").ok();
    }
}

#[test]
fn under_an_operator_of_others_the_account_signs_itself() {
    let demo = two_operators();
    let other = Demo::empty();
    other.nkey("add operator -n theirs");
    fs::copy(
        other.path("store/theirs/theirs.jwt"),
        demo.path("theirs.jwt"),
    )
    .expect("a copy");
    demo.nkey("add operator -u theirs.jwt");
    let told = demo.run(&format!("migrate -u {A}"));
    assert!(told.stderr.contains("signed itself"), "{told:?}");
    told.ok();
    let migrated = claims(&demo, "theirs/accounts/A/A.jwt");
    assert_eq!(migrated.standard.iss, migrated.standard.sub);
    assert!(Path::new(&demo.path("store/theirs/accounts/A/users/u.jwt")).exists());
}

#[test]
fn a_real_server_lets_the_users_of_a_migrated_account_in() {
    if skipped("nats-server") {
        return;
    }
    let demo = two_operators();
    demo.nkey("select operator old");
    let creds = demo.creds("A", "v");
    demo.nkey("select operator new");
    let before = demo.server("--mem-resolver", "");
    assert!(User::connect(before.port(), &creds).is_err());
    drop(before);
    demo.nkey("migrate --operator-dir store/old");
    let server = demo.server("--mem-resolver", "");
    assert!(User::connect(server.port(), &creds).is_ok());
}

#[test]
fn who_was_revoked_stays_so_and_a_folder_without_a_token_is_named() {
    let demo = two_operators();
    demo.nkey("migrate --operator-dir store/old");
    demo.nkey("revocations add-user -a A -n u");
    fs::create_dir(demo.path("store/old/accounts/Z")).expect("a folder");
    let again = demo.run("migrate --operator-dir store/old --force");
    assert_eq!(again.status, 0, "{again:?}");
    assert!(again.stderr.contains("Z.jwt is not in it"), "{again:?}");
    assert!(again.stderr.contains("1 revocations"), "{again:?}");
    assert_eq!(
        claims(&demo, "new/accounts/A/A.jwt").nats.revocations.len(),
        1
    );
}
