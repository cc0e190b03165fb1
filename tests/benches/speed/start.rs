//! Starting, unlocking and memory.

use super::Row;
use nkey_agent::client::Client;
use nkey_core::nkey::Kind;
use nkey_tests::{Agent, PASSPHRASE, Passphrase, Scratch, command, program, run, wait_for};
use rustix::process::Signal;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

const KEYS: usize = 100;

fn rss(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .expect("its memory")
}

/// Resident memory of ssh-agent with as many keys, in kB.
fn openssh_rss() -> u64 {
    let scratch = Scratch::new();
    let socket = scratch.path().join("s");
    let mut agent = command("ssh-agent")
        .arg("-D")
        .arg("-a")
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn()
        .expect("ssh-agent");
    wait_for(|| UnixStream::connect(&socket).is_ok(), "ssh-agent");
    for number in 0..KEYS {
        let file = scratch.path().join(number.to_string());
        run(
            command("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(&file),
            "",
        )
        .ok();
        run(
            command("ssh-add").env("SSH_AUTH_SOCK", &socket).arg(&file),
            "",
        )
        .ok();
    }
    let rss = rss(agent.id());
    agent.kill().expect("to end it");
    agent.wait().expect("its end");
    rss
}

pub fn rows() -> Vec<Row> {
    let mut agent = Agent::new();
    let mut client = agent.client();
    let keys: Vec<_> = (0..KEYS)
        .map(|number| {
            client
                .generate(Kind::User, &format!("user {number}"), 0)
                .expect("a key")
        })
        .collect();
    agent.end(Signal::TERM);

    let mut best = Duration::MAX;
    let mut unlock = Duration::ZERO;
    let mut memory = (0, 0);
    for round in 0..5 {
        let started = Instant::now();
        let mut child = command(program("nkey-agent"))
            .arg("--socket")
            .arg(agent.socket())
            .arg("--vault")
            .arg(agent.vault())
            .stderr(Stdio::null())
            .spawn()
            .expect("the agent");
        let mut client = loop {
            match Client::connect(&agent.socket()) {
                Ok(client) => break client,
                Err(_) => std::thread::sleep(Duration::from_micros(200)),
            }
        };
        assert_eq!(client.list().expect("the keys").len(), KEYS);
        best = best.min(started.elapsed());
        if round == 4 {
            let started = Instant::now();
            client
                .unlock(&mut Passphrase(PASSPHRASE))
                .expect("to unlock");
            unlock = started.elapsed();
            for key in &keys {
                client.sign(key, b"abcdefghijklmno").expect("a signature");
            }
            std::thread::sleep(Duration::from_secs(5));
            memory = (rss(child.id()), openssh_rss());
        }
        child.kill().expect("to end it");
        child.wait().expect("its end");
    }
    vec![
        Row::new(
            "exec to the answer of `list-v1`, locked vault of 100 keys",
            "20 ms",
            format!("{:.1} ms (best of 5)", best.as_secs_f64() * 1e3),
        ),
        Row::new(
            "unlock (scrypt 2^18)",
            "recorded",
            format!("{:.2} s", unlock.as_secs_f64()),
        ),
        Row::new(
            "resident memory 5 s after unlock, all 100 keys used, against ssh-agent with 100 keys",
            "2x",
            format!(
                "{:.1}x ({} kB, ssh-agent {} kB)",
                memory.0 as f64 / memory.1 as f64,
                memory.0,
                memory.1
            ),
        ),
    ]
}
