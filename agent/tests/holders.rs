//! Keys that others hold: slow ones, lying ones, ones with a PIN.
#![cfg(feature = "daemon")]

mod common;

use common::{Card, PASSPHRASE, Running, Says, key, now, pair, three_keys};
use nkey_agent::client::{Client, Error};
use nkey_agent::message::{Status, number};
use nkey_agent::store::{Store, StoreError};
use nkey_agent::wire::Writer;
use nkey_core::Signature;
use nkey_core::language::POSSESSION;
use nkey_core::nkey::Kind;
use sha2::{Digest, Sha512};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const NONCE: &[u8] = b"abcdefghijklmno";

fn over(card: Card) -> Running {
    Running::with(three_keys(), vec![Box::new(card)])
}

fn claims() -> String {
    format!(
        "{{\"sub\":\"{}\",\"name\":\"app\",\"nats\":{{\"type\":\"user\"}}}}",
        key(Kind::User, 3)
    )
}

fn issue(client: &mut Client) -> Result<String, Error> {
    client.issue(&Card::key(), &claims(), 0, 0)
}

fn refusal(error: Error) -> (Status, String) {
    match error {
        Error::Refused { status, reason } => (status, reason),
        other => panic!("{other}"),
    }
}

#[test]
fn an_enrolled_key_signs_and_possession_is_proved_at_enrolment_only() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let agent = over(Card::signs(move |pair, message| {
        log.lock().unwrap().push(message.to_vec());
        Ok(pair.sign(message))
    }));
    let mut client = agent.client();
    assert_eq!(Card::enrol(&mut client).unwrap(), Card::key());
    let proof = seen.lock().unwrap().pop().unwrap();
    assert!(proof.starts_with(POSSESSION) && proof.len() == 83);
    assert_eq!(&proof[19..51], Card::key().as_bytes());
    assert!(proof[51..].iter().any(|byte| *byte != 0));
    assert!(issue(&mut client).is_ok());
    let row = client
        .list()
        .unwrap()
        .into_iter()
        .find(|row| row.key == Card::key());
    assert_eq!(row.unwrap().store, "card:one");
    seen.lock().unwrap().clear();
    for asked in [&proof[..], NONCE, b"hello"] {
        let (status, _) = refusal(client.sign(&Card::key(), asked).unwrap_err());
        assert_eq!(status, Status::Refused);
    }
    assert!(seen.lock().unwrap().is_empty(), "the card was asked");
    let (status, _) = refusal(client.export(&Card::key()).unwrap_err());
    assert_eq!(status, Status::Refused);
}

#[test]
fn one_slow_card_delays_nobody_who_uses_another_key() {
    let slow = Arc::new(AtomicBool::new(false));
    let is_slow = Arc::clone(&slow);
    let agent = over(Card::signs(move |pair, message| {
        if is_slow.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(400));
        }
        Ok(pair.sign(message))
    }));
    Card::enrol(&mut agent.client()).unwrap();
    slow.store(true, Ordering::SeqCst);
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let mut client = agent.client();
            std::thread::spawn(move || issue(&mut client).unwrap())
        })
        .collect();
    std::thread::sleep(Duration::from_millis(50));
    let mut client = agent.client();
    let begun = Instant::now();
    for _ in 0..100 {
        client.sign(&key(Kind::User, 3), NONCE).unwrap();
    }
    assert!(
        begun.elapsed() < Duration::from_millis(350),
        "{:?}",
        begun.elapsed()
    );
    waiting
        .into_iter()
        .for_each(|thread| drop(thread.join().unwrap()));
    assert!(
        begun.elapsed() > Duration::from_millis(1500),
        "one at a time"
    );
}

#[test]
fn answers_keep_their_order_and_a_client_that_goes_gives_up_its_turn() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let agent = over(Card::signs(move |pair, message| {
        count.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(600));
        Ok(pair.sign(message))
    }));
    Card::enrol(&mut agent.client()).unwrap();
    let mut both = Writer::new();
    for (signer, data) in [(Card::key(), NONCE), (key(Kind::User, 3), NONCE)] {
        let frame = both.begin_frame();
        both.byte(number::SIGN_REQUEST)
            .key_blob(&signer)
            .string(data)
            .uint32(0);
        both.end_frame(frame);
    }
    let mut raw = agent.raw();
    raw.send(both.as_bytes());
    // An account's key signs no nonce; a user's does.
    assert_eq!(raw.answer().unwrap()[0], number::FAILURE);
    assert_eq!(raw.answer().unwrap()[0], number::SIGN_RESPONSE);

    asked.store(0, Ordering::SeqCst);
    let mut issuing = Writer::new();
    let frame = issuing.begin_frame();
    issuing
        .byte(number::EXTENSION)
        .string(b"issue-v1@nkey-agent");
    issuing
        .key_blob(&Card::key())
        .string(claims().as_bytes())
        .int64(0)
        .int64(0);
    issuing.end_frame(frame);
    let crowd: Vec<_> = (0..8)
        .map(|_| {
            let mut raw = agent.raw();
            raw.send(issuing.as_bytes());
            raw
        })
        .collect();
    std::thread::sleep(Duration::from_millis(100));
    drop(crowd);
    issue(&mut agent.client()).unwrap();
    let asked = asked.load(Ordering::SeqCst);
    assert!(
        asked <= 3,
        "{asked} requests of clients that had gone reached the card"
    );
}

