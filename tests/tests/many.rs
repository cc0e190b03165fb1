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
