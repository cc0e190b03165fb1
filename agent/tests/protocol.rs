//! docs/protocol.md is true: the agent answers its examples byte for byte, and the client sends them.
#![cfg(feature = "daemon")]

mod common;

use common::{Card, PASSPHRASE, Raw, Running, Says, key, seed, three_keys};
use nkey_agent::client::Client;
use nkey_agent::message::{Name, flag};
use nkey_core::nkey::Kind;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;

/// One request and its answer, with their lengths; `None` is a byte that differs from run to run.
struct Example {
    heading: String,
    request: Vec<u8>,
    answer: Vec<Option<u8>>,
}

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocol.md");
    std::fs::read_to_string(path).unwrap()
}

/// The examples of the page: lines of ```` ```hex ```` blocks, `>` for a request and `<` for its
/// answer, then bytes; two spaces end the bytes and begin a comment.
fn examples() -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let (mut heading, mut inside) = (String::new(), false);
    for line in page().lines() {
        if let Some(text) = line.strip_prefix('#') {
            heading = text.trim_matches(['#', ' ']).to_owned();
        }
        if line.starts_with("```") {
            inside = line == "```hex";
            continue;
        }
        if !inside {
            continue;
        }
        let (direction, rest) = line
            .split_at_checked(2)
            .unwrap_or_else(|| panic!("{heading}: {line}"));
        let bytes = rest.split("  ").next().unwrap_or_default().split(' ');
        let bytes = bytes
            .flat_map(|group| group.as_bytes().chunks(2))
            .map(|pair| match pair {
                b".." => None,
                digits => {
                    Some(u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap())
                }
            });
        match direction {
            "> " => {
                let bytes = bytes.map(|byte| byte.unwrap_or_else(|| panic!("{heading}: {line}")));
                match examples.last_mut() {
                    Some(last) if last.heading == heading && last.answer.is_empty() => {
                        last.request.extend(bytes)
                    }
                    _ => examples.push(Example {
                        heading: heading.clone(),
                        request: bytes.collect(),
                        answer: Vec::new(),
                    }),
                }
            }
            "< " => examples.last_mut().unwrap().answer.extend(bytes),
            _ => panic!("{heading}: {line}"),
        }
    }
    examples
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A card that is to be touched.
fn touched() -> Card {
    Card {
        says: Some("touch card:one"),
        ..Card::honest()
    }
}

#[test]
fn the_agent_answers_every_example_as_written() {
    let agent = Running::with(three_keys(), vec![Box::new(touched())]);
    let mut connection = agent.raw();
    let mut wrong = Vec::new();
    for (number, example) in examples().into_iter().enumerate() {
        let answer = connection.send(&example.request).answer().unwrap();
        let mut answer = common::frame(&answer);
        while answer.len() < example.answer.len() {
            answer.extend(common::frame(&connection.answer().unwrap()));
        }
        let same = answer.len() == example.answer.len()
            && answer
                .iter()
                .zip(&example.answer)
                .all(|(found, wanted)| wanted.is_none_or(|wanted| wanted == *found));
        if !same {
            wrong.push(format!("{number} {}: {}", example.heading, hex(&answer)));
        }
    }
    assert!(
        wrong.is_empty(),
        "the agent answers otherwise:\n{}",
        wrong.join("\n")
    );
}

