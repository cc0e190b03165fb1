//! Thousands of connections. In a file of its own, since the memory of the process is measured.
#![cfg(feature = "daemon")]

mod common;

use common::{Running, frame, key, three_keys};
use nkey_agent::message::number;
use nkey_agent::server::raise_file_limit;
use nkey_agent::wire::Writer;
use nkey_core::nkey::Kind;

fn sign() -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .byte(number::SIGN_REQUEST)
        .key_blob(&key(Kind::User, 3))
        .string(b"abcdefghijklmno")
        .uint32(0);
    writer.as_bytes().to_vec()
}

/// Resident memory of this process, in bytes; the agent is a part of it.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn two_thousand_connections_cost_little_and_others_are_served() {
    raise_file_limit();
    let agent = Running::new(three_keys());
    let before = resident();
    let half = &frame(&sign())[..40];
    let mut held = Vec::new();
    for number in 0..2000 {
        let mut connection = agent.raw();
        match number % 3 {
            // Says nothing.
            0 => {}
            // Sends half a frame.
            1 => {
                connection.send(half);
            }
            // Was served once and stays.
            _ => assert_eq!(connection.ask(&sign())[0], number::SIGN_RESPONSE),
        }
        held.push(connection);
    }
    assert_eq!(agent.raw().ask(&sign())[0], number::SIGN_RESPONSE);
    for connection in held.iter_mut().skip(2).step_by(3) {
        assert_eq!(connection.ask(&sign())[0], number::SIGN_RESPONSE);
    }
    let grown = resident().saturating_sub(before);
    assert!(
        grown < 64 * 1024 * 1024,
        "{grown} bytes for 2,000 connections"
    );
}
