//! Keys that are added, kept to one connection, listed and wiped.
#![cfg(feature = "daemon")]

mod common;

use common::{Card, Memory, Raw, Running, Says, key, seed, three_keys};
use nkey_agent::client::{Client, Error, Prompt};
use nkey_agent::message::{Status, flag, number};
use nkey_agent::store::{Check, Flags, KeyInfo, State, Store, StoreError};
use nkey_agent::wire::{Reader, Writer};
use nkey_core::Signature;
use nkey_core::nkey::{Kind, PublicKey, Secret, Seed};
use std::time::{Duration, Instant};

const NONCE: &[u8] = b"abcdefghijklmno";

fn status<T: std::fmt::Debug>(result: Result<T, Error>) -> Status {
    match result {
        Err(Error::Refused { status, .. }) => status,
        other => panic!("{other:?}"),
    }
}

/// Tries until it works: the agent notices a closed connection a little later.
fn eventually<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(done) = attempt() {
            return done;
        }
        assert!(Instant::now() < deadline, "it never worked");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn names(client: &mut Client) -> Vec<String> {
    client
        .list()
        .unwrap()
        .into_iter()
        .map(|row| row.name)
        .collect()
}

#[test]
fn a_volatile_key_is_its_connections_alone_and_ends_with_it() {
    let agent = Running::new(three_keys());
    let (mut own, mut other) = (agent.client(), agent.client());
    let made = own.generate(Kind::User, "mine", flag::VOLATILE).unwrap();
    assert!(own.sign(&made, NONCE).is_ok());
    let row = own
        .list()
        .unwrap()
        .into_iter()
        .find(|row| row.key == made)
        .unwrap();
    assert_eq!(
        (row.store.as_str(), row.name.as_str()),
        ("volatile", "mine")
    );
    assert_eq!(names(&mut other), ["O", "A", "U"]);
    assert_eq!(status(other.sign(&made, NONCE)), Status::UnknownKey);
    assert_eq!(status(other.export(&made)), Status::UnknownKey);
    assert_eq!(status(other.remove(&made)), Status::UnknownKey);
    // Its seed was not marked as one that may leave.
    assert_eq!(status(own.export(&made)), Status::Refused);

    let added = own.add(&seed(Kind::User, 50), "", flag::VOLATILE).unwrap();
    assert_eq!(
        status(other.add(&seed(Kind::User, 50), "", flag::VOLATILE)),
        Status::Refused
    );
    drop(own);
    let again = eventually(|| other.add(&seed(Kind::User, 50), "", flag::VOLATILE).ok());
    assert_eq!(again, added);
}

#[test]
fn one_key_never_speaks_two_languages() {
    let agent = Running::new(three_keys());
    let (mut own, mut other) = (agent.client(), agent.client());
    for flags in [0, flag::VOLATILE] {
        for kind in [Kind::Operator, Kind::Account, Kind::User] {
            let refused = own.add(&seed(kind, 2), "", flags).unwrap_err().to_string();
            assert!(
                refused.contains(&key(Kind::Account, 2).to_string()),
                "{refused}"
            );
        }
    }
    own.add(&seed(Kind::User, 60), "", flag::VOLATILE).unwrap();
    for flags in [0, flag::VOLATILE] {
        for client in [&mut own, &mut other] {
            assert_eq!(
                status(client.add(&seed(Kind::Account, 60), "", flags)),
                Status::Refused
            );
        }
    }
}

