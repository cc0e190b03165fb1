//! Passphrases at a terminal.

use nkey_tests::{Scratch, command, program, root, run, skipped, tool};

/// Runs `nkey` in a terminal where `keys` are typed, each when it asks.
fn typed(home: &Scratch, arguments: &str, keys: &[&str]) -> String {
    let mut python = command(tool("python"));
    python
        .arg(root().join("tests/python/terminal.py"))
        .arg(program("nkey"));
    python
        .args(arguments.split_whitespace())
        .env("HOME", home.path());
    let input: String = keys
        .iter()
        .map(|keys| serde_json::json!(keys).to_string() + "\n")
        .collect();
    run(&mut python, &input).ok()
}

#[test]
fn passphrases_are_asked_for_and_the_terminal_shows_again_what_is_typed() {
    if skipped("python") {
        return;
    }
    let home = Scratch::new();
    let new = "New passphrase for the vault: ";
    let made = format!("a new vault is made at {}", home.path().display());
    let start = "agent start";

    let interrupted = typed(&home, start, &["half\x03"]);
    assert!(interrupted.starts_with(&made), "{interrupted}");
    assert!(
        interrupted.ends_with("echo on, status -2\n"),
        "{interrupted}"
    );
    let nothing = typed(&home, start, &["\x04"]);
    assert!(
        nothing.ends_with(&format!(
            "{new}\nerror: no answer was given: nothing was changed\necho on, status 1\n"
        )),
        "{nothing}"
    );
    let different = typed(&home, start, &["one\n", "two\n"]);
    assert!(
        different.contains("the two passphrases differ"),
        "{different}"
    );
    assert!(different.ends_with("echo on, status 2\n"), "{different}");

    let started = typed(&home, start, &["wrong\x15pässx\x7fwort\n", "pässwort\n"]);
    assert!(started.ends_with("echo on, status 0\n"), "{started}");
    assert!(!started.contains("pässwort"), "{started}");
    assert!(typed(&home, "agent lock", &[]).starts_with("locked\n"));
    let wrong = typed(&home, "agent unlock", &["nope\n"]);
    assert!(wrong.contains("the passphrase is wrong"), "{wrong}");
    assert!(wrong.ends_with("echo on, status 3\n"), "{wrong}");
    let unlocked = typed(&home, "agent unlock", &["pässwort\n"]);
    assert!(
        unlocked.ends_with("unlocked\necho on, status 0\n"),
        "{unlocked}"
    );
    assert!(typed(&home, "agent stop", &[]).ends_with("status 0\n"));
}
