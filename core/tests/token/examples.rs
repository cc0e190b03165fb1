//! The examples of the page are the bytes of one conversation. `TOKEN_EXAMPLES=write` writes them.

use crate::board::Flash;
use crate::host::*;
use crate::page;
use nkey_core::nkey::Kind;
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
    let mut talk = Talk {
        token: Token::new(Flash::new()),
        session: None,
        id: 0,
        said: BTreeMap::new(),
    };
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
    talk.say("Export", Command::Export { slot: 0, pin: PIN });
    talk.say("Receive", Command::Receive { sealed: b"nothing" });
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
    talk.said
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
