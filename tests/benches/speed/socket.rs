//! Signatures over the socket, against OpenSSH's ssh-agent and against the bare cryptography.

use super::Row;
use super::core_speed::user;
use nkey_agent::wire::Writer;
use nkey_core::jwt;
use nkey_core::nkey::{KeyPair, Kind, PublicKey, Seed};
use nkey_tests::{Agent, Scratch, command, run, wait_for};
use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const SPAN: Duration = Duration::from_secs(3);
const CONNECTIONS: usize = 64;

/// A standard sign request for a key.
fn request(key: &PublicKey, data: &[u8]) -> Vec<u8> {
    let mut message = Writer::new();
    let frame = message.begin_frame();
    message.byte(13).key_blob(key).string(data).uint32(0);
    message.end_frame(frame);
    message.as_bytes().to_vec()
}

/// One exchange; the answer must be a signature.
fn exchange(stream: &mut UnixStream, request: &[u8]) {
    let mut answer = [0u8; 4 + 1 + 4 + 15 + 4 + 64];
    stream.write_all(request).expect("to ask");
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer[4], 14, "the agent refused");
}

fn serial(socket: &Path, request: &[u8]) -> f64 {
    let mut stream = UnixStream::connect(socket).expect("the agent");
    (0..200).for_each(|_| exchange(&mut stream, request));
    let (started, mut count) = (Instant::now(), 0u32);
    while started.elapsed() < SPAN {
        exchange(&mut stream, request);
        count += 1;
    }
    f64::from(count) / started.elapsed().as_secs_f64()
}

fn parallel(workers: usize, work: impl Fn(&AtomicBool) -> u64 + Sync) -> f64 {
    let (stop, total) = (AtomicBool::new(false), AtomicU64::new(0));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| total.fetch_add(work(&stop), Ordering::SeqCst));
        }
        std::thread::sleep(SPAN);
        stop.store(true, Ordering::SeqCst);
    });
    total.load(Ordering::SeqCst) as f64 / started.elapsed().as_secs_f64()
}

/// Signatures a second of OpenSSH's ssh-agent, serial.
fn openssh(data: &[u8]) -> f64 {
    let scratch = Scratch::new();
    let (socket, file) = (scratch.path().join("s"), scratch.path().join("id"));
    let mut agent = command("ssh-agent")
        .arg("-D")
        .arg("-a")
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn()
        .expect("ssh-agent");
    wait_for(|| UnixStream::connect(&socket).is_ok(), "ssh-agent");
    let mut keygen = command("ssh-keygen");
    run(
        keygen
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
    let list = run(
        command("ssh-add").env("SSH_AUTH_SOCK", &socket).arg("-L"),
        "",
    )
    .ok();
    let blob = data_encoding::BASE64
        .decode(list.split(' ').nth(1).expect("a blob").as_bytes())
        .expect("base64");
    let key: [u8; 32] = blob[blob.len() - 32..].try_into().expect("32 bytes");
    let rate = serial(
        &socket,
        &request(&PublicKey::from_bytes(Kind::User, key), data),
    );
    agent.kill().expect("to end it");
    agent.wait().expect("its end");
    rate
}

pub fn rows() -> Vec<Row> {
    let agent = Agent::new();
    let seed = Seed::from_bytes(Kind::Account, [1; 32]);
    let pair = KeyPair::from_seed(&seed).expect("a pair");
    agent.client().add(&seed, "bench", 0).expect("to add it");
    let public = Seed::from_bytes(Kind::User, [2; 32]).public_key().encode();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock")
        .as_secs();
    let mut buf = [0u8; 2048];
    let claims = user(&public);
    let now = i64::try_from(now).expect("a time");
    let input = jwt::prepare(&claims, &pair.public_key(), now, &mut buf).expect("an input");
    let data = &buf[..input];
    let sign = request(&pair.public_key(), data);

    let ours = serial(&agent.socket(), &sign);
    let theirs = openssh(data);
    let many = parallel(CONNECTIONS, |stop| {
        let mut stream = UnixStream::connect(agent.socket()).expect("the agent");
        let mut count = 0;
        while !stop.load(Ordering::Relaxed) {
            exchange(&mut stream, &sign);
            count += 1;
        }
        count
    });
    let key = pair.public_key();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let bare = parallel(cores, |stop| {
        let mut count = 0;
        while !stop.load(Ordering::Relaxed) {
            let signature = pair.sign(black_box(data));
            assert!(key.verify(black_box(data), &signature));
            count += 1;
        }
        count
    });
    vec![
        Row::new(
            "sign a 600-byte JWT over the socket, serial, against ssh-agent",
            "7x",
            format!(
                "{:.1}x ({ours:.0}/s, ssh-agent {theirs:.0}/s)",
                ours / theirs
            ),
        ),
        Row::new(
            "64 connections, against sign and verify in process on all cores",
            "70 %",
            format!(
                "{:.0} % ({many:.0}/s, in process {bare:.0}/s)",
                100.0 * many / bare
            ),
        ),
    ]
}
