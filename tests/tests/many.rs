//! Many users at once.

use nkey_tests::{Demo, skipped, wait_for};
use std::collections::BTreeSet;

fn users(demo: &Demo) -> Vec<String> {
    let dir = demo.path("store/demo/accounts/demo/users");
    let names = std::fs::read_dir(dir).expect("the users").flatten();
    names
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

#[test]
fn killed_in_the_middle_every_user_is_whole_and_the_next_run_adds_the_rest() {
    let demo = Demo::new();
    let add = "add users -a demo --count 3000 -n u-{} --allow-pub data.>";
    let mut child = demo
        .command(add)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("nkey");
    wait_for(|| users(&demo).len() > 600, "some users");
    let _ = child.kill();
    child.wait().expect("its end");
    let before = users(&demo);
    assert!(before.len() < 3001, "it was not killed in the middle");

    // Whatever is there is a token whose key the agent holds.
    let held: BTreeSet<String> = demo
        .agent
        .client()
        .list()
        .expect("the keys")
        .iter()
        .map(|info| info.key.to_string())
        .collect();
    for name in before.iter().filter(|name| name.ends_with(".jwt")) {
        let path = demo.path("store/demo/accounts/demo/users").join(name);
        let token = std::fs::read_to_string(path).expect("a token");
        let decoded = nkey_core::tolerant::decode(token.trim()).expect("a whole token");
        assert!(held.contains(&decoded.claims.standard().sub), "{name}");
    }

    let again = demo.nkey(add);
    assert!(again.contains("were there already"), "{again}");
    // Keys that were made for users that never came have gone, and the journal with them.
    let names: Vec<String> = demo
        .agent
        .client()
        .list()
        .expect("the keys")
        .into_iter()
        .map(|info| info.name)
        .filter(|name| name.contains("/u-"))
        .collect();
    let different: BTreeSet<&String> = names.iter().collect();
    assert_eq!((names.len(), different.len()), (3000, 3000));
    assert!(!demo.path("store/.nkey.users").exists());
    let tokens = users(&demo)
        .iter()
        .filter(|name| name.ends_with(".jwt"))
        .count();
    assert_eq!(tokens, 3001);
    demo.nkey("validate -a demo");
    if !skipped("nsc") {
        let listed = demo.nsc("describe user -a demo -n u-0001").ok();
        assert!(listed.contains("data.>"), "{listed}");
    }
}

#[test]
fn many_users_are_edited_in_groups_and_deleted() {
    let demo = Demo::new();
    let agent_has = || demo.agent.client().list().expect("the keys").len();
    let before = agent_has();
    demo.nkey("add users -a demo --count 1100 -n w-{}");
    demo.nkey("edit user -a demo -n w-0001 --tag odd");
    let edit = "edit users -a demo --name w-* --tag team --subs 7";
    let shown = demo.nkey(&format!("{edit} --dry-run"));
    assert!(shown.contains("+ nats.tags[team]: \"team\""), "{shown}");

    // A token of another account in the middle: nothing is written.
    let file = |name: &str| demo.path(&format!("store/demo/accounts/demo/users/{name}.jwt"));
    let tokens = || users(&demo).into_iter().collect::<BTreeSet<_>>();
    let (there, kept) = (tokens(), std::fs::read(file("w-0700")).expect("a token"));
    demo.nkey("add account -n other");
    demo.nkey("add user -a other -n w-0700");
    let foreign = demo.path("store/demo/accounts/other/users/w-0700.jwt");
    std::fs::copy(foreign, file("w-0700")).expect("copied");
    let before_edit = std::fs::read(file("w-0002")).expect("a token");
    let refused = demo.run(&format!("{edit} --force"));
    assert_eq!(refused.status, 1, "{refused:?}");
    assert!(refused.stderr.contains("w-0700.jwt"), "{refused:?}");
    assert_eq!(std::fs::read(file("w-0002")).expect("a token"), before_edit);
    std::fs::write(file("w-0700"), kept).expect("put back");

    let edited = demo.nkey(&format!("{edit} --force"));
    assert!(edited.contains("edited 1100 users"), "{edited}");
    assert_eq!(tokens(), there);
    for name in ["w-0001", "w-0500", "w-0501", "w-1100"] {
        let text = std::fs::read_to_string(file(name)).expect("a token");
        let claims = nkey_core::tolerant::decode(text.trim()).expect("a whole token");
        let json = claims.claims.to_json();
        assert!(json.contains(r#""subs":7"#), "{json}");
        assert!(json.contains("\"team\""), "{json}");
    }
    let again = demo.nkey(&format!("{edit} --force"));
    assert!(again.contains("edited 0 users"), "{again}");
    demo.nkey("validate -A");
    if !skipped("nsc") {
        let listed = demo.nsc("describe user -a demo -n w-0777").ok();
        assert!(listed.contains("team"), "{listed}");
    }

    // Often, and with few files: a token is dated after the one before, which may take a second.
    for round in 0..8 {
        let edit = format!("nkey -H store edit users -a demo --name w-00* --tag t{round} --force");
        let mut limited = nkey_tests::command("sh");
        limited.args(["-c", &format!("ulimit -n 60; \"$0\" {}", &edit[5..])]);
        limited.arg(nkey_tests::program("nkey"));
        limited
            .current_dir(demo.home.path())
            .env("NKEY_AUTH_SOCK", demo.agent.socket());
        nkey_tests::run(&mut limited, "").ok();
    }
    demo.nkey("delete users -a demo --name w-* --force --rm-nkey");
    assert_eq!(users(&demo).len(), there.len() - 1100);
    // The other account's key and its user's.
    assert_eq!(agent_has(), before + 3);
}

#[test]
fn many_users_are_added_while_others_sign() {
    let demo = Demo::new();
    let mut child = demo
        .command("add users -a demo --count 1500 -n u-{}")
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("nkey");
    let key = demo.nkey("describe user -a demo -n demo -F sub");
    let key = key.trim().trim_matches('"').parse().expect("a key");
    let mut agent = demo.agent.client();
    let mut signed = 0;
    while child.try_wait().expect("its state").is_none() {
        agent.sign(&key, b"abcdefghijklmno").expect("a signature");
        signed += 1;
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(child.wait().expect("its end").success());
    assert!(signed > 3, "{signed}");
}
