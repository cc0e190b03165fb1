//! The examples of the page are the bytes of one conversation. `TOKEN_EXAMPLES=write` writes them.

use crate::board::Flash;
use crate::host::*;
use crate::page;
use crate::peer::Peer;
use nkey_core::nkey::{KeyPair, Kind, PublicKey, Seed};
use nkey_core::policy::{Policy, Presence};
use nkey_core::token::*;
use std::collections::BTreeMap;

fn hex(bytes: &[u8]) -> String {
    let words = bytes
        .chunks(4)
        .map(|word| word.iter().map(|byte| format!("{byte:02x}")).collect());
    words.collect::<Vec<String>>().join(" ")
}

/// Lines of at most 32 bytes.
fn lines(direction: char, bytes: &[u8]) -> String {
    bytes
        .chunks(32)
        .map(|chunk| format!("{direction} {}\n", hex(chunk)))
        .collect()
}

struct Talk {
    token: Token,
    session: Option<Session>,
    id: u32,
    said: BTreeMap<&'static str, String>,
}

impl Talk {
    fn new(token: Token) -> Talk {
        Talk {
            token,
            session: None,
            id: 0,
            said: BTreeMap::new(),
        }
    }

    fn say(&mut self, heading: &'static str, command: Command<'_>) -> Vec<u8> {
        self.id += 1;
        let request = frame(&Request {
            id: self.id,
            session: self.session,
            command,
        });
        let mut text = lines('>', &request);
        self.token.send(&request);
        let mut last = self.hear(&mut text);
        if let Some(press) = self.token.app.waits_for()
            && heading != "Cancel"
        {
            let (word, ms) = match press {
                Press::Short => ("press", 100),
                Press::Held => ("hold", 3_100),
            };
            text.push_str(word);
            text.push('\n');
            self.token.press(ms);
            last = self.hear(&mut text);
        }
        self.said.entry(heading).or_default().push_str(&text);
        last
    }

    /// Writes what the token says; its last frame.
    fn hear(&mut self, text: &mut String) -> Vec<u8> {
        let bytes = self.token.app.output().to_vec();
        self.token.app.sent(bytes.len());
        let mut last = Vec::new();
        for frame in bytes.split_inclusive(|byte| *byte == 0) {
            text.push_str(&lines('<', frame));
            last = frame.to_vec();
        }
        last
    }
}

fn conversation() -> BTreeMap<&'static str, String> {
    let mut talk = Talk::new(Token::new(Flash::new()));
    talk.say("Hello", Command::Hello);
    talk.say("Init", Command::Init(INIT));
    let mut last = talk.say(
        "Unlock",
        Command::Unlock {
            pin: PIN,
            time: NOW,
        },
    );
    let body = decode(&mut last).expect("a frame");
    let response: Response<'_> = postcard::from_bytes(body).expect("a response");
    let Answer::Session { session, .. } = response.answer else {
        panic!()
    };
    talk.session = Some(session);
    let user = Kind::User.prefix();
    talk.say(
        "Generate",
        Command::Generate {
            kind: user,
            name: "front",
            exportable: false,
        },
    );
    talk.say("List", Command::List);
    talk.say("Slot", Command::Slot { slot: 0 });
    talk.say(
        "Sign",
        Command::Sign {
            slot: 0,
            message: NONCE,
        },
    );
    talk.say("Counters", Command::Counters);
    talk.say("Tries", Command::Tries);
    talk.say(
        "Name",
        Command::Name {
            slot: 0,
            name: "back",
        },
    );
    talk.say(
        "Attest",
        Command::Attest {
            slot: 0,
            challenge: [0x55; 32],
        },
    );
    talk.say("Random", Command::Random { len: 16 });
    let policy = Policy {
        budget: Some(9),
        ..Policy::new(Kind::User)
    };
    talk.say("Tighten", Command::Tighten { slot: 0, policy });
    let policy = Policy {
        presence: Presence::Cached(60),
        ..policy
    };
    talk.say("Loosen", Command::Loosen { slot: 0, policy });
    talk.say(
        "Import",
        Command::Import {
            kind: user,
            seed: [1; 32],
            name: "",
        },
    );
    talk.say(
        "ChangePin",
        Command::ChangePin {
            old: PIN,
            new: b"battery staple",
        },
    );
    talk.say("Erase", Command::Erase { slot: 1 });
    talk.say("Cancel", Command::Erase { slot: 0 });
    talk.say("Cancel", Command::Cancel);
    talk.say("Bootloader", Command::Bootloader);
    let mut last = talk.say(
        "Lock",
        Command::Unlock {
            pin: b"battery staple",
            time: NOW,
        },
    );
    let body = decode(&mut last).expect("a frame");
    let response: Response<'_> = postcard::from_bytes(body).expect("a response");
    let Answer::Session { session, .. } = response.answer else {
        panic!()
    };
    talk.session = Some(session);
    talk.said.remove("Lock");
    talk.say("Lock", Command::Lock);
    talk.session = None;
    talk.say("Reset", Command::Reset);
    talk.said.extend(exchange());
    talk.said
}

