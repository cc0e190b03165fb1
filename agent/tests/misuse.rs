//! Clients that misbehave: the others go on being served, and memory stays bounded.
#![cfg(feature = "daemon")]

mod common;

use common::{Raw, Running, frame, key, seed, three_keys};
use nkey_agent::message::{MAX_FRAME, Name, number};
use nkey_agent::wire::{Reader, Writer};
use nkey_core::nkey::Kind;
use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const NONCE: &[u8] = b"abcdefghijklmno";

fn payload(build: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    build(&mut writer);
    writer.as_bytes().to_vec()
}

fn ours(name: Name, body: impl FnOnce(&mut Writer)) -> Vec<u8> {
    payload(|writer| {
        writer
            .byte(number::EXTENSION)
            .string(name.as_str().as_bytes());
        body(writer);
    })
}

fn sign() -> Vec<u8> {
    payload(|writer| {
        let user = key(Kind::User, 3);
        writer
            .byte(number::SIGN_REQUEST)
            .key_blob(&user)
            .string(NONCE)
            .uint32(0);
    })
}

/// One well-formed request of every kind that changes nothing.
fn requests() -> Vec<Vec<u8>> {
    let (account, user) = (key(Kind::Account, 2), key(Kind::User, 3));
    let unknown = key(Kind::User, 99);
    let claims = format!("{{\"sub\":\"{user}\"}}");
    vec![
        vec![number::REQUEST_IDENTITIES],
        sign(),
        payload(|writer| {
            writer.byte(number::UNLOCK).string(b"guess");
        }),
        payload(|writer| {
            writer.byte(number::EXTENSION).string(b"query");
        }),
        payload(|writer| {
            writer
                .byte(number::EXTENSION)
                .string(b"session-bind@openssh.com");
            writer.string(b"k").string(b"s").string(b"g").byte(0);
        }),
        ours(Name::Sign, |body| {
            body.key_blob(&user).string(NONCE);
        }),
        ours(Name::Issue, |body| {
            body.key_blob(&account)
                .string(claims.as_bytes())
                .int64(1_700_000_000)
                .int64(0);
        }),
        ours(Name::List, |body| {
            body.uint32(0).uint32(9);
        }),
        ours(Name::Add, |body| {
            body.string(seed(Kind::User, 3).encode().reveal().as_bytes())
                .string(b"n")
                .uint32(0);
        }),
        ours(Name::Generate, |body| {
            body.string(b"server").string(b"n").uint32(0);
        }),
        ours(Name::Export, |body| {
            body.string(account.encode().as_bytes());
        }),
        ours(Name::Remove, |body| {
            body.string(unknown.encode().as_bytes());
        }),
        ours(Name::Rename, |body| {
            body.string(unknown.encode().as_bytes()).string(b"n");
        }),
        ours(Name::Status, |_| {}),
        ours(Name::Unlock, |body| {
            body.string(b"");
        }),
        ours(Name::Stores, |_| {}),
        ours(Name::Slots, |body| {
            body.string(b"vault");
        }),
        ours(Name::GenerateIn, |body| {
            body.string(b"vault")
                .string(b"server")
                .string(b"n")
                .uint32(0);
        }),
        ours(Name::UnlockIn, |body| {
            body.string(b"vault").string(b"");
        }),
        ours(Name::LockIn, |body| {
            body.string(b"nowhere");
        }),
        ours(Name::Token, |body| {
            body.string(b"vault").string(&[0]);
        }),
    ]
}

/// A failure, or an extension's answer with the status malformed.
fn is_malformed(answer: &[u8]) -> bool {
    let mut reader = Reader::new(answer);
    match reader.byte() {
        Ok(number::FAILURE) => answer.len() == 1,
        Ok(number::EXTENSION_RESPONSE) => reader.string().is_ok() && reader.byte() == Ok(4),
        _ => false,
    }
}

#[test]
fn every_wrong_length_is_answered_and_the_connection_goes_on() {
    let agent = Running::new(three_keys());
    let mut connection = agent.raw();
    let bind = requests()[4].clone();
    for request in requests() {
        // A binding counts towards a limit, so its well-formed request stays away.
        if request != bind {
            assert!(!is_malformed(&connection.ask(&request)), "{request:?}");
        }
        for cut in 1..request.len() {
            let answer = connection.ask(&request[..cut]);
            assert!(
                is_malformed(&answer),
                "cut at {cut}: {request:?}: {answer:?}"
            );
        }
        let mut longer = request.clone();
        longer.push(0);
        assert!(is_malformed(&connection.ask(&longer)), "{longer:?}");
        // Each length inside that claims more than there is.
        for at in 1..request.len() {
            let mut wrong = request.clone();
            wrong[at] = 0xff;
            connection.ask(&wrong);
        }
    }
    assert_eq!(connection.ask(&sign())[0], number::SIGN_RESPONSE);
}

#[test]
fn a_frame_of_impossible_length_is_answered_and_closed() {
    let agent = Running::new(three_keys());
    let longer = u32::try_from(MAX_FRAME + 1).unwrap().to_be_bytes();
    for length in [[0; 4], longer, [0xff; 4], *b"GET "] {
        let mut connection = agent.raw();
        connection.send(&length);
        assert_eq!(
            connection.answer(),
            Some(vec![number::FAILURE]),
            "{length:?}"
        );
        assert_eq!(connection.answer(), None, "{length:?}");
    }
    let mut connection = agent.raw();
    assert_eq!(connection.ask(&vec![7; MAX_FRAME]), [number::FAILURE]);
    assert_eq!(connection.ask(&sign())[0], number::SIGN_RESPONSE);
}

