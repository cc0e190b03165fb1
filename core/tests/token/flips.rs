//! One bit of what is stored is flipped, every one in turn: no try comes back, no counter or
//! time goes back, and no seed is lost silently.

use crate::board::Flash;
use crate::host::*;
use nkey_core::nkey::Kind;
use nkey_core::token::*;

fn stored() -> (Flash, u64) {
    let mut token = Token::new(Flash::new());
    token.init();
    let session = token.unlock();
    token.generate(session, Kind::Account);
    token.generate(session, Kind::User);
    for _ in 0..3 {
        token.app.board().ticks += 60_000;
        token
            .call(
                Some(session),
                Command::Sign {
                    slot: 1,
                    message: NONCE,
                },
            )
            .ok();
    }
    let mut token = token.reboot();
    for _ in 0..3 {
        token.ask(
            None,
            Command::Unlock {
                pin: b"wrong one",
                time: NOW + 200,
            },
        );
    }
    let latest = counters(&mut token).unwrap().latest;
    (token.flash(), latest)
}

fn counters(token: &mut Token) -> Option<Counters> {
    match token.ask(None, Command::Counters).answer() {
        Answer::Counters(counters) => Some(counters),
        Answer::Error {
            code: Code::Fault, ..
        } => None,
        other => panic!("{other:?}"),
    }
}

/// What must hold whatever happened; whether the token is as it was.
fn check(flash: Flash, latest: u64) -> bool {
    check_on(&mut Token::new(flash), latest)
}

fn check_on(token: &mut Token, latest: u64) -> bool {
    let Some(counters) = counters(token) else {
        assert_eq!(token.app.state(), State::Error);
        return false;
    };
    assert!((3..=4).contains(&counters.signatures), "{counters:?}");
    let unlock = Command::Unlock {
        pin: PIN,
        time: latest,
    };
    if counters.latest < latest {
        // Later times are lost: only the button ends the doubt.
        let mut token = Token::new(token.app.board().flash.restored());
        assert_eq!(
            token.ask(None, unlock).answer(),
            Answer::Waiting(Press::Held)
        );
    }
    match token.ask(None, Command::Tries).answer() {
        Answer::Tries(left) => assert!((TRIES - 4..=TRIES - 3).contains(&left), "{left}"),
        other => panic!("{other:?}"),
    }
    let reply = token.ask(None, Command::List);
    let rows = reply.rows();
    assert_eq!(
        rows.iter().map(|row| row.slot).collect::<Vec<_>>(),
        [0, 1],
        "{rows:?}"
    );
    let session = token.call(None, unlock);
    let session = match session.answer() {
        Answer::Session { session, .. } => session,
        other => panic!("{other:?}"),
    };
    let signed = token.call(
        Some(session),
        Command::Sign {
            slot: 1,
            message: NONCE,
        },
    );
    // Stated is only what opened with the seed.
    let challenge = [1; 32];
    let stated = token.ask(Some(session), Command::Attest { slot: 0, challenge });
    rows.iter().all(|row| row.key.is_some())
        && matches!(signed.answer(), Answer::Signature(_))
        && matches!(stated.answer(), Answer::Attestation { .. })
}

/// Every bit of the flash, the blank ones too. Without TOKEN_ROUNDS a sample of them.
#[test]
fn every_bit() {
    let (flash, latest) = stored();
    // What is read at power-up or by `check`: a flip anywhere else changes nothing.
    let mut watched = flash.clone();
    watched.touched = vec![false; flash.bytes.len()];
    let mut token = Token::new(watched);
    let settled = token.app.board().flash.bytes.clone();
    assert!(check_on(&mut token, latest));
    let touched = token.app.into_board().flash.touched;
    let thorough = std::env::var_os("TOKEN_ROUNDS").is_some();
    let places: Vec<usize> = (0..flash.bytes.len())
        .filter(|at| touched[*at])
        .filter(|at| {
            // Where the small logs go on, and a few more.
            let next = (4..10).contains(&(at / 4096)) && at % 4096 < 400;
            thorough || flash.bytes[*at] != 0xFF || next || at % 97 == 0
        })
        .collect();
    let written = flash.bytes.iter().filter(|byte| **byte != 0xFF);
    assert!(written.count() > 1_000 && places.len() > 1_500);
    let (flash, settled) = (&flash, &settled);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for first in 0..threads {
            let places = places.iter().skip(first).step_by(threads);
            scope.spawn(move || {
                for &at in places {
                    let bits = 0..8u32;
                    for bit in bits.filter(|bit| thorough || *bit == at as u32 % 8) {
                        let mut flipped = flash.clone();
                        flipped.bytes[at] ^= 1 << bit;
                        let mut token = Token::new(flipped);
                        // Mended at power-up: from there on all is as without the flip.
                        let mended = token.app.board().flash.bytes == *settled
                            && token.app.state() == State::Locked;
                        // Each record is written twice: one flipped bit loses nothing at all.
                        let whole = mended || check_on(&mut token, latest);
                        assert!(whole, "byte {at}, bit {bit}");
                    }
                }
            });
        }
    });
}

