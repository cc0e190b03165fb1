//! The programs in Go.

use data_encoding::BASE64URL_NOPAD;
use nkey_core::claims::owned::{SigningKey, TemplateLimits, UserScope};
use nkey_core::json::Node;
use nkey_core::jwt;
use nkey_core::nkey::{KeyPair, Seed};
use nkey_core::tolerant::AnyClaims;
use nkey_core::validate::Class;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::UNIX_EPOCH;

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
fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    let number = value.parse();
    Some(number.unwrap_or_else(|_| panic!("{name}={value} is not a number")))
}

/// How many claims of each type to try.
pub fn count() -> u64 {
    setting("NKEY_CLAIMS").unwrap_or(2000)
}

/// The seed of what is random. Every run has another; a failure shows it.
pub fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    let seed = *SEED.get_or_init(|| {
        let now = UNIX_EPOCH.elapsed().expect("a clock after 1970");
        setting("NKEY_SEED").unwrap_or(now.as_nanos() as u64 >> 10)
    });
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

/// As many tokens of random claims of one type as are to be tried.
pub fn claims(kind: &'static str) -> &'static [Made] {
    static MADE: Mutex<BTreeMap<&str, &[Made]>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry(kind)
        .or_insert_with(|| claimsgen(kind, count()).leak())
}

/// Tokens of random claims of one type.
pub fn claimsgen(kind: &str, count: u64) -> Vec<Made> {
    let output = program("claimsgen")
        .args(["-n", &count.to_string()])
        .args(["-seed", &seed().to_string(), kind])
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
    assert_eq!(made.len() as u64, count);
    made
}

/// What Go says of a token that we made.
pub struct Checked {
    pub error: Option<String>,
    pub again: String,
    templates: Node,
    pub findings: Vec<(Class, String)>,
}

/// A token with this payload as it stands, signed by the rule of version 2.
pub fn signed(payload: &[u8], pair: &KeyPair) -> String {
    let input = format!("{}.{}", jwt::HEADER, BASE64URL_NOPAD.encode(payload));
    let signature = pair.sign(input.as_bytes());
    format!("{input}.{}", BASE64URL_NOPAD.encode(signature.as_bytes()))
}

/// The payload of a token.
pub fn payload(token: &str) -> Vec<u8> {
    let chunk = token.split('.').nth(1).expect("three parts");
    BASE64URL_NOPAD
        .decode(chunk.as_bytes())
        .expect("a payload in base64url")
}

pub fn pair(seed: &str) -> KeyPair {
    KeyPair::from_seed(&Seed::from_str(seed).expect("a seed")).expect("a pair")
}

/// Gives a program lines, and reads one JSON object for each.
pub fn ask(name: &str, questions: &[String]) -> Vec<Node> {
    let mut child = program(name)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = questions.join("\n");
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("the program ends");
    let written = writer.join().expect("the writer ends");
    written.expect("the program reads all");
    assert!(output.status.success());
    let answers = lines(&output.stdout);
    assert_eq!(answers.len(), questions.len());
    answers
}

/// What Go says of each token.
pub fn claimscheck(tokens: &[String]) -> Vec<Checked> {
    ask("claimscheck", tokens)
        .iter()
        .map(|line| Checked {
            error: line.get("error").and_then(Node::as_text).map(str::to_owned),
            again: text(line, "claims").to_owned(),
            templates: line.get("templates").cloned().unwrap_or_default(),
            findings: findings(line, "findings"),
        })
        .collect()
}

impl Checked {
    /// Whether Go reads what this view of the claims says, or what is different.
    pub fn agrees(&self, effective: &AnyClaims) -> Result<(), String> {
        let mut shown = effective.clone();
        let mut templates = BTreeMap::new();
        if let AnyClaims::Account(account) = &mut shown {
            for key in &mut account.nats.signing_keys {
                if let SigningKey::Scoped(UserScope {
                    key: Some(key),
                    template: Some(template),
                    ..
                }) = key
                {
                    let limits = &mut template.limits;
                    let TemplateLimits {
                        subs,
                        data,
                        payload,
                    } = limits;
                    let all = [subs, data, payload].map(|limit| {
                        let value = limit.expect("a limit");
                        *limit = Some(value).filter(|value| *value != 0);
                        u64::try_from(value).map_or(Node::Int(value), Node::Uint)
                    });
                    templates.insert(key.clone(), Node::List(all.to_vec()));
                }
            }
        }
        let templates: Vec<_> = templates.into_iter().collect();
        let theirs = match &self.templates {
            Node::Map(members) => members.as_slice(),
            _ => &[],
        };
        // The model does not hold null lists.
        let without_empty = |json: &str| json.replace(":null", "").replace(":[]", "");
        let ours = shown.to_json();
        if without_empty(&ours) == without_empty(&self.again) && templates == theirs {
            return Ok(());
        }
        Err(format!(
            "ours {ours} {templates:?}\nGo's {} {theirs:?}",
            self.again
        ))
    }
}

/// A JSON object of these members.
pub fn object(members: &[(&str, Node)]) -> String {
    let members = members
        .iter()
        .map(|(key, node)| ((*key).into(), node.clone()));
    let mut buf = vec![0; 1 << 16];
    let mut writer = nkey_core::json::Writer::new(&mut buf);
    nkey_core::json::Write::write(&Node::Map(members.collect()), &mut writer);
    let written = writer.finish().expect("a short question");
    String::from_utf8(written.to_vec()).expect("a text")
}
