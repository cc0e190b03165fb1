//! Runs the scripts in `tests/scripts`: commands, and what they must print.
//!
//! `$ command` goes to a shell, together with the lines after it that start with `> `; what
//! follows must be what it prints, standard output and error together. `? N` is its exit
//! status, if not 0. `[..]` stands for anything within a line. Lines that start with `#` are
//! for the reader. A first line `agent` starts an agent for the script.

use nkey_tests::{Agent, Scratch, command, fixture, program};
use std::path::Path;
use std::process::Stdio;

macro_rules! scripts {
    ($( $name:ident ),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                run(stringify!($name), include_str!(concat!("scripts/", stringify!($name), ".txt")));
            }
        )*

        #[test]
        fn every_script_is_run() {
            let known = [$( stringify!($name) ),*];
            let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_stem().unwrap().to_str().unwrap();
                assert!(known.contains(&name), "{name} is not in the list of scripts");
            }
        }
    };
}

scripts! {
    add, agent, bring, decode, delete, describe, edit, expirations, exports, generate, help, import, init, keys,
    list, many, openpgp, operators, pictures, piv, pkcs11, push, reissue, revocations, seeds, sign, store, terminal, trust, validate,
    verify,
}

/// One command of a script.
#[derive(Default)]
struct Step {
    line: usize,
    command: String,
    prints: Vec<String>,
    status: i32,
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step {
                line: index + 1,
                command: command.to_owned(),
                ..Step::default()
            });
            continue;
        }
        let Some(step) = steps.last_mut() else {
            continue;
        };
        if let Some(more) = line.strip_prefix("> ") {
            step.command.push('\n');
            step.command.push_str(more);
        } else if let Some(status) = line.strip_prefix("? ") {
            step.status = status.parse().expect("a status");
        } else if !line.starts_with('#') {
            step.prints.push(line.to_owned());
        }
    }
    for step in &mut steps {
        while step.prints.last().is_some_and(String::is_empty) {
            step.prints.pop();
        }
    }
    assert!(!steps.is_empty(), "a script without commands");
    steps
}

fn run(name: &str, text: &str) {
    let agent = text.starts_with("agent\n").then(Agent::new);
    let home = Scratch::new();
    let nkey = program("nkey");
    let bin = nkey.parent().expect("its folder").display();
    let path = std::env::var("PATH").unwrap_or_default();
    for step in steps(text) {
        let mut shell = command("/bin/sh");
        shell.arg("-c").arg(format!("exec 2>&1; {}", step.command));
        shell.env("PATH", format!("{bin}:{path}"));
        shell.env("HOME", home.path()).current_dir(home.path());
        shell
            .env("EXAMPLE", fixture("seed-example.txt"))
            .env("STORE", fixture("nsc-store/stores/demoop"));
        if let Some(agent) = &agent {
            shell.env("NKEY_AUTH_SOCK", agent.socket());
        }
        let output = shell.stdin(Stdio::null()).output().expect("a shell");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let place = format!(
            "scripts/{name}.txt, line {}: {}\n{printed}",
            step.line, step.command
        );
        assert_eq!(output.status.code(), Some(step.status), "{place}");
        let lines: Vec<&str> = printed.trim_end_matches('\n').split('\n').collect();
        let wanted: Vec<&str> = if step.prints.is_empty() {
            vec![""]
        } else {
            step.prints.iter().map(String::as_str).collect()
        };
        for (line, wanted) in lines.iter().zip(&wanted) {
            assert!(
                fits(wanted, line),
                "{place}\nwanted: {wanted}\nfound:  {line}"
            );
        }
        assert_eq!(lines.len(), wanted.len(), "{place}");
    }
}

/// Whether a line is the pattern, in which `[..]` stands for anything.
fn fits(pattern: &str, line: &str) -> bool {
    let Some((start, rest)) = pattern.split_once("[..]") else {
        return pattern == line;
    };
    let Some(mut line) = line.strip_prefix(start) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split("[..]").collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match line.find(part) {
            Some(at) => line = &line[at + part.len()..],
            None => return false,
        }
    }
    line.ends_with(end)
}

#[test]
fn patterns_fit_what_they_say() {
    for (pattern, line, wanted) in [
        ("a b", "a b", true),
        ("a b", "a bc", false),
        ("a[..]c", "abbc", true),
        ("a[..]c", "abbcd", false),
        ("[..]x[..]y", "1x2y", true),
        ("[..]x[..]y", "1y2x", false),
        ("a[..]", "a", true),
    ] {
        assert_eq!(fits(pattern, line), wanted, "{pattern} {line}");
    }
}