#[test]
fn a_key_is_added_renamed_exported_and_removed() {
    let agent = Running::new(three_keys());
    let mut client = agent.client();
    let flags = flag::EXPORTABLE | flag::ANY_IAT;
    let added = client
        .add(&seed(Kind::Account, 70), "first", flags)
        .unwrap();
    assert_eq!(added, key(Kind::Account, 70));
    client.rename(&added, "second").unwrap();
    let row = client
        .list()
        .unwrap()
        .into_iter()
        .find(|row| row.key == added)
        .unwrap();
    assert_eq!((row.name.as_str(), row.flags), ("second", flags));
    assert_eq!(client.export(&added).unwrap().as_bytes(), &[70; 32]);
    client.remove(&added).unwrap();
    assert_eq!(status(client.remove(&added)), Status::UnknownKey);
    for name in ["a\nb", "\u{1b}[31m", &"x".repeat(256)] {
        assert_eq!(
            status(client.generate(Kind::User, name, flag::VOLATILE)),
            Status::Refused
        );
        assert_eq!(
            status(client.rename(&key(Kind::User, 3), name)),
            Status::Refused
        );
    }
    assert_eq!(
        status(client.generate(Kind::User, "", 8)),
        Status::Malformed
    );
    // The public key of an exported, other kind is no way around the kind.
    let other = PublicKey::from_bytes(Kind::Account, *key(Kind::User, 3).as_bytes());
    assert_eq!(status(client.export(&other)), Status::UnknownKey);
}

#[test]
fn lock_wipes_the_keys_of_connections_and_locks_the_rest() {
    let agent = Running::new(three_keys());
    let (mut own, mut other) = (agent.client(), agent.client());
    let made = own.generate(Kind::User, "", flag::VOLATILE).unwrap();
    other.lock().unwrap();
    assert_eq!(status(own.sign(&made, NONCE)), Status::UnknownKey);
    assert_eq!(status(own.sign(&key(Kind::User, 3), NONCE)), Status::Locked);
    assert_eq!(
        status(own.issue(&key(Kind::Account, 2), "{}", 0, 0)),
        Status::Locked
    );
    assert_eq!(status(own.export(&key(Kind::User, 3))), Status::Locked);
    assert_eq!(names(&mut own), ["O", "A", "U"]);
    assert!(own.status().unwrap().is_locked());
    own.generate_ahead(Kind::User, "", 0).unwrap();
    assert_eq!(status(own.generated()), Status::Locked);
    own.unlock(&mut Says(common::PASSPHRASE)).unwrap();
    assert!(other.sign(&key(Kind::User, 3), NONCE).is_ok());
}

/// A store of many keys that signs with none.
struct Many(Vec<KeyInfo>);

impl Many {
    fn new(count: u32, name: &str) -> Many {
        let kinds = [Kind::User, Kind::Curve, Kind::Account, Kind::Operator];
        let rows = (0..count).map(|number| {
            let mut bytes = [9; 32];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            KeyInfo {
                key: PublicKey::from_bytes(kinds[number as usize % kinds.len()], bytes),
                name: name.to_owned(),
                flags: Flags::default(),
            }
        });
        Many(rows.collect())
    }
}

impl Store for Many {
    fn name(&self) -> &'static str {
        "vault"
    }

    fn state(&self) -> State {
        State::Unlocked
    }

    fn max_message(&self) -> usize {
        0
    }

    fn check(&self) -> Check {
        Check::Verify
    }

    fn keys(&self) -> Vec<KeyInfo> {
        self.0.clone()
    }

    fn find(&self, key: &PublicKey) -> Option<KeyInfo> {
        self.0.iter().find(|info| info.key == *key).cloned()
    }

    fn open(&self, _key: &PublicKey) -> Result<KeyInfo, StoreError> {
        Err(StoreError::Locked)
    }

    fn sign(&self, _key: &PublicKey, _message: &[u8]) -> Result<Signature, StoreError> {
        Err(StoreError::Locked)
    }

    fn add(&self, _seed: &Seed, _name: &str, _flags: Flags) -> Result<PublicKey, StoreError> {
        Err(StoreError::Locked)
    }

    fn export(&self, _key: &PublicKey) -> Result<Secret, StoreError> {
        Err(StoreError::Locked)
    }

    fn remove(&self, _key: &PublicKey) -> Result<(), StoreError> {
        Err(StoreError::Locked)
    }

    fn rename(&self, _key: &PublicKey, _name: &str) -> Result<(), StoreError> {
        Err(StoreError::Locked)
    }

    fn lock(&self) {}

    fn unlock(&self, _prompt: &mut dyn Prompt) -> Result<(), StoreError> {
        Ok(())
    }
}

