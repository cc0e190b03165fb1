//! Frames that lie about their length, their checksum and their end.

use super::world::{World, changed};
use crate::host::*;
use nkey_core::token::*;

/// Frames of one message at whose length lies are told.
fn sign(len: usize) -> Vec<u8> {
    let request = Request {
        id: 5,
        session: Some([0; 16]),
        command: Command::Sign {
            slot: 0,
            message: &vec![0x61; len],
        },
    };
    postcard::to_allocvec(&request).expect("a request")
}

#[test]
fn frames_that_lie() {
    let world = World::new();
    let (mut token, session) = world.before("Sign");
    let good = raw(&super::bodies::body(session, Command::Counters));
    let body = FRAME_LEN - 4;
    let envelope = sign(MAX_MESSAGE).len() - MAX_MESSAGE;
    let fits = body - envelope;
    let mut frames = vec![
        ("an empty frame and its zero", vec![1, 0], Code::Frame),
        (
            "a block that is longer than the frame",
            vec![9, 1, 2, 0],
            Code::Frame,
        ),
        ("the largest block", vec![0xFF, 1, 0], Code::Frame),
        (
            "fewer bytes than a checksum",
            vec![4, 1, 2, 3, 0],
            Code::Frame,
        ),
        ("a checksum of nothing", raw(&[]), Code::Malformed),
        ("as long as fits", raw(&sign(fits)), Code::Session),
        ("one byte more", raw(&sign(fits + 1)), Code::TooLarge),
        ("twice that", raw(&sign(2 * fits)), Code::TooLarge),
        ("a megabyte", raw(&sign(1 << 20)), Code::TooLarge),
        (
            "zeros as long as fits",
            raw(&vec![0; body]),
            Code::Malformed,
        ),
        (
            "noise as long as fits",
            raw(&vec![0xFF; body]),
            Code::Malformed,
        ),
        (
            "zeros that do not fit",
            raw(&vec![0; body + 1]),
            Code::TooLarge,
        ),
    ];
    for at in 0..good.len() - 1 {
        let mut bad = good.clone();
        // Never a zero, which would end it.
        bad[at] = if bad[at] == 0xA5 { 0xA6 } else { 0xA5 };
        frames.push(("a byte changed", bad, Code::Frame));
        let mut short = good.clone();
        short.remove(at);
        frames.push(("a byte lost", short, Code::Frame));
        let mut long = good.clone();
        long.insert(at, 0x5A);
        frames.push(("a byte more", long, Code::Frame));
        let mut cut = good[..at].to_vec();
        cut.push(0);
        if at > 0 {
            frames.push(("cut", cut, Code::Frame));
        }
    }
    for (what, frame, code) in frames {
        let kept = token.app.board().flash.bytes.clone();
        token.send(&frame);
        let replies = token.replies();
        let codes: Vec<_> = replies.iter().map(Reply::code).collect();
        assert_eq!(codes, [Some(code)], "{what}: {frame:02x?}");
        assert!(changed(&kept, &token.app.board().flash.bytes).is_empty());
        token.send(&good);
        let replies = token.replies();
        assert_eq!(replies.len(), 1, "after {what}");
        assert!(
            matches!(replies[0].answer(), Answer::Counters(_)),
            "after {what}"
        );
    }
    token.call(session, world.good("Sign")).signature();
}

#[test]
fn messages_at_the_bounds() {
    let world = World::new();
    let (mut token, session) = world.before("Sign");
    for (len, code) in [
        (0, Code::Language),
        (1, Code::Language),
        (MAX_MESSAGE - 1, Code::Language),
        (MAX_MESSAGE, Code::Language),
        (MAX_MESSAGE + 1, Code::TooLarge),
        (MAX_MESSAGE + 30, Code::TooLarge),
        (MAX_MESSAGE + 64, Code::TooLarge),
        (2 * MAX_MESSAGE, Code::TooLarge),
    ] {
        let message = vec![0x61; len];
        let command = Command::Sign {
            slot: 0,
            message: &message,
        };
        token.send(&raw(&super::bodies::body(session, command)));
        let replies = token.replies();
        assert_eq!(replies.len(), 1, "{len}");
        assert_eq!(replies[0].code(), Some(code), "{len}");
        assert_eq!(replies[0].response().id, super::bodies::ID, "{len}");
    }
    token.call(session, world.good("Sign")).signature();
}
