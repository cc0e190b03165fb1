//! Plugs PIV cards of the tests into vpcd: `nkey-test-card PORT SERIAL VERSION ORDERS ATTESTORS SLOT=BYTE...`;
//! ATTESTORS is a folder with F9's key and certificate, or -.
//! Unplugged, a card is plugged in again once its orders have changed; the order `at PORT` says where.

use nkey_tests::PivCard;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, serial, version, orders, attestors, slots @ ..] = &arguments[..] else {
        panic!("PORT SERIAL VERSION ORDERS ATTESTORS SLOT=BYTE...");
    };
    let version: Vec<u8> = version
        .split('.')
        .map(|part| part.parse().unwrap())
        .collect();
    let slots: Vec<(u8, u8)> = slots
        .iter()
        .map(|slot| {
            let (slot, byte) = slot.split_once('=').unwrap();
            (u8::from_str_radix(slot, 16).unwrap(), byte.parse().unwrap())
        })
        .collect();
    let orders = PathBuf::from(orders);
    let mut card = PivCard::new(
        serial.parse().unwrap(),
        version.try_into().unwrap(),
        orders.clone(),
        Some(Path::new(attestors)).filter(|_| attestors != "-"),
        &slots,
    );
    let mut port: u16 = port.parse().unwrap();
    let mut deadline = Instant::now() + Duration::from_secs(10);
    // pcscd listens late, and ends with the agent.
    while Instant::now() < deadline {
        let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        };
        // vpcd closes a connection now and then: the next one lasts.
        let _ = card.serve(stream);
        let gone = Instant::now();
        while std::fs::read_to_string(&orders).is_ok_and(|order| order.trim() == "unplug") {
            if gone.elapsed() > Duration::from_secs(60) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let order = std::fs::read_to_string(&orders).unwrap_or_default();
        if let Some(other) = order.strip_prefix("at ") {
            port = other.trim().parse().unwrap();
        }
        deadline = Instant::now() + Duration::from_secs(10);
    }
}