#[test]
fn a_key_is_answered_at_once_and_is_there_after_the_flush() {
    let agent = Running::new(three_keys());
    let (mut client, mut other) = (agent.client(), agent.client());
    client.flushed().unwrap();
    assert_eq!(client.generated().unwrap(), None);
    client
        .generate_ahead(Kind::User, "early", flag::EXPORTABLE)
        .unwrap();
    let early = client.generated().unwrap().unwrap();
    // One at a time, so that no error is lost.
    client.generate_ahead(Kind::User, "second", 0).unwrap();
    assert_eq!(status(client.generated()), Status::Malformed);
    client.flush_ahead().unwrap();
    assert!(other.sign(&key(Kind::User, 3), NONCE).is_ok());
    client.flushed().unwrap();
    assert_eq!(names(&mut other).len(), 4);
    assert!(other.sign(&early, NONCE).is_ok() && other.export(&early).is_ok());
    client.generate_ahead(Kind::User, "third", 0).unwrap();
    let third = client.generated().unwrap().unwrap();
    drop(client);
    eventually(|| other.sign(&third, NONCE).ok());

    let flags = flag::LATER | flag::VOLATILE;
    assert_eq!(
        status(other.generate(Kind::User, "", flags)),
        Status::Malformed
    );
    for name in ["a\nb", &"x".repeat(256)] {
        other.generate_ahead(Kind::User, name, 0).unwrap();
        assert_eq!(status(other.generated()), Status::Refused);
    }
    other.flushed().unwrap();
}

#[test]
fn a_key_that_cannot_be_written_is_an_error_of_the_flush() {
    let agent = Running::new(Many::new(3, "name"));
    let mut client = agent.client();
    client.generate_ahead(Kind::User, "early", 0).unwrap();
    let early = client.generated().unwrap().unwrap();
    assert_eq!(status(client.flushed()), Status::Locked);
    client.flushed().unwrap();
    assert!(client.list().unwrap().iter().all(|row| row.key != early));
    // A request in between keeps the answer for whoever asks.
    client.generate_ahead(Kind::User, "early", 0).unwrap();
    client.generated().unwrap().unwrap();
    client.flush_ahead().unwrap();
    assert_eq!(client.list().unwrap().len(), 3);
    assert_eq!(status(client.flushed()), Status::Locked);
}

#[test]
fn keys_of_clients_that_do_not_wait_all_arrive() {
    let agent = Running::new(three_keys());
    let mut request = Writer::new();
    request
        .byte(number::EXTENSION)
        .string(b"generate-v1@nkey-agent");
    request.string(b"user").string(b"").uint32(flag::LATER);
    for _ in 0..50 {
        agent.raw().send(&common::frame(request.as_bytes()));
    }
    let mut client = agent.client();
    eventually(|| (client.list().unwrap().len() == 53).then_some(()));
}

/// The comments of the standard list.
fn standard(agent: &Running) -> (usize, Vec<String>) {
    let answer = agent.raw().ask(&[number::REQUEST_IDENTITIES]);
    let mut reader = Reader::new(&answer);
    assert_eq!(reader.byte(), Ok(number::IDENTITIES_ANSWER));
    let count = reader.uint32().unwrap();
    let rows = (0..count).map(|_| {
        reader.key_blob().unwrap();
        reader.text().unwrap().to_owned()
    });
    let rows = rows.collect();
    reader.end().unwrap();
    (answer.len(), rows)
}

#[test]
fn the_standard_list_is_short_and_the_extension_has_all() {
    let agent = Running::new(Many::new(4000, "name"));
    let (_, rows) = standard(&agent);
    assert_eq!(rows.len(), 1500);
    let letters: Vec<char> = rows.iter().filter_map(|row| row.chars().next()).collect();
    assert_eq!(letters[..1000], ['O'; 1000]);
    assert_eq!(letters[1000..], ['A'; 500]);
    assert!(rows.iter().all(|row| row.ends_with(" name")));
    let listed = agent.client().list().unwrap();
    assert_eq!(listed.len(), 4000);
    let mut keys: Vec<PublicKey> = listed.iter().map(|row| row.key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 4000);
    assert!(
        listed[3000..]
            .iter()
            .all(|row| row.key.kind() == Kind::Curve)
    );

    let agent = Running::new(Many::new(4000, &"x".repeat(255)));
    let (length, rows) = standard(&agent);
    assert!(length <= 200 * 1024 && length > 199 * 1024, "{length}");
    assert!(rows.len() < 1000);
    assert_eq!(agent.client().list().unwrap().len(), 4000);
    assert_eq!(standard(&Running::new(Memory::new(&[]))).1.len(), 0);
}

