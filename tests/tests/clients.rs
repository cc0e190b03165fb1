//! Clients that others wrote, against a real agent.

use nkey_agent::message::flag;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::{Signature, tolerant};
use nkey_tests::{Agent, command, root, run, skipped, tool};

const NONCE: &str = "abcDEF012-_xyzQ";

struct Keys {
    operator: PublicKey,
    account: PublicKey,
    user: PublicKey,
}

fn keys(agent: &Agent) -> Keys {
    let mut client = agent.client();
    let mut make = |kind, name| client.generate(kind, name, 0).expect("a key");
    Keys {
        operator: make(Kind::Operator, "root"),
        account: make(Kind::Account, "app"),
        user: make(Kind::User, "alice"),
    }
}

#[test]
fn go_lists_and_issues_through_the_socket() {
    if skipped("go") {
        return;
    }
    let agent = Agent::new();
    let keys = keys(&agent);
    let tokens = run(command(tool("agentissue")).arg(agent.socket()), "").ok();
    let issuers: Vec<PublicKey> = tokens
        .lines()
        .map(|token| tolerant::decode(token).expect("a token").iss)
        .collect();
    assert_eq!(issuers, [keys.operator, keys.account]);
    let log = agent.log();
    assert!(
        log.contains("an ssh login") && log.contains("not the key that is to sign"),
        "{log}"
    );
}

#[test]
fn node_issues_through_issue_v1() {
    if skipped("node") {
        return;
    }
    let agent = Agent::new();
    let keys = keys(&agent);
    let mut node = command("node");
    node.current_dir(root().join("tests/js"))
        .arg("agent.mjs")
        .arg(agent.socket());
    node.arg(keys.account.to_string())
        .arg(keys.user.to_string());
    let token = run(&mut node, "").ok();
    let decoded = tolerant::decode(token.trim()).expect("a token");
    assert_eq!(decoded.claims.standard().name, "from Node: <é & 😀>");
    assert!(decoded.notes.is_empty());
}

#[test]
fn paramiko_lists_and_signs_a_nonce() {
    if skipped("python") {
        return;
    }
    let agent = Agent::new();
    let keys = keys(&agent);
    let mut python = command(tool("python"));
    python.env("SSH_AUTH_SOCK", agent.socket());
    python
        .arg(root().join("tests/python/agent.py"))
        .arg(keys.user.to_string())
        .arg(NONCE);
    let hex = run(&mut python, "").ok();
    let bytes: Vec<u8> = (0..64)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex"))
        .collect();
    let signature = Signature::from_bytes(bytes.try_into().expect("64 bytes"));
    assert!(keys.user.verify(NONCE.as_bytes(), &signature));
}

#[test]
fn stock_ssh_add_lists() {
    let agent = Agent::new();
    let keys = keys(&agent);
    let list = |option| {
        let mut ssh_add = command("ssh-add");
        ssh_add.env("SSH_AUTH_SOCK", agent.socket()).arg(option);
        run(&mut ssh_add, "").ok()
    };
    let prints = list("-l");
    assert_eq!(prints.lines().count(), 3);
    assert!(
        prints
            .lines()
            .all(|line| line.starts_with("256 SHA256:") && line.ends_with("(ED25519)"))
    );
    let whole = list("-L");
    let order: Vec<&str> = whole
        .lines()
        .filter_map(|line| line.split(' ').nth(2))
        .collect();
    let wanted = [keys.operator, keys.account, keys.user].map(|key| key.to_string());
    assert_eq!(order, wanted);
    assert!(whole.lines().all(|line| line.starts_with("ssh-ed25519 ")));
}

#[test]
fn stock_ssh_add_never_fails_on_many_keys() {
    let agent = Agent::new();
    let mut client = agent.client();
    for _ in 0..70 {
        client
            .generate(Kind::User, &"n".repeat(255), flag::EXPORTABLE)
            .expect("a key");
    }
    let mut ssh_add = command("ssh-add");
    ssh_add.env("SSH_AUTH_SOCK", agent.socket()).arg("-l");
    assert_eq!(run(&mut ssh_add, "").ok().lines().count(), 70);
    assert_eq!(client.list().expect("all keys").len(), 70);
}
