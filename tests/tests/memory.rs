//! What a locked agent still has in its memory.

use nkey_agent::message::flag;
use nkey_core::nkey::{Kind, Secret, Seed};
use nkey_core::token::{Command, Init};
use nkey_tests::virtual_token::Running;
use nkey_tests::{Agent, Passphrase, Scratch, skipped};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::{SystemTime, UNIX_EPOCH};

/// How often each of `wanted` is in the memory of a process.
fn found(pid: u32, wanted: &[&[u8]]) -> Vec<usize> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the agent's maps");
    let memory = File::open(format!("/proc/{pid}/mem"))
        .expect("reading the agent's memory takes root (NKEY_TEST_SKIP=root skips this)");
    let mut counts = vec![0; wanted.len()];
    for line in maps.lines() {
        let mut words = line.split(' ');
        let (range, rights) = (
            words.next().expect("a range"),
            words.next().expect("rights"),
        );
        if !rights.starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').expect("two ends");
        let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).expect("hex"));
        let mut bytes = vec![0; usize::try_from(end - start).expect("a size")];
        // The kernel keeps some of its own pages from everybody.
        let Ok(read) = memory.read_at(&mut bytes, start) else {
            continue;
        };
        for (count, wanted) in counts.iter_mut().zip(wanted) {
            *count += bytes[..read]
                .windows(wanted.len())
                .filter(|window| window == wanted)
                .count();
        }
    }
    counts
}

#[test]
fn a_locked_agent_has_no_seed_in_its_memory() {
    if skipped("root") {
        return;
    }
    let agent = Agent::new();
    let mut client = agent.client();
    let raw: [u8; 32] = std::array::from_fn(|at| (at as u8).wrapping_mul(73) ^ 0xA7);
    let seed = Seed::from_bytes(Kind::User, raw);
    let text: Secret = seed.encode();
    let text = text.reveal().as_bytes();
    let key = client.add(&seed, "u", flag::EXPORTABLE).expect("added");
    client.sign(&key, b"abcdefghijklmno").expect("signed");
    assert!(
        found(agent.pid(), &[&raw])[0] > 0,
        "the search finds nothing"
    );
    client.export(&key).expect("exported");
    let made = client
        .generate(Kind::User, "g", flag::EXPORTABLE)
        .expect("made");
    let made = client.export(&made).expect("exported");
    client
        .generate_ahead(Kind::User, "a", flag::EXPORTABLE)
        .expect("asked");
    let ahead = client.generated().expect("made").expect("a key");
    client.flushed().expect("on disk");
    let ahead = client.export(&ahead).expect("exported");
    client.lock().expect("locked");
    let left = found(
        agent.pid(),
        &[
            &raw,
            text,
            made.as_bytes(),
            made.encode().reveal().as_bytes(),
            ahead.as_bytes(),
            ahead.encode().reveal().as_bytes(),
        ],
    );
    assert_eq!(left, [0; 6]);
}

#[test]
fn an_agent_keeps_no_pin_of_a_token_whose_session_is_open() {
    if skipped("root") {
        return;
    }
    const PIN: &str = "chalk umbrella 41";
    let scratch = Scratch::new();
    let token = Running::start(&scratch, true, "always", &[]);
    let agent = Agent::with_holders(&format!(
        "[token.one]\nserial = \"VIRTUAL-1\"\nport = \"{}\"\nallow_virtual = \"VIRTUAL-1\"\n",
        token.path.display()
    ));
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let init = Init {
        pin: PIN.as_bytes(),
        time: since.expect("a clock").as_secs(),
        iterations: 1_000,
        importable: false,
        peer: None,
        drift_days: 30,
        idle_seconds: 600,
    };
    let mut bytes = [0; 128];
    let command = postcard::to_slice(&Command::Init(init), &mut bytes).expect("a command");
    let mut client = agent.client();
    client.token("VIRTUAL-1", command).expect("initialised");
    client
        .unlock_store("token:one", &mut Passphrase(PIN))
        .expect("unlocked");
    let left = found(agent.pid(), &[b"VIRTUAL-1", PIN.as_bytes()]);
    assert!(left[0] > 0, "the search finds nothing");
    assert_eq!(left[1], 0);
}