#[test]
fn a_forwarded_connection_uses_keys_and_neither_takes_nor_changes_them() {
    let agent = Running::with(three_keys(), vec![Box::new(Card::honest())]);
    let (operator, user) = (key(Kind::Operator, 1), key(Kind::User, 3));
    let mut there = agent.client();
    assert!(there.token("card:one", &[8]).is_ok());
    let mut bind = Writer::new();
    bind.byte(number::EXTENSION)
        .string(b"session-bind@openssh.com")
        .string(b"k")
        .string(b"s")
        .string(b"g")
        .byte(1);
    let mut raw = Raw::new(there.stream().try_clone().unwrap());
    assert_eq!(raw.ask(bind.as_bytes()), [number::SUCCESS]);
    assert_eq!(status(there.export(&user)), Status::Refused);
    assert_eq!(status(there.remove(&operator)), Status::Refused);
    assert_eq!(status(there.rename(&user, "x")), Status::Refused);
    assert_eq!(status(there.generate(Kind::User, "x", 0)), Status::Refused);
    there.generate_ahead(Kind::User, "x", 0).unwrap();
    assert_eq!(status(there.generated()), Status::Refused);
    assert_eq!(status(there.token("card:one", &[8])), Status::Refused);
    let seed = seed(Kind::User, 9);
    assert_eq!(status(there.add(&seed, "x", 0)), Status::Refused);

    // Neither one by one nor many at once.
    let names: Vec<String> = (0..50).map(|number| format!("k{number}")).collect();
    let many = there.generate_many(Kind::User, &names, 0).unwrap();
    assert!(many.into_iter().all(|made| status(made) == Status::Refused));

    assert_eq!(there.list().unwrap().len(), 3);
    assert!(there.sign(&user, NONCE).is_ok());
    let own = there.generate(Kind::User, "x", flag::VOLATILE).unwrap();
    assert!(there.sign(&own, NONCE).is_ok());
    let mut here = agent.client();
    assert!(here.export(&user).is_ok() && here.remove(&operator).is_ok());
}

#[test]
fn many_requests_are_answered_in_their_order_and_a_wrong_one_spoils_no_other() {
    let agent = Running::new(three_keys());
    let mut client = agent.client();
    let names: Vec<String> = (0..55)
        .map(|number| match number {
            25 => "bad\nname".to_owned(),
            number => format!("k{number}"),
        })
        .collect();
    let made = client
        .generate_many(Kind::User, &names, flag::EXPORTABLE)
        .unwrap();
    assert_eq!(made.len(), names.len());
    let listed = client.list().unwrap();
    for (name, key) in names.iter().zip(made) {
        if name.contains('\n') {
            assert_eq!(status(key), Status::Refused);
            continue;
        }
        let key = key.unwrap();
        let info = listed.iter().find(|info| info.key == key).unwrap();
        assert_eq!(&info.name, name);
        assert_ne!(info.flags & flag::EXPORTABLE, 0);
    }
    let account = key(Kind::Account, 2);
    let claims: Vec<String> = listed
        .iter()
        .filter(|info| info.key.kind() == Kind::User)
        .map(|info| {
            let key = info.key;
            format!(
                r#"{{"name":"{}","sub":"{key}","nats":{{"type":"user","version":2}}}}"#,
                info.name
            )
        })
        .collect();
    let tokens = client.issue_many(&account, &claims, 0).unwrap();
    assert_eq!(tokens.len(), 55);
    for (claims, token) in claims.iter().zip(tokens) {
        let decoded = nkey_core::tolerant::decode(&token.unwrap()).unwrap();
        assert!(claims.contains(&decoded.claims.standard().sub));
        assert_eq!(decoded.iss, account);
    }
    // The connection goes on as before.
    assert!(client.sign(&key(Kind::User, 3), NONCE).is_ok());
}