#[test]
fn both_copies_of_an_entry() {
    // Two flips at once can lose a record; then the token says so or counts the worse case.
    let (flash, latest) = stored();
    let mut silent = 0;
    for place in 0..7 {
        let start = place * 2 * 4096;
        let copies: Vec<usize> = (start..start + 2 * 4096)
            .filter(|at| flash.bytes[*at] != 0xFF)
            .collect();
        for pair in copies.chunks(7) {
            let mut flipped = flash.clone();
            for at in [pair[0], *copies.last().unwrap() - pair[0] % 5] {
                flipped.bytes[at] ^= 4;
            }
            silent += usize::from(check(flipped, latest));
        }
    }
    assert!(silent > 0);
}

#[test]
fn a_lost_record_is_told() {
    let (flash, _) = stored();
    // Both copies of slot 1's record: the seed is lost, the slot is listed as damaged.
    let start = (5 + 1) * 2 * 4096;
    let mut lost = flash.clone();
    for sector in [start, start + 4096] {
        for copy in [sector, sector + 2048] {
            if lost.bytes[copy] != 0xFF || lost.bytes[copy + 4] != 0xFF {
                lost.bytes[copy + 20] ^= 1;
            }
        }
    }
    let mut token = Token::new(lost);
    let reply = token.ask(None, Command::List);
    let rows = reply.rows();
    assert!(rows[0].key.is_some() && rows[1].key.is_none(), "{rows:?}");
    let session = token
        .call(
            None,
            Command::Unlock {
                pin: PIN,
                time: NOW + 200,
            },
        )
        .session();
    let sign = Command::Sign {
        slot: 1,
        message: NONCE,
    };
    assert_eq!(token.ask(Some(session), sign).code(), Some(Code::Slot));
    // It is not taken for a free slot, and can be wiped.
    assert_eq!(token.generate(session, Kind::User).kind(), Kind::User);
    let reply = token.ask(None, Command::List);
    let rows = reply.rows();
    assert_eq!(rows.len(), 3);
    token.call(Some(session), Command::Erase { slot: 1 }).ok();
    let reply = token.ask(None, Command::List);
    let rows = reply.rows();
    assert_eq!(rows.iter().map(|row| row.slot).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn nothing_of_a_record_can_be_exchanged() {
    // Slot 1's record in slot 0's place, its checksum made right again: the seal says no.
    let (flash, _) = stored();
    let sector = |slot: usize| {
        let start = (5 + slot) * 2 * 4096;
        if flash.bytes[start + 4096..start + 8192]
            .iter()
            .all(|byte| *byte == 0xFF)
        {
            start
        } else {
            start + 4096
        }
    };
    let (from, to) = (sector(1), sector(0));
    let mut moved = flash.clone();
    for copy in [0, 2048] {
        let record = flash.bytes[from + copy..from + copy + 2048].to_vec();
        let len = usize::from(u16::from_le_bytes([record[8], record[9]]));
        let target = &mut moved.bytes[to + copy..to + copy + 2048];
        target.copy_from_slice(&record);
        let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
        let mut digest = crc.digest();
        digest.update(&[5]);
        digest.update(&record[4..10 + len]);
        target[..4].copy_from_slice(&digest.finalize().to_le_bytes());
    }
    let mut token = Token::new(moved);
    let reply = token.ask(None, Command::List);
    let rows = reply.rows();
    assert_eq!(
        rows[0].key.map(|key| key.key),
        rows[1].key.map(|key| key.key)
    );
    let session = token
        .call(
            None,
            Command::Unlock {
                pin: PIN,
                time: NOW + 200,
            },
        )
        .session();
    let sign = |slot| Command::Sign {
        slot,
        message: NONCE,
    };
    assert_eq!(token.call(Some(session), sign(0)).code(), Some(Code::Slot));
    token.call(Some(session), sign(1)).signature();
}