#[test]
fn every_type_without_a_use_is_a_failure() {
    let agent = Running::new(three_keys());
    let mut connection = agent.raw();
    let used = [
        number::REQUEST_IDENTITIES,
        number::SIGN_REQUEST,
        number::LOCK,
        number::UNLOCK,
        number::EXTENSION,
    ];
    for kind in (0..=255).filter(|kind| !used.contains(kind)) {
        assert_eq!(connection.ask(&[kind]), [number::FAILURE], "{kind}");
        assert_eq!(
            connection.ask(&[kind, 0, 0, 0, 0]),
            [number::FAILURE],
            "{kind}"
        );
    }
}

#[test]
fn requests_that_arrive_together_or_in_pieces_are_answered_in_order() {
    let agent = Running::new(three_keys());
    let mut connection = agent.raw();
    let mut all = Vec::new();
    for number in 0..300u32 {
        all.extend(match number % 3 {
            0 => frame(&sign()),
            1 => frame(&[number::REQUEST_IDENTITIES]),
            _ => frame(&[9]),
        });
    }
    let kinds = [
        number::SIGN_RESPONSE,
        number::IDENTITIES_ANSWER,
        number::FAILURE,
    ];
    connection.send(&all);
    for number in 0..300 {
        assert_eq!(
            connection.answer().unwrap()[0],
            kinds[number % 3],
            "{number}"
        );
    }
    for byte in &all[..all.len() / 50] {
        connection.send(&[*byte]);
    }
    assert_eq!(connection.answer().unwrap()[0], number::SIGN_RESPONSE);
    assert_eq!(connection.answer().unwrap()[0], number::IDENTITIES_ANSWER);
}

#[test]
fn what_was_asked_before_the_client_stopped_sending_is_answered() {
    let agent = Running::new(three_keys());
    let mut connection = agent.raw();
    connection.send(&frame(&sign())).send(&frame(&sign()));
    connection.0.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(connection.answer().unwrap()[0], number::SIGN_RESPONSE);
    assert_eq!(connection.answer().unwrap()[0], number::SIGN_RESPONSE);
    assert_eq!(connection.answer(), None);
}

#[test]
fn a_client_that_does_not_read_holds_nobody_up_and_loses_nothing() {
    let agent = Running::new(three_keys());
    let slow = UnixStream::connect(&agent.path).unwrap();
    slow.set_nonblocking(true).unwrap();
    let request = frame(&[number::REQUEST_IDENTITIES]);
    let mut sent = 0;
    // Until neither side takes more: the agent waits for its answers to be read.
    let mut still = 0;
    while still < 20 {
        match (&slow).write(&request[sent % request.len()..]) {
            Ok(written) => {
                sent += written;
                still = 0;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                still += 1;
                assert_eq!(agent.raw().ask(&sign())[0], number::SIGN_RESPONSE);
            }
            Err(error) => panic!("{error}"),
        }
    }
    slow.set_nonblocking(false).unwrap();
    let mut slow = Raw::new(slow);
    for number in 0..sent / request.len() {
        assert_eq!(
            slow.answer().unwrap()[0],
            number::IDENTITIES_ANSWER,
            "{number}"
        );
    }
}

#[test]
fn large_frames_that_are_only_announced_keep_no_memory_from_others() {
    let agent = Running::new(three_keys());
    let announce = u32::try_from(MAX_FRAME).unwrap().to_be_bytes();
    let mut idle = Vec::new();
    for number in 0..64 {
        let mut connection = agent.raw();
        connection.send(&announce);
        // Some show a little of it, fewer than need a share.
        connection.send(&vec![7; (number % 4) * 4000]);
        idle.push(connection);
    }
    assert_eq!(agent.raw().ask(&vec![7; MAX_FRAME]), [number::FAILURE]);
    // These hold all of the memory for a while, and lose it since nothing more comes.
    for connection in &mut idle {
        let _ = connection.0.write_all(&[7; 20_000]);
    }
    assert_eq!(agent.raw().ask(&vec![7; MAX_FRAME]), [number::FAILURE]);
    assert_eq!(agent.raw().ask(&sign())[0], number::SIGN_RESPONSE);
}

#[test]
fn many_large_frames_at_once_are_all_answered() {
    let agent = Running::new(three_keys());
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                let mut connection = agent.raw();
                for _ in 0..3 {
                    assert_eq!(connection.ask(&vec![7; MAX_FRAME]), [number::FAILURE]);
                }
            });
        }
    });
}

#[test]
fn garbage_breaks_nothing() {
    let agent = Running::new(three_keys());
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let requests = requests();
    for number in 0..400 {
        let connection = agent.raw();
        connection
            .0
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        let mut bytes: Vec<u8> = match number % 2 {
            // Bytes without any form.
            0 => (0..random() % 3000).map(|_| random() as u8).collect(),
            // A request with some bytes changed, but never a lock or an unlock that would wait.
            _ => {
                let mut request = requests[random() as usize % requests.len()].clone();
                for _ in 0..1 + random() % 4 {
                    let at = random() as usize % request.len();
                    request[at] = random() as u8;
                }
                frame(&request)
            }
        };
        if bytes.get(4) == Some(&number::LOCK) {
            bytes[4] = 0;
        }
        // The agent may have closed the connection while it was being written.
        let _ = (&connection.0).write_all(&bytes);
    }
    assert_eq!(agent.raw().ask(&sign())[0], number::SIGN_RESPONSE);
}
