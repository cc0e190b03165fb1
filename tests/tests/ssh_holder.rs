//! Stock ssh-agent and gpg-agent as key holders.

use nkey_agent::client::{Enrol, Error};
use nkey_agent::message::Status;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_tests::{Agent, Scratch, command, run, server_accepts, skipped, wait_for};
use std::path::PathBuf;
use std::process::{Child, Stdio};

const NONCE: &[u8] = b"abcdefghijklmno";

/// A stock ssh-agent with its own keys.
struct Upstream {
    scratch: Scratch,
    child: Child,
}

impl Upstream {
    fn new() -> Upstream {
        let scratch = Scratch::new();
        let socket = scratch.path().join("s");
        let child = command("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("ssh-agent");
        wait_for(|| socket.exists(), "ssh-agent");
        Upstream { scratch, child }
    }

    fn socket(&self) -> PathBuf {
        self.scratch.path().join("s")
    }

    fn add(&self, kind: &str, comment: &str) {
        let file = self.scratch.path().join(comment);
        let mut keygen = command("ssh-keygen");
        keygen.args(["-q", "-t", kind, "-N", "", "-C", comment, "-f"]);
        run(keygen.arg(&file), "").ok();
        let mut add = command("ssh-add");
        add.env("SSH_AUTH_SOCK", self.socket());
        run(add.arg("-q").arg(&file), "").ok();
    }

    fn config(&self, limit: &str) -> String {
        format!(
            "[ssh.up]\nsocket = \"{}\"\n{limit}\n",
            self.socket().display()
        )
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn enrol(agent: &Agent, slot: &str, kind: Kind) -> Result<PublicKey, Error> {
    agent.client().enrol(&Enrol {
        store: "ssh:up",
        slot,
        kind,
        name: slot,
        flags: 0,
        key: None,
    })
}

#[test]
fn a_stock_ssh_agent_holds_operator_account_and_user() {
    if skipped("nats-server") {
        return;
    }
    let upstream = Upstream::new();
    for comment in ["operator", "account", "user"] {
        upstream.add("ed25519", comment);
    }
    upstream.add("rsa", "other");
    let agent = Agent::with_holders(&upstream.config(""));
    let operator = enrol(&agent, "operator", Kind::Operator).expect("to enrol");
    let account = enrol(&agent, "account", Kind::Account).expect("to enrol");
    let user = enrol(&agent, "user", Kind::User).expect("to enrol");
    server_accepts(&agent, &operator, &account, &user);
    let (_, reason) = refusal(enrol(&agent, "other", Kind::User));
    assert!(reason.contains("ssh-rsa"), "{reason}");
}

#[test]
fn the_limit_of_openssh_is_as_stated() {
    let upstream = Upstream::new();
    upstream.add("ed25519", "account");
    let agent = Agent::with_holders(&upstream.config(""));
    let account = enrol(&agent, "account", Kind::Account).expect("to enrol");
    let limit = agent.client().stores().expect("stores")[1].limit as usize;
    assert_eq!(limit, 256 * 1024 - 64);
    let user = agent.client().generate(Kind::User, "", 0).expect("a key");
    let mut client = agent.client();
    // Three bytes of claims are four of the signing input.
    let first = client
        .issue(&account, &claims_of(1000, &user), 0, 0)
        .expect("a token");
    let around = first.rfind('.').expect("its signature") - 1000 * 4 / 3;
    let fits = (limit - around) * 3 / 4 - 4;
    let token = client
        .issue(&account, &claims_of(fits, &user), 0, 0)
        .expect("a token");
    let length = token.rfind('.').expect("its signature");
    assert!((limit - 8..=limit).contains(&length), "{length} of {limit}");
    let (status, reason) = refusal(client.issue(&account, &claims_of(fits + 12, &user), 0, 0));
    assert_eq!(status, Status::TooLarge);
    assert!(reason.contains("ssh:up signs at most 262080"), "{reason}");
}

#[test]
fn eight_clients_at_once_and_an_agent_that_ends() {
    let upstream = Upstream::new();
    upstream.add("ed25519", "user");
    let agent = Agent::with_holders(&upstream.config(""));
    let user = enrol(&agent, "user", Kind::User).expect("to enrol");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = agent.client();
                for _ in 0..125 {
                    client.sign(&user, NONCE).expect("a signature");
                }
            });
        }
    });
    drop(upstream);
    let (status, reason) = refusal(agent.client().sign(&user, NONCE));
    assert_eq!(status, Status::StoreFailed);
    assert!(reason.contains("no agent answers"), "{reason}");
}

