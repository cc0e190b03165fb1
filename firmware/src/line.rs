//! The line between USB, which runs in an interrupt, and the application. What comes from the host may be a PIN: it is
//! wiped wherever it was copied from.

use core::cell::{Cell, RefCell};
use critical_section::Mutex;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::pipe::Pipe;
use embassy_sync::signal::Signal;
use zeroize::Zeroize;

/// Bytes of a packet.
pub const PACKET: usize = 64;
/// Packets that wait for the application.
const WAITING: usize = 16;

/// Bytes from the host.
#[derive(Clone, Copy)]
struct Packet {
    /// The connection they came in.
    connection: u32,
    bytes: [u8; PACKET],
    len: usize,
}

/// Packets in the order in which they came.
struct Ring {
    packets: [Packet; WAITING],
    first: usize,
    count: usize,
}

impl Ring {
    /// The oldest is taken, and wiped.
    fn drop_first(&mut self) {
        self.packets[self.first].bytes.zeroize();
        self.first = (self.first + 1) % WAITING;
        self.count -= 1;
    }
}

/// Packets from the host. While it is full, the host waits.
static IN: Mutex<RefCell<Ring>> = Mutex::new(RefCell::new(Ring {
    packets: [Packet {
        connection: 0,
        bytes: [0; PACKET],
        len: 0,
    }; WAITING],
    first: 0,
    count: 0,
}));
/// There is room for a packet.
static ROOM: Signal<CriticalSectionRawMutex, ()> = Signal::new();
/// Bytes to the host.
pub static OUT: Pipe<CriticalSectionRawMutex, 1024> = Pipe::new();
/// Something came or ended.
pub static NEWS: Signal<CriticalSectionRawMutex, ()> = Signal::new();

/// Counts connections: each ends when the host closes the line or suspends the bus.
static CONNECTION: Mutex<Cell<u32>> = Mutex::new(Cell::new(0));

/// The connection now.
pub fn connection() -> u32 {
    critical_section::with(|cs| CONNECTION.borrow(cs).get())
}

/// Gives a packet of this connection to the application, when there is room.
pub async fn put(connection: u32, bytes: &[u8]) {
    while !try_put(connection, bytes) {
        ROOM.wait().await;
    }
    NEWS.signal(());
}

fn try_put(connection: u32, bytes: &[u8]) -> bool {
    critical_section::with(|cs| {
        let ring = &mut *IN.borrow_ref_mut(cs);
        if ring.count == WAITING {
            return false;
        }
        let packet = &mut ring.packets[(ring.first + ring.count) % WAITING];
        packet.connection = connection;
        packet.len = bytes.len().min(PACKET);
        packet.bytes[..packet.len].copy_from_slice(&bytes[..packet.len]);
        ring.count += 1;
        true
    })
}

/// The host closed the line or suspended the bus: what lies in it belongs to nobody.
pub fn close() {
    critical_section::with(|cs| {
        let connection = CONNECTION.borrow(cs);
        connection.set(connection.get().wrapping_add(1));
        let ring = &mut *IN.borrow_ref_mut(cs);
        while ring.count > 0 {
            ring.drop_first();
        }
        OUT.clear();
    });
    ROOM.signal(());
    NEWS.signal(());
}

/// The application's end: it belongs to one connection at a time.
pub struct Line {
    connection: u32,
    /// The packet that it takes, as far as it has.
    bytes: [u8; PACKET],
    from: usize,
    to: usize,
}

impl Line {
    /// In the connection now.
    pub fn new() -> Line {
        Line {
            connection: connection(),
            bytes: [0; PACKET],
            from: 0,
            to: 0,
        }
    }

    /// Whether the connection ended; the next one is taken then.
    pub fn ended(&mut self) -> bool {
        let now = connection();
        let ended = core::mem::replace(&mut self.connection, now) != now;
        if ended {
            self.took(usize::MAX);
        }
        ended
    }

    /// What came in this connection and was not taken yet.
    pub fn rest(&mut self) -> &[u8] {
        if self.from == self.to {
            self.next();
        }
        self.bytes.get(self.from..self.to).unwrap_or_default()
    }

    /// So many bytes of it were taken.
    pub fn took(&mut self, bytes: usize) {
        self.from = self.from.saturating_add(bytes).min(self.to);
        self.bytes[..self.from].zeroize();
    }

    /// The next packet.
    fn next(&mut self) {
        critical_section::with(|cs| {
            if connection() != self.connection {
                return;
            }
            let ring = &mut *IN.borrow_ref_mut(cs);
            while self.from == self.to && ring.count > 0 {
                let packet = &ring.packets[ring.first];
                // One that waited for room while the line was closed is of an earlier connection.
                if packet.connection == self.connection {
                    self.bytes[..packet.len].copy_from_slice(&packet.bytes[..packet.len]);
                    (self.from, self.to) = (0, packet.len);
                }
                ring.drop_first();
            }
        });
        ROOM.signal(());
    }

    /// Sends as many bytes as there is room for; how many.
    pub fn give(&mut self, bytes: &[u8]) -> usize {
        critical_section::with(|_| {
            if connection() != self.connection {
                return 0;
            }
            OUT.try_write(bytes).unwrap_or(0)
        })
    }
}
