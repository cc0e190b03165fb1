//! Plugs Nitrokey's OpenPGP applet into vpcd: `nkey-test-opcard PORT MANUFACTURER:SERIAL ORDERS`.
//! What the file of orders says happens at the next signature; unplugged, the card is plugged in
//! again once its orders have changed.

mod apdu;
mod applet;
mod orders;

use orders::Orders;
use std::net::TcpStream;
use std::time::{Duration, Instant};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, ident, orders] = &arguments[..] else {
        panic!("PORT MANUFACTURER:SERIAL ORDERS");
    };
    let port: u16 = port.parse().expect("a port");
    let (manufacturer, serial) = ident.split_once(':').expect("MANUFACTURER:SERIAL");
    let mut options = opcard::Options::default();
    let hex = |text| u32::from_str_radix(text, 16).expect("hexadecimal digits");
    options.manufacturer = (hex(manufacturer) as u16).to_be_bytes();
    options.serial = hex(serial).to_be_bytes();
    let orders = Orders::new(orders);
    applet::run(options, orders.clone(), |card| {
        let mut card = apdu::Apdus::new(card, orders.clone());
        serve(port, &orders, &mut card);
    });
}

fn serve<T: opcard::Client>(port: u16, orders: &Orders, card: &mut apdu::Apdus<T>) {
    let mut deadline = Instant::now() + Duration::from_secs(10);
    // pcscd listens late, and ends with the agent.
    while Instant::now() < deadline {
        let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        };
        stream.set_nodelay(true).expect("a socket");
        let socket = stream.try_clone().expect("a socket");
        let mut connection = vpicc::Connection::from(stream);
        loop {
            let _ = rustix::net::sockopt::set_tcp_quickack(&socket, true);
            // vpcd closes a connection now and then: the next one lasts.
            if connection.poll(card).is_err() {
                break;
            }
            if card.is_unplugged() {
                let _ = socket.shutdown(std::net::Shutdown::Both);
                break;
            }
        }
        card.lose_power();
        let gone = Instant::now();
        while orders.word() == "unplug" {
            if gone.elapsed() > Duration::from_secs(60) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        deadline = Instant::now() + Duration::from_secs(10);
    }
}