/// An upstream of the test's own: answers each request with the same bytes.
fn odd(answer: &'static [u8]) -> (Scratch, PathBuf) {
    let scratch = Scratch::new();
    let socket = scratch.path().join("s");
    let listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                use std::io::{Read, Write};
                let (mut stream, mut request) = (stream, [0; 4096]);
                while stream.read(&mut request).is_ok_and(|read| read > 0) {
                    let _ = stream.write_all(answer);
                }
            });
        }
    });
    (scratch, socket)
}

#[test]
fn answers_without_form_are_named_and_the_agent_lives() {
    let cases: [(&'static [u8], &str); 6] = [
        (&[0, 0, 0, 1, 5], "does not list its keys"),
        (&[0, 0, 0, 0], "announces 0 bytes"),
        (&[0xff, 0xff, 0xff, 0xff], "announces 4294967295 bytes"),
        (
            &[0, 0, 0, 5, 12, 0xff, 0xff, 0xff, 0xff],
            "lists 4294967295 keys",
        ),
        (&[0, 0, 0, 5, 12, 0, 0, 0, 1], "does not have its form"),
        (
            &[0, 0, 0, 14, 12, 0, 0, 0, 1, 0, 0, 0, 1, 7, 0, 0, 0, 0],
            "does not have",
        ),
    ];
    let odd: Vec<_> = cases.iter().map(|(answer, _)| odd(answer)).collect();
    let mut config = String::new();
    for (at, (_, socket)) in odd.iter().enumerate() {
        config += &format!("[ssh.up{at}]\nsocket = \"{}\"\n", socket.display());
    }
    let agent = Agent::with_holders(&config);
    for (at, (_, part)) in cases.iter().enumerate() {
        match agent.client().slots(&format!("ssh:up{at}")) {
            Ok(slots) => assert!(slots.iter().all(|slot| !slot.trouble.is_empty()), "{part}"),
            other => {
                let (_, reason) = refusal(other);
                assert!(reason.contains(part), "{reason}");
            }
        }
    }
    assert!(agent.client().stores().expect("stores").len() == 7);
}

/// A stock gpg-agent with one Ed25519 key.
struct Gpg(Scratch);

impl Gpg {
    fn new() -> Gpg {
        let gpg = Gpg(Scratch::new());
        gpg.0.file("gpg-agent.conf", "enable-ssh-support\n");
        let key = "--batch --quiet --passphrase= --quick-gen-key nkey ed25519 auth 0";
        gpg.run("gpg", key);
        let listed = gpg.run("gpg", "--list-keys --with-keygrip --with-colons");
        let grip = listed.lines().find_map(|line| line.strip_prefix("grp:"));
        let grip = grip.expect("a keygrip").trim_matches(':');
        gpg.0.file("sshcontrol", format!("{grip}\n"));
        gpg.run("gpgconf", "--launch gpg-agent");
        gpg
    }

    fn run(&self, program: &str, arguments: &str) -> String {
        let mut gpg = command(program);
        gpg.env("GNUPGHOME", self.0.path());
        run(gpg.args(arguments.split(' ')), "").ok()
    }

    fn config(&self, limit: &str) -> String {
        let socket = self.run("gpgconf", "--list-dirs agent-ssh-socket");
        format!("[ssh.up]\nsocket = \"{}\"\n{limit}\n", socket.trim())
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        self.run("gpgconf", "--kill gpg-agent");
    }
}

#[test]
fn gpg_agent_signs_nonces_and_tokens_up_to_a_limit_that_is_named() {
    let gpg = Gpg::new();
    let agent = Agent::with_holders(&gpg.config(""));
    let stores = agent.client().stores().expect("stores");
    assert_eq!(stores[1].state(), "ready", "{stores:?}");
    assert!(stores[1].policy.contains("450"), "{stores:?}");
    let slots = agent.client().slots("ssh:up").expect("slots");
    assert_eq!(slots.len(), 1, "{slots:?}");
    let user = enrol(&agent, &slots[0].id, Kind::User).expect("to enrol");
    agent.client().sign(&user, NONCE).expect("a signature");
    agent.client().remove(&user).expect("to remove it");
    let account = enrol(&agent, &slots[0].id, Kind::Account).expect("to enrol");
    let claims = claims_of(3000, &user);
    let issued = agent.client().issue(&account, &claims, 0, 0);
    issued.expect("a token");
    drop(agent);
    let agent = Agent::with_holders(&gpg.config("limit = 450"));
    let account = enrol(&agent, &slots[0].id, Kind::Account).expect("to enrol");
    let (status, reason) = refusal(agent.client().issue(&account, &claims, 0, 0));
    assert_eq!(status, Status::TooLarge);
    assert!(reason.contains("ssh:up signs at most 450"), "{reason}");
}