#[test]
fn a_card_that_lies_is_reported_as_what_it_is_and_nothing_leaves() {
    type Lie = fn(&nkey_core::nkey::KeyPair, &[u8]) -> Signature;
    let lies: [(Lie, &str); 5] = [
        (
            |pair, message| pair.sign(&Sha512::digest(message)),
            "SHA-512 digest",
        ),
        (
            |pair, message| pair.sign(&message[..32]),
            "only the first 32 of",
        ),
        (
            |_, message| common::pair(Kind::Account, 6).sign(message),
            "is not that of",
        ),
        (|_, _| Signature::from_bytes([0; 64]), "zeros"),
        (|_, _| Signature::from_bytes([0xff; 64]), "is not that of"),
    ];
    for (lie, part) in lies {
        let lying = Arc::new(AtomicBool::new(true));
        let lies = Arc::clone(&lying);
        let agent = over(Card::signs(move |pair, message| {
            Ok(if lies.load(Ordering::SeqCst) {
                lie(pair, message)
            } else {
                pair.sign(message)
            })
        }));
        let mut client = agent.client();
        let (status, reason) = refusal(Card::enrol(&mut client).unwrap_err());
        assert!(
            status == Status::StoreFailed && reason.contains(part),
            "{reason}"
        );
        assert!(
            client
                .list()
                .unwrap()
                .iter()
                .all(|row| row.key != Card::key())
        );
        lying.store(false, Ordering::SeqCst);
        Card::enrol(&mut client).unwrap();
        lying.store(true, Ordering::SeqCst);
        let (status, reason) = refusal(issue(&mut client).unwrap_err());
        assert!(
            status == Status::StoreFailed && reason.contains(part),
            "{reason}"
        );
        assert!(client.sign(&key(Kind::User, 3), NONCE).is_ok());
    }
}

#[test]
fn a_claim_too_large_is_refused_before_the_card_is_asked() {
    let mut card = Card::honest();
    card.limit = 560;
    let agent = over(card);
    let mut client = agent.client();
    Card::enrol(&mut client).unwrap();
    assert!(issue(&mut client).is_ok());
    let large = claims().replace("\"app\"", &format!("\"{}\"", "x".repeat(200)));
    let (status, reason) = refusal(client.issue(&Card::key(), &large, 0, 0).unwrap_err());
    assert_eq!(status, Status::TooLarge);
    for part in ["card:one signs at most 560", "most room take name 2"] {
        assert!(reason.contains(part), "{reason}");
    }
}

#[test]
fn a_pin_is_asked_for_by_name_and_the_vaults_passphrase_is_never_one() {
    let mut card = Card::honest();
    card.pin = Some(AtomicBool::new(false));
    let agent = over(card);
    let mut client = agent.client();
    let (status, _) = refusal(Card::enrol(&mut client).unwrap_err());
    assert_eq!(status, Status::Locked);
    // The vault is open: request 23 has nothing to do, and the card is not asked.
    let unlocked = agent.raw().ask(
        Writer::new()
            .byte(number::UNLOCK)
            .string(b"123456")
            .as_bytes(),
    );
    assert_eq!(unlocked, [number::SUCCESS]);
    assert!(client.status().unwrap().is_locked());
    let (_, reason) = refusal(client.unlock(&mut Says("000000")).unwrap_err());
    assert!(reason.contains("wrong"), "{reason}");
    assert!(!client.unlock(&mut Says("123456")).unwrap().is_locked());
    Card::enrol(&mut client).unwrap();
    assert!(issue(&mut client).is_ok());
    client.lock().unwrap();
    let (status, _) = refusal(issue(&mut client).unwrap_err());
    assert_eq!(status, Status::Locked);
    let unlocked = agent.raw().ask(
        Writer::new()
            .byte(number::UNLOCK)
            .string(PASSPHRASE.as_bytes())
            .as_bytes(),
    );
    assert_eq!(unlocked, [number::SUCCESS]);
    let stores = client.stores().unwrap();
    let states: Vec<_> = stores.iter().map(|store| store.state()).collect();
    assert_eq!(states, ["ready", "locked"]);
}

#[test]
fn a_holder_that_fails_or_panics_harms_nobody() {
    let agent = over(Card::signs(|_, _| {
        Err(StoreError::Holder(
            "card:one".into(),
            "\u{1b}[31mgone".into(),
        ))
    }));
    let mut client = agent.client();
    let (status, reason) = refusal(Card::enrol(&mut client).unwrap_err());
    assert_eq!(status, Status::StoreFailed);
    assert!(
        reason.contains("gone") && !reason.contains('\u{1b}'),
        "{reason:?}"
    );
    let agent = over(Card::signs(|_, _| panic!("a bug")));
    assert!(Card::enrol(&mut agent.client()).is_err());
    assert!(agent.client().sign(&key(Kind::User, 3), NONCE).is_ok());
    assert!(Card::enrol(&mut agent.client()).is_err());
}

#[test]
fn a_key_that_is_held_already_is_not_enrolled_and_a_pinned_one_not_added() {
    let agent = over(Card::honest());
    let mut client = agent.client();
    let seed = common::seed(Kind::Account, 5);
    client.add(&seed, "", 0).unwrap();
    let (status, reason) = refusal(Card::enrol(&mut client).unwrap_err());
    assert!(
        status == Status::Refused && reason.contains("already"),
        "{reason}"
    );
    client.remove(&Card::key()).unwrap();
    Card::enrol(&mut client).unwrap();
    // Not even as another kind.
    let twin = common::seed(Kind::User, 5);
    assert!(client.add(&twin, "", 0).is_err());
    client.rename(&Card::key(), "renamed").unwrap();
    let named = client
        .list()
        .unwrap()
        .into_iter()
        .find(|row| row.key == Card::key());
    assert_eq!(named.unwrap().name, "renamed");
    assert!(pair(Kind::Account, 5).public_key() == Card::key() && now() > 0);
    client.remove(&Card::key()).unwrap();
    let (status, _) = refusal(issue(&mut client).unwrap_err());
    assert_eq!(status, Status::UnknownKey);
    assert!(three_keys().enrolment().is_none());
}
