//! Stock ssh-agent and gpg-agent as key holders.

use nkey_agent::client::{Enrol, Error};
use nkey_agent::message::Status;
use nkey_core::nkey::{KeyPair, Kind, PublicKey, Seed};
use nkey_tests::{
    Agent, EVIL, Scratch, claims_of, command, limit_is_exact, lists_cleanly, refusal, run,
    server_accepts, skipped, wait_for,
};
use sha2::{Digest, Sha512};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
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
        let child = run_agent(&scratch);
        Upstream { scratch, child }
    }

    /// Starts it again, without keys.
    fn start(&mut self) {
        self.child = run_agent(&self.scratch);
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(self.socket());
    }

    fn socket(&self) -> PathBuf {
        self.scratch.path().join("s")
    }

    fn add(&self, kind: &str, name: &str) {
        self.add_as(kind, name, name);
    }

    fn add_as(&self, kind: &str, name: &str, comment: &str) {
        let file = self.scratch.path().join(name);
        let mut keygen = command("ssh-keygen");
        keygen.args(["-q", "-t", kind, "-N", "", "-C", comment, "-f"]);
        run(keygen.arg(&file), "").ok();
        self.insert(name);
    }

    /// Gives it a key that was made before.
    fn insert(&self, name: &str) {
        let file = self.scratch.path().join(name);
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
        self.end();
    }
}

fn run_agent(scratch: &Scratch) -> Child {
    let socket = scratch.path().join("s");
    let child = command("ssh-agent")
        .arg("-D")
        .arg("-a")
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn()
        .expect("ssh-agent");
    wait_for(|| socket.exists(), "ssh-agent");
    child
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
    let reason = limit_is_exact(&agent, &account, limit);
    assert!(reason.contains("ssh:up signs at most 262080"), "{reason}");
}

#[test]
fn eight_clients_at_once_and_an_agent_that_ends() {
    let mut upstream = Upstream::new();
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
    // It ends, comes back without the key, and has the key again.
    upstream.end();
    let (status, reason) = refusal(agent.client().sign(&user, NONCE));
    assert_eq!(status, Status::StoreFailed);
    assert!(reason.contains("no agent answers"), "{reason}");
    upstream.start();
    let (status, _) = refusal(agent.client().sign(&user, NONCE));
    assert_eq!(status, Status::StoreFailed);
    upstream.insert("user");
    agent.client().sign(&user, NONCE).expect("a signature");
}

/// What an agent of the test's own does instead of signing.
const LIES: [(&str, &str); 7] = [
    ("prefix", "only the first 32 of"),
    ("digest", "the SHA-512 digest"),
    ("other", "is not that of"),
    ("zeros", "zeros"),
    ("short", "does not have 64 bytes"),
    ("refusal", "refuse"),
    ("end", "closed the connection"),
];

/// An agent with one key, which lies as its file of orders says.
fn liar(scratch: &Scratch) -> PathBuf {
    let socket = scratch.path().join("s");
    let orders = scratch.file("orders", "");
    let listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let orders = orders.clone();
            std::thread::spawn(move || lie(stream, &orders));
        }
    });
    socket
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

fn lie(mut stream: UnixStream, orders: &Path) -> Option<()> {
    let pair = |byte| KeyPair::from_seed(&Seed::from_bytes(Kind::User, [byte; 32])).ok();
    let (right, wrong) = (pair(1)?, pair(2)?);
    let key = right.public_key();
    let blob = [string(b"ssh-ed25519"), string(key.as_bytes())].concat();
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length).ok()?;
        let mut request = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut request).ok()?;
        let answer = if request[0] == 11 {
            [&[12, 0, 0, 0, 1][..], &string(&blob), &string(b"key")].concat()
        } else if request[0] == 13 {
            let from = 1 + 4 + blob.len();
            let size = u32::from_be_bytes(request[from..from + 4].try_into().ok()?) as usize;
            let message = &request[from + 4..from + 4 + size];
            let sign = |pair: &KeyPair, message: &[u8]| pair.sign(message).as_bytes().to_vec();
            let order = std::fs::read_to_string(orders).ok()?;
            let signature = match order.as_str() {
                "prefix" => sign(&right, &message[..message.len().min(32)]),
                "digest" => sign(&right, &Sha512::digest(message)),
                "other" => sign(&wrong, message),
                "zeros" => vec![0; 64],
                "short" => sign(&right, message)[..63].to_vec(),
                "refusal" => Vec::new(),
                "end" => return None,
                _ => sign(&right, message),
            };
            match signature.is_empty() {
                true => vec![5],
                false => {
                    let inner = [string(b"ssh-ed25519"), string(&signature)].concat();
                    [&[14][..], &string(&inner)].concat()
                }
            }
        } else {
            vec![5]
        };
        stream.write_all(&string(&answer)).ok()?;
    }
}

