//! Lies about lengths, tags and ends, which no command can be made of.

use super::{Lie, Spent};
use nkey_core::token::*;

pub const ID: u32 = 5;

/// The body of a request.
pub fn body(session: Option<Session>, command: Command<'_>) -> Vec<u8> {
    let request = Request {
        id: ID,
        session,
        command,
    };
    // A field more of a request needs lies of its own.
    let Request {
        id: _,
        session: _,
        command: _,
    } = request;
    postcard::to_allocvec(&request).expect("a request")
}

pub fn malformed(field: &'static str, what: impl Into<String>, body: Vec<u8>) -> Lie {
    Lie {
        field,
        what: what.into(),
        body,
        code: Code::Malformed,
        spent: Spent::Nothing,
    }
}

/// The good body cut at every byte, with a tail, and with a number of its command that is longer.
pub fn lies(session: Option<Session>, command: Command<'_>) -> Vec<Lie> {
    let good = body(session, command);
    let mut lies: Vec<Lie> = (0..good.len())
        .map(|len| malformed("", format!("cut after {len}"), good[..len].to_vec()))
        .collect();
    for tail in [&[0][..], &[0xFF], &[7; 40]] {
        let body = [&good, tail].concat();
        lies.push(malformed("", format!("{} more", tail.len()), body));
    }
    for tag in [2, 0xFF] {
        let mut body = good.clone();
        body[1] = tag;
        lies.push(malformed(
            "",
            "a session that is neither there nor not",
            body,
        ));
    }
    let mut long = vec![0xFF; 5];
    long.extend_from_slice(&good);
    lies.push(malformed("", "an id above 32 bits", long));
    lies
}

/// Lies about the length in front of `content`, which must be found once.
pub fn lengths(field: &'static str, good: &[u8], content: &[u8]) -> Vec<Lie> {
    let at = found(good, content);
    let prefix = if content.len() < 0x80 { 1 } else { 2 };
    let rest = good.len() - at;
    let before = &good[..at - prefix];
    let mut lies = Vec::new();
    for len in [rest + 1, 0x7FFF, 32_769, 0xFFFF_FFFF] {
        let len = postcard::to_allocvec(&(len as u64)).expect("a varint");
        let body = [before, &len, &good[at..]].concat();
        lies.push(malformed(field, format!("length {len:02x?}"), body));
    }
    for len in [&[0xFF; 5][..], &[0xFF; 11], &[0x80; 4]] {
        let body = [before, len].concat();
        lies.push(malformed(field, format!("length {len:02x?}"), body));
    }
    lies
}

/// Text that is none.
pub fn no_text(field: &'static str, good: &[u8], content: &str) -> Vec<Lie> {
    let at = found(good, content.as_bytes());
    [0xFF, 0xC0, 0x80]
        .map(|byte| {
            let mut body = good.to_vec();
            body[at] = byte;
            malformed(field, format!("{byte:#x} in a text"), body)
        })
        .into()
}

/// Tags that no choice has, where `good` and `other` first differ.
pub fn tags(field: &'static str, good: &[u8], other: &[u8], first: u8) -> Vec<Lie> {
    let at = good.iter().zip(other).position(|(one, other)| one != other);
    let at = at.expect("a difference");
    [first, 0x7F, 0xFF]
        .map(|tag| {
            let mut body = good.to_vec();
            body[at] = tag;
            malformed(field, format!("tag {tag}"), body)
        })
        .into()
}

fn found(good: &[u8], content: &[u8]) -> usize {
    let mut places = good
        .windows(content.len())
        .enumerate()
        .filter(|(_, window)| *window == content)
        .map(|(at, _)| at);
    let at = places.next().expect("the content");
    assert_eq!(places.next(), None, "the content is there twice");
    at
}
