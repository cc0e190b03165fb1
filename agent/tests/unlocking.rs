//! Unlocking by request 23 and by `unlock-v1`, by many at once.
#![cfg(feature = "daemon")]

mod common;

use common::{Card, PASSPHRASE, Raw, Running, Says, key, three_keys};
use nkey_agent::client::{Client, Error, Prompt};
use nkey_agent::message::{Name, Status, number};
use nkey_agent::wire::{Reader, Writer};
use nkey_core::nkey::Kind;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

fn unlock(passphrase: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.byte(number::UNLOCK).string(passphrase);
    writer.as_bytes().to_vec()
}

fn unlock_v1(answer: &str) -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .byte(number::EXTENSION)
        .string(Name::Unlock.as_str().as_bytes())
        .string(answer.as_bytes());
    writer.as_bytes().to_vec()
}

/// The status of an extension's answer.
fn status(answer: &[u8]) -> Status {
    let mut reader = Reader::new(answer);
    assert_eq!(reader.byte(), Ok(number::EXTENSION_RESPONSE));
    assert_eq!(reader.string(), Ok(Name::Unlock.as_str().as_bytes()));
    Status::from_byte(reader.byte().unwrap()).unwrap()
}

fn locked() -> Running {
    let agent = Running::new(three_keys());
    agent.client().lock().unwrap();
    agent
}

#[test]
fn the_passphrase_unlocks_and_a_wrong_one_costs_a_second() {
    let agent = locked();
    let mut connection = agent.raw();
    let begun = Instant::now();
    assert_eq!(connection.ask(&unlock(b"wrong")), [number::FAILURE]);
    assert_eq!(connection.ask(&unlock(b"\xff")), [number::FAILURE]);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert!(agent.client().status().unwrap().is_locked());
    assert_eq!(
        connection.ask(&unlock(PASSPHRASE.as_bytes())),
        [number::SUCCESS]
    );
    assert!(
        agent
            .client()
            .sign(&key(Kind::User, 3), b"abcdefghijklmno")
            .is_ok()
    );
    // What is not locked needs nothing.
    assert_eq!(connection.ask(&unlock(b"anything")), [number::SUCCESS]);
    assert_eq!(status(&connection.ask(&unlock_v1(""))), Status::Ok);
}

/// Gives no answer.
struct Nobody;

impl Prompt for Nobody {
    fn message(&mut self, _text: &str) {}

    fn secret(&mut self, _text: &str) -> Option<Zeroizing<String>> {
        None
    }

    fn public(&mut self, _text: &str) -> Option<String> {
        None
    }

    fn confirm(&mut self, _text: &str) -> Option<bool> {
        None
    }
}

#[test]
fn questions_go_to_the_person_and_the_answer_decides() {
    let agent = locked();
    match agent.client().unlock(&mut Says("wrong")) {
        Err(Error::Refused { status, reason }) => {
            assert_eq!(status, Status::Refused);
            assert!(reason.contains("passphrase is wrong"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        agent.client().unlock(&mut Nobody),
        Err(Error::Cancelled)
    ));
    assert!(agent.client().status().unwrap().is_locked());
    let mut connection = agent.raw();
    assert_eq!(
        status(&connection.ask(&unlock_v1("no question"))),
        Status::Malformed
    );
    assert!(
        !agent
            .client()
            .unlock(&mut Says(PASSPHRASE))
            .unwrap()
            .is_locked()
    );
}

#[test]
fn whoever_does_not_answer_keeps_nobody_from_unlocking() {
    let agent = locked();
    // More than may be asked at once.
    let mut asked: Vec<Raw> = Vec::new();
    let refused = loop {
        let mut connection = agent.raw();
        match status(&connection.ask(&unlock_v1(""))) {
            Status::Prompt => asked.push(connection),
            other => break other,
        }
        assert!(asked.len() < 1000, "nothing bounds the questions");
    };
    assert_eq!(refused, Status::Refused);
    // One of them gives up, and its place is free again.
    asked.pop();
    let deadline = Instant::now() + Duration::from_secs(30);
    while agent.raw().ask(&unlock(PASSPHRASE.as_bytes())) != [number::SUCCESS] {
        assert!(
            Instant::now() < deadline,
            "the place of a closed connection is never free"
        );
    }
    // A question that waits has been overtaken; its right answer is right all the same.
    let mut waiting = asked.pop().unwrap();
    let mut sign = Writer::new();
    sign.byte(number::SIGN_REQUEST)
        .key_blob(&key(Kind::User, 3))
        .string(b"abcdefghijklmno")
        .uint32(0);
    assert_eq!(waiting.ask(sign.as_bytes())[0], number::SIGN_RESPONSE);
    assert_eq!(status(&waiting.ask(&unlock_v1(PASSPHRASE))), Status::Ok);
}

#[test]
fn others_are_served_while_guesses_are_made_to_wait() {
    let agent = locked();
    std::thread::scope(|scope| {
        let guesses: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| agent.raw().ask(&unlock(b"wrong"))))
            .collect();
        for _ in 0..100 {
            assert_eq!(agent.client().list().unwrap().len(), 3);
        }
        for guess in guesses {
            assert_eq!(guess.join().unwrap(), [number::FAILURE]);
        }
    });
}

#[test]
fn one_store_is_locked_and_unlocked_alone() {
    let card = Card {
        pin: Some(AtomicBool::new(true)),
        ..Card::honest()
    };
    let agent = Running::with(three_keys(), vec![Box::new(card)]);
    let mut client = agent.client();
    let states = |client: &mut Client| {
        let stores = client.status().unwrap().stores;
        [stores[0].locked, stores[1].locked]
    };
    client.lock_store("card:one").unwrap();
    assert_eq!(states(&mut client), [false, true]);
    client.lock_store("vault").unwrap();
    client
        .unlock_store("card:one", &mut Says("123456"))
        .unwrap();
    assert_eq!(states(&mut client), [true, false]);
    client.lock_store("card:one").unwrap();
    // What is given to one store is no answer to another that was begun before.
    let mut raw = agent.raw();
    let asked = raw.ask(&unlock_v1(""));
    assert_eq!(status(&asked), Status::Prompt);
    let mut other = Writer::new();
    other
        .byte(number::EXTENSION)
        .string(Name::UnlockIn.as_str().as_bytes())
        .string(b"vault")
        .string(PASSPHRASE.as_bytes());
    let told = String::from_utf8_lossy(&raw.ask(other.as_bytes())).into_owned();
    assert!(told.contains("no question to answer"), "{told}");
    assert_eq!(states(&mut client), [true, true]);
    client.unlock_store("vault", &mut Says(PASSPHRASE)).unwrap();
    assert_eq!(states(&mut client), [false, true]);
    let nowhere = client.unlock_store("card:two", &mut Says("123456"));
    let nowhere = nowhere.unwrap_err().to_string();
    assert!(
        nowhere.contains("there is no store card:two, but vault, card:one"),
        "{nowhere}"
    );
}