#[test]
fn an_agent_that_lies_is_reported_as_what_it_is() {
    let scratch = Scratch::new();
    let socket = liar(&scratch);
    let agent = Agent::with_holders(&format!("[ssh.up]\nsocket = \"{}\"\n", socket.display()));
    let account = enrol(&agent, "key", Kind::Account).expect("to enrol");
    let other = agent.client().generate(Kind::User, "", 0).expect("a key");
    let mut told = Vec::new();
    for (word, part) in LIES {
        scratch.file("orders", word);
        let claims = claims_of(100, &other);
        let (status, reason) = refusal(agent.client().issue(&account, &claims, 0, 0));
        assert_eq!(status, Status::StoreFailed, "{word}: {reason}");
        if !reason.contains(part) {
            told.push(format!("{word}: {reason}"));
        }
        agent.client().sign(&other, NONCE).expect("another key");
        scratch.file("orders", "");
        agent
            .client()
            .issue(&account, &claims, 0, 0)
            .expect("a token");
    }
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn comments_with_control_characters_do_not_reach_the_terminal() {
    let upstream = Upstream::new();
    upstream.add_as("ed25519", "key", EVIL);
    let agent = Agent::with_holders(&upstream.config(""));
    lists_cleanly(&agent, "ssh:up");
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

/// A stock gpg-agent with Ed25519 keys.
struct Gpg(Scratch);

impl Gpg {
    fn new(keys: usize) -> Gpg {
        let gpg = Gpg(Scratch::new());
        gpg.0.file("gpg-agent.conf", "enable-ssh-support\n");
        for number in 0..keys {
            let key = format!(
                "--batch --quiet --passphrase= --quick-gen-key nkey{number} ed25519 auth 0"
            );
            gpg.run("gpg", &key);
        }
        let listed = gpg.run("gpg", "--list-keys --with-keygrip --with-colons");
        let grips = listed.lines().filter_map(|line| line.strip_prefix("grp:"));
        let grips: Vec<&str> = grips.map(|grip| grip.trim_matches(':')).collect();
        assert_eq!(grips.len(), keys, "{listed}");
        gpg.0.file("sshcontrol", grips.join("\n") + "\n");
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
fn gpg_agent_holds_operator_account_and_user() {
    if skipped("nats-server") {
        return;
    }
    let gpg = Gpg::new(3);
    let agent = Agent::with_holders(&gpg.config(""));
    let slots = agent.client().slots("ssh:up").expect("slots");
    let kinds = [Kind::Operator, Kind::Account, Kind::User];
    let keys: Vec<PublicKey> = slots
        .iter()
        .zip(kinds)
        .map(|(slot, kind)| enrol(&agent, &slot.id, kind).expect("to enrol"))
        .collect();
    let [operator, account, user] = &keys[..] else {
        panic!("{slots:?}")
    };
    server_accepts(&agent, operator, account, user);
}

#[test]
fn gpg_agent_signs_nonces_and_tokens_up_to_a_limit_that_is_named() {
    let gpg = Gpg::new(1);
    let agent = Agent::with_holders(&gpg.config(""));
    let stores = agent.client().stores().expect("stores");
    assert_eq!(stores[1].state(), "ready", "{stores:?}");
    assert!(stores[1].policy.contains("450"), "{stores:?}");
    let slots = agent.client().slots("ssh:up").expect("slots");
    assert_eq!(slots.len(), 1, "{slots:?}");
    let user = enrol(&agent, &slots[0].id, Kind::User).expect("to enrol");
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
