//! A token that lies, for hosts that must notice.

use nkey_core::token::{Answer, Response, decode, encode};
use std::sync::atomic::{AtomicBool, Ordering};

/// What is lied about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Lie {
    /// A bit of every signature is wrong.
    Signature,
    /// A bit of every public key is wrong.
    Key,
    /// The answers are those to other requests.
    Id,
    /// It says that it is another one.
    Serial,
    /// A bit of its device key is wrong.
    Device,
    /// A bit of every attestation is wrong.
    Attestation,
    /// What it sends is noise.
    Noise,
    /// It does not end what it sends.
    Endless,
    /// It says that it speaks only a later protocol.
    Protocol,
    /// Its first answer comes behind the rest of what its last host was told.
    Stale,
}

static FIRST: AtomicBool = AtomicBool::new(true);

/// Rewrites the frames of an answer.
pub fn rewrite(lie: Lie, frames: &[u8]) -> Vec<u8> {
    match lie {
        Lie::Noise => return [vec![0x55; 300], vec![0]].concat(),
        Lie::Endless => return vec![0x55; 20_000],
        Lie::Stale if FIRST.swap(false, Ordering::SeqCst) => {
            let other = Response {
                id: 77,
                answer: Answer::Done,
            };
            let rest = [0x31, 0x32, 0x33, 0];
            return [&rest[..], &framed(&other).unwrap_or_default(), frames].concat();
        }
        _ => {}
    }
    let mut lies = Vec::new();
    for frame in frames.split_inclusive(|byte| *byte == 0) {
        let mut copy = frame.to_vec();
        let told = decode(&mut copy)
            .and_then(|body| postcard::from_bytes::<Response<'_>>(body).ok())
            .and_then(|response| told(lie, response));
        match told {
            Some(bytes) => lies.extend_from_slice(&bytes),
            None => lies.extend_from_slice(frame),
        }
    }
    lies
}

fn told(lie: Lie, mut response: Response<'_>) -> Option<Vec<u8>> {
    match (lie, &mut response.answer) {
        (Lie::Id, _) => response.id ^= 1,
        (Lie::Signature, Answer::Signature(signature)) => {
            let mut bytes = *nkey_core::Signature::from(*signature).as_bytes();
            bytes[17] ^= 1;
            *signature = nkey_core::Signature::from_bytes(bytes).into();
        }
        (Lie::Key, Answer::Key(key)) => key.key[3] ^= 1,
        (Lie::Key, Answer::Slot(details)) => details.key[3] ^= 1,
        (Lie::Serial, Answer::Hello(hello)) => hello.serial = "VIRTUAL-OTHER",
        (Lie::Device, Answer::Hello(hello)) => hello.device[3] ^= 1,
        (
            Lie::Attestation,
            Answer::Attestation {
                statement,
                signature,
            },
        ) => {
            let mut bytes = statement.to_vec();
            bytes[30] ^= 1;
            let answer = Answer::Attestation {
                statement: &bytes,
                signature: *signature,
            };
            return framed(&Response {
                id: response.id,
                answer,
            });
        }
        (Lie::Protocol, Answer::Hello(hello)) => (hello.oldest, hello.newest) = (200, 201),
        _ => return None,
    }
    framed(&response)
}

fn framed(response: &Response<'_>) -> Option<Vec<u8>> {
    let (mut scratch, mut frame) = (vec![0; 8_192], vec![0; 8_192]);
    let len = encode(response, &mut scratch, &mut frame)?;
    frame.truncate(len);
    Some(frame)
}