/// Two tokens that pinned each other: one exports a key, the other receives it.
fn exchange() -> BTreeMap<&'static str, String> {
    let mut said = BTreeMap::new();
    let [mut first, mut second] = peers().map(|(token, session)| {
        let mut talk = Talk::new(token);
        talk.session = Some(session);
        talk
    });
    let command = Command::Generate {
        kind: Kind::Account.prefix(),
        name: "main",
        exportable: true,
    };
    let key = first.token.call(first.session, command).ok().key();
    let mut last = first.say("Export", Command::Export { slot: 0, pin: PIN });
    let body = decode(&mut last).expect("a frame");
    let response: Response<'_> = postcard::from_bytes(body).expect("a response");
    let Answer::Bytes(sealed) = response.answer else {
        panic!("{response:?}")
    };
    laid_out(sealed, &key);
    let mut last = second.say("Receive", Command::Receive { sealed });
    let body = decode(&mut last).expect("a frame");
    let response: Response<'_> = postcard::from_bytes(body).expect("a response");
    assert!(matches!(response.answer, Answer::Key(got) if got.key == *key.as_bytes()));
    said.append(&mut first.said);
    said.append(&mut second.said);
    said
}

/// The sealed key has the parts of the page's table, in its order and with its bytes.
fn laid_out(sealed: &[u8], key: &PublicKey) {
    let devices = peers().map(|(mut token, _)| device(&mut token));
    let rows = page::table("Bytes", "Part");
    let fixed: usize = rows
        .iter()
        .filter_map(|row| row[0].parse::<usize>().ok())
        .sum();
    let mut rest = sealed;
    let mut parts = BTreeMap::new();
    for row in &rows {
        let len = row[0].parse().unwrap_or(sealed.len() - fixed);
        let (part, after) = rest.split_at(len);
        parts.insert(row[1].as_str(), part);
        rest = after;
    }
    assert!(rest.is_empty());
    assert_eq!(parts["label"], crate::peer::LABEL);
    assert_eq!(
        [parts["sender"], parts["receiver"]],
        devices.each_ref().map(|key| &key[..])
    );
    let details: Details<'_> = postcard::from_bytes(parts["details"]).expect("details");
    assert_eq!((details.key, details.name), (*key.as_bytes(), "main"));
    assert_eq!([parts["seed"].len(), parts["tag"].len()], [32, 16]);
    let sender = PublicKey::from_bytes(Kind::Server, devices[0]);
    let (signed, signature) = sealed.split_last_chunk::<64>().expect("a signature");
    assert_eq!(parts["signature"], signature);
    assert!(sender.verify(signed, &nkey_core::Signature::from_bytes(*signature)));
}

#[test]
fn a_peer_that_knows_only_the_page_opens_what_was_exported() {
    let peer = Peer::new(0x31);
    let mut token = Token::new(Flash::new());
    let init = Init {
        peer: Some(peer.device()),
        ..INIT
    };
    token.call(None, Command::Init(init)).ok();
    let session = token.unlock();
    let command = Command::Generate {
        kind: Kind::Operator.prefix(),
        name: "main",
        exportable: true,
    };
    let key = token.call(Some(session), command).ok().key();
    let reply = token.call(Some(session), Command::Export { slot: 0, pin: PIN });
    let Answer::Bytes(sealed) = reply.answer() else {
        panic!("{:?}", reply.answer())
    };
    let sender = device(&mut token);
    let (details, seed) = peer.open(&sender, sealed);
    assert!(details.exportable && !details.imported);
    let pair = KeyPair::from_seed(&Seed::from_bytes(Kind::Operator, seed)).expect("a key");
    assert_eq!(pair.public_key(), key);
    // And it seals what the token takes.
    let sealed = peer.seal(&sender, &details, &seed);
    let reply = token.call(Some(session), Command::Receive { sealed: &sealed });
    assert_eq!(reply.code(), Some(Code::Exists));
}

/// The page with these examples in its blocks.
fn filled(page: &str, said: &BTreeMap<&'static str, String>) -> String {
    let (mut text, mut heading, mut inside) = (String::new(), String::new(), false);
    let mut used = 0;
    for line in page.lines() {
        if inside && line != "```" {
            continue;
        }
        inside = false;
        if let Some(name) = line.strip_prefix("### ") {
            heading = name.to_owned();
        }
        text.push_str(line);
        text.push('\n');
        if line == "```hex" {
            text.push_str(said.get(heading.as_str()).expect(&heading));
            inside = true;
            used += 1;
        }
    }
    assert_eq!(used, said.len(), "each message has an example");
    text
}

#[test]
fn the_token_answers_every_example_as_written() {
    let said = conversation();
    assert_eq!(said.len(), COMMANDS as usize);
    let page = page::text();
    let right = filled(&page, &said);
    if std::env::var_os("TOKEN_EXAMPLES").is_some() {
        page::write(&right);
        return;
    }
    for (found, wanted) in page.lines().zip(right.lines()) {
        assert_eq!(found, wanted);
    }
    assert_eq!(page.len(), right.len());
}