/// Runs `work` with a client whose peer expects the requests under `heading` and answers as written.
fn client_sends(heading: &str, work: impl FnOnce(&mut Client)) {
    let examples: Vec<Example> = examples()
        .into_iter()
        .filter(|example| example.heading == heading)
        .collect();
    assert!(!examples.is_empty(), "{heading}");
    let directory =
        std::env::temp_dir().join(format!("nkey-protocol-{}-{heading}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir(&directory).unwrap();
    let path = directory.join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let peer = std::thread::spawn(move || {
        let mut stream = Raw::new(listener.accept().unwrap().0).0;
        for example in examples {
            let mut request = vec![0; example.request.len()];
            stream.read_exact(&mut request).unwrap();
            assert_eq!(hex(&request), hex(&example.request), "{}", example.heading);
            let unknown = example.answer.iter().filter(|byte| byte.is_none()).count();
            let made_up = key(Kind::User, 9).encode();
            let mut made_up = made_up.bytes().cycle().take(unknown);
            let answer: Vec<u8> = example
                .answer
                .iter()
                .map(|byte| byte.unwrap_or_else(|| made_up.next().unwrap()))
                .collect();
            stream.write_all(&answer).unwrap();
        }
    });
    let mut client = Client::connect(&path).unwrap();
    work(&mut client);
    peer.join().unwrap();
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn the_client_sends_the_examples_and_reads_their_answers() {
    let (account, user) = (key(Kind::Account, 2), key(Kind::User, 3));
    client_sends("sign-v1", |client| {
        let signature = client.sign(&user, b"abcdefghijklmno").unwrap();
        assert!(user.verify(b"abcdefghijklmno", &signature));
        let refused = client.sign(&user, b"hello").unwrap_err().to_string();
        assert!(refused.contains("a server's nonce only"), "{refused}");
    });
    client_sends("issue-v1", |client| {
        let claims = format!("{{\"sub\":\"{user}\",\"name\":\"app\"}}");
        let token = client.issue(&account, &claims, 1_700_000_000, 0).unwrap();
        let decoded = nkey_core::tolerant::decode(&token).unwrap();
        assert_eq!(
            (decoded.iss, decoded.claims.standard().iat),
            (account, 1_700_000_000)
        );
    });
    client_sends("list-v1", |client| {
        let keys = client.list().unwrap();
        let found: Vec<_> = keys
            .iter()
            .map(|row| (row.name.as_str(), row.store.as_str(), row.flags))
            .collect();
        assert_eq!(
            found,
            [
                ("O", "vault", 0),
                ("A", "vault", flag::ANY_IAT),
                ("U", "vault", flag::EXPORTABLE)
            ]
        );
    });
    client_sends("add-v1", |client| {
        let added = client
            .add(&seed(Kind::User, 4), "new", flag::EXPORTABLE)
            .unwrap();
        assert_eq!(added, key(Kind::User, 4));
        let refused = client
            .add(&seed(Kind::User, 4), "again", 0)
            .unwrap_err()
            .to_string();
        assert!(refused.contains("already"), "{refused}");
    });
    client_sends("rename-v1", |client| {
        client.rename(&key(Kind::User, 4), "newer").unwrap()
    });
    client_sends("export-v1", |client| {
        let exported = client.export(&key(Kind::User, 4)).unwrap();
        assert_eq!(exported.as_bytes(), seed(Kind::User, 4).as_bytes());
    });
    client_sends("remove-v1", |client| {
        client.remove(&key(Kind::User, 4)).unwrap()
    });
    client_sends("generate-v1", |client| {
        let made = client.generate(Kind::User, "", flag::VOLATILE).unwrap();
        assert_eq!(made, key(Kind::User, 9));
    });
    client_sends("flush-v1", |client| client.flushed().unwrap());
    client_sends("status-v1", |client| {
        let status = client.status().unwrap();
        assert!(!status.is_locked() && status.stores[0].name == "vault");
    });
    client_sends("stores-v1", |client| {
        let stores = client.stores().unwrap();
        let [vault, card] = stores.as_slice() else {
            panic!("{stores:?}")
        };
        assert_eq!((vault.name.as_str(), vault.is_shared()), ("vault", false));
        assert_eq!((card.state(), card.limit), ("ready", 1000));
        assert!(card.is_shared() && card.serial == "12345678");
    });
    client_sends("slots-v1", |client| {
        let slots = client.slots("card:one").unwrap();
        assert_eq!(slots[0].key, Some(*Card::key().as_bytes()));
        assert_eq!((slots[0].id.as_str(), slots[0].enrolled), ("1", None));
    });
    client_sends("enrol-v1", |client| {
        assert_eq!(Card::enrol(client).unwrap(), Card::key());
        let again = Card::enrol(client).unwrap_err().to_string();
        assert!(again.contains("already"), "{again}");
        client.remove(&Card::key()).unwrap();
    });
    client_sends("generate-v2", |client| {
        let made = client.generate_in("card:one", Kind::Account, "on card", 0);
        assert_eq!(made.unwrap(), Card::key());
        client.remove(&Card::key()).unwrap();
    });
    client_sends("Messages to the person", |client| {
        let (say, heard) = std::sync::mpsc::channel();
        client.on_notice(move |text| say.send(text.to_owned()).unwrap());
        let made = client.generate_in("card:one", Kind::Account, "on card", flag::ANY_IAT);
        assert_eq!(made.unwrap(), Card::key());
        let claims = format!("{{\"sub\":\"{user}\",\"name\":\"app\"}}");
        let token = client.issue(&Card::key(), &claims, 1_700_000_000, 0);
        let decoded = nkey_core::tolerant::decode(&token.unwrap()).unwrap();
        assert_eq!(decoded.iss, Card::key());
        // One for the proof, one for the token.
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["touch card:one"; 2]);
        client.remove(&Card::key()).unwrap();
    });
    client_sends("token-v1", |client| {
        assert_eq!(client.token("card:one", &[8]).unwrap(), [0]);
    });
    client_sends("lock-v1", |client| client.lock_store("card:one").unwrap());
    client_sends("unlock-v2", |client| {
        let status = client.unlock_store("card:one", &mut Says(PASSPHRASE));
        assert!(!status.unwrap().is_locked());
    });
    client_sends("Lock and unlock", |client| {
        client.lock().unwrap();
    });
    client_sends("unlock-v1", |client| {
        let status = client.unlock(&mut Says(PASSPHRASE)).unwrap();
        assert!(!status.is_locked());
    });
}

#[test]
fn every_extension_has_its_section_and_its_line_in_the_table_of_the_locked_state() {
    let page = page();
    for name in Name::ALL {
        let (short, _) = name.as_str().split_once('@').unwrap();
        assert!(
            page.contains(&format!("\n### {short}\n")),
            "no section {short}"
        );
        let rows = page
            .lines()
            .filter(|line| line.starts_with(&format!("| {short} |")))
            .count();
        assert_eq!(
            rows, 1,
            "{short} has not one row in the table of the locked state"
        );
    }
}
