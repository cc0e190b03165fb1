//! A process that saves keys all the time and is killed, again and again.

use super::*;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

/// The change with this number: keys are added, renamed and removed in turn.
fn change(number: u32, keys: &mut BTreeMap<PublicKey, String>, vault: Option<&Vault>) {
    let seed = Seed::from_bytes(Kind::User, [number as u8 / 5 + 1; 32]);
    let key = seed.public_key();
    let name = format!("name {number}");
    match number % 5 {
        0 => {
            if let Some(vault) = vault {
                vault.add(&seed, &name, Flags::default()).unwrap();
            }
            keys.insert(key, name);
        }
        4 if number % 10 == 9 => {
            if let Some(vault) = vault {
                vault.remove(&key).unwrap();
            }
            keys.remove(&key);
        }
        _ => {
            if let Some(vault) = vault {
                vault.rename(&key, &name).unwrap();
            }
            keys.insert(key, name);
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    if let Some(dir) = child::folder() {
        let vault = Vault::open(&dir).unwrap();
        unlock(&vault).unwrap();
        let first = std::env::var("NKEY_TEST_FIRST").unwrap().parse().unwrap();
        for number in first..1200 {
            change(number, &mut BTreeMap::new(), Some(&vault));
            eprintln!("done {number}");
        }
        return;
    }
    let folder = Temporary::new();
    let dir = folder.path().join("vault");
    drop(create(&dir));
    let mut keys = BTreeMap::new();
    let mut next = 0;
    for round in 0..25_u32 {
        let mut process = child::command(
            module_path!(),
            "nothing_acknowledged_is_lost_when_the_process_is_killed",
            &dir,
        )
        .env("NKEY_TEST_FIRST", next.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        // Past a few changes, then at some moment of the next one.
        for _ in 0..=round % 7 {
            assert_eq!(lines.next().unwrap().unwrap(), format!("done {next}"));
            change(next, &mut keys, None);
            next += 1;
        }
        std::thread::sleep(Duration::from_micros(u64::from(round) * 137 % 2000));
        process.kill().unwrap();
        for line in lines {
            assert_eq!(line.unwrap(), format!("done {next}"));
            change(next, &mut keys, None);
            next += 1;
        }
        assert!(!process.wait().unwrap().success());
        let vault = Vault::open(&dir).unwrap();
        unlock(&vault).unwrap();
        let found = used(&vault);
        if found != keys {
            change(next, &mut keys, None);
            next += 1;
            assert_eq!(found, keys, "round {round}, change {next}");
        }
    }
}
