//! The programs in Go.

use nkey_core::json::Node;
use nkey_core::validate::Class;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

fn program(name: &str) -> Command {
    let tools = std::env::var_os("NKEY_TOOLS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.tools"),
        PathBuf::from,
    );
    let path = tools.join("bin").join(name);
    assert!(
        path.exists(),
        "{} is missing: run `make tools`",
        path.display()
    );
    Command::new(path)
}

/// A number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| {
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name}={value} is not a number"))
    })
}

/// How many claims of each type to try.
pub fn count() -> u64 {
    setting("NKEY_CLAIMS", 2000)
}

/// The seed of what is random.
pub fn seed() -> u64 {
    let seed = setting("NKEY_SEED", 1);
    println!("NKEY_SEED={seed}");
    seed
}

fn lines(output: &[u8]) -> Vec<Node> {
    output
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| Node::parse(line).expect("a JSON line"))
        .collect()
}

pub fn text<'n>(node: &'n Node, key: &str) -> &'n str {
    node.get(key).and_then(Node::as_text).unwrap_or_default()
}

/// What Validate says.
fn findings(node: &Node, key: &str) -> Vec<(Class, String)> {
    let Some(Node::List(list)) = node.get(key) else {
        return Vec::new();
    };
    list.iter()
        .map(|issue| {
            let class = match text(issue, "class") {
                "blocking" => Class::Blocking,
                "time" => Class::Time,
                "warning" => Class::Warning,
                other => panic!("class {other}"),
            };
            (class, text(issue, "text").to_owned())
        })
        .collect()
}

/// A token that Go made.
pub struct Made {
    pub seed: String,
    pub token: String,
    /// Findings in the claims that were signed, and in those that Go reads in the token.
    pub made: Vec<(Class, String)>,
    pub read: Vec<(Class, String)>,
    /// What Go reads in the token, encoded again.
    pub again: String,
}

/// Tokens of random claims of one type.
pub fn claimsgen(kind: &str) -> Vec<Made> {
    let output = program("claimsgen")
        .args([
            "-n",
            &count().to_string(),
            "-seed",
            &seed().to_string(),
            kind,
        ])
        .output()
        .expect("claimsgen runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let made: Vec<_> = lines(&output.stdout)
        .iter()
        .map(|line| Made {
            seed: text(line, "seed").to_owned(),
            token: text(line, "token").to_owned(),
            made: findings(line, "made"),
            read: findings(line, "read"),
            again: text(line, "again").to_owned(),
        })
        .collect();
    assert_eq!(made.len() as u64, count());
    made
}

/// What Go says of a token that we made.
pub struct Checked {
    pub error: Option<String>,
    pub again: String,
    pub findings: Vec<(Class, String)>,
}

/// What Go says of each token.
pub fn claimscheck(tokens: &[String]) -> Vec<Checked> {
    let mut child = program("claimscheck")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("claimscheck runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = tokens.join("\n");
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("claimscheck ends");
    writer
        .join()
        .expect("the writer ends")
        .expect("claimscheck reads all");
    assert!(output.status.success());
    let checked: Vec<_> = lines(&output.stdout)
        .iter()
        .map(|line| Checked {
            error: line.get("error").and_then(Node::as_text).map(str::to_owned),
            again: text(line, "claims").to_owned(),
            findings: findings(line, "findings"),
        })
        .collect();
    assert_eq!(checked.len(), tokens.len());
    checked
}
