//! Creds files, against nats-io/jwt.

use crate::peer::{self, object, text};
use crate::random::Random;
use data_encoding::BASE64;
use nkey_core::creds;
use nkey_core::json::Node;
use nkey_core::nkey::{Kind, Seed};

const LINES: [&str; 22] = [
    "-----BEGIN NATS USER JWT-----",
    "------END NATS USER JWT------",
    "-----BEGIN USER NKEY SEED-----",
    "------END USER NKEY SEED------",
    "a.b.c",
    "eyJ0.eyJq.x-_=",
    "SEED",
    " SEED",
    "",
    "------",
    "-----",
    "---",
    "--- --- ",
    "x ---BEGIN---",
    " ---END---",
    "---x",
    "x---",
    "two words",
    "é---é---",
    "*******",
    "NKEYs are sensitive",
    "---\r---",
];

fn question(ask: &str, data: &str) -> String {
    let data = BASE64.encode(data.as_bytes());
    object(&[("ask", Node::Text(ask.into())), ("data", Node::Text(data))])
}

fn data(answer: &Node) -> String {
    let data = BASE64.decode(text(answer, "data").as_bytes());
    String::from_utf8(data.expect("base64")).expect("a text")
}

#[test]
fn creds_files_are_read_as_in_go() {
    let mut random = Random::new(8);
    let seeds =
        [Kind::Operator, Kind::Account, Kind::User].map(|kind| Seed::from_bytes(kind, [1; 32]));
    let files: Vec<_> = (0..2 * peer::count())
        .map(|_| {
            let count = 1 + random.below(10);
            let lines: Vec<_> = (0..count)
                .map(|at| {
                    // Mostly in an order that makes sense.
                    let line = match at % 3 {
                        0 if random.chance(60) => random.pick(&LINES[..4]),
                        1 if random.chance(60) => random.pick(&LINES[4..8]),
                        2 if random.chance(60) => random.pick(&LINES[..4]),
                        _ => random.pick(&LINES),
                    };
                    let seed = random.pick(&seeds).encode();
                    match line {
                        "SEED" | " SEED" => line.replace("SEED", seed.reveal()),
                        other => other.to_owned(),
                    }
                })
                .collect();
            let end = random.pick(&["\n", "\n", "\r\n"]);
            let last = random.pick(&["", end, "\n\n"]);
            lines.join(end) + last
        })
        .collect();
    let questions: Vec<_> = files.iter().map(|file| question("creds", file)).collect();
    let (mut tokens, mut keys) = (0, 0);
    for (answer, file) in peer::ask("corepeer", &questions).iter().zip(&files) {
        let theirs = data(answer);
        // Go gives a text without a block back as it is.
        assert_eq!(creds::parse_token(file), theirs.trim(), "{file:?}");
        tokens += usize::from(theirs != *file);
        let key = text(answer, "hash");
        let ours = creds::parse_seed(file).map(|seed| seed.public_key().to_string());
        if !key.is_empty() {
            assert_eq!(ours, Ok(key.to_owned()), "{file:?}");
            keys += 1;
        }
    }
    assert!(
        peer::count() < 2000 || (tokens > 100 && keys > 100),
        "{tokens} {keys}"
    );
}

#[test]
fn seeds_are_decorated_as_in_go() {
    let seeds = Kind::ALL.map(|kind| Seed::from_bytes(kind, [1; 32]));
    let questions: Vec<_> = seeds
        .iter()
        .map(|seed| question("decorate", seed.encode().reveal()))
        .collect();
    for (answer, seed) in peer::ask("corepeer", &questions).iter().zip(&seeds) {
        let mut buf = [0; 1024];
        match creds::write_seed(seed, &mut buf) {
            Ok(written) => assert_eq!(written, data(answer)),
            Err(error) => {
                assert_eq!(error, creds::Error::Kind(seed.kind()));
                assert!(answer.get("error").is_some());
            }
        }
    }
}
