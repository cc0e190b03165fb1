//! The line between USB, which runs in an interrupt, and the application.

use core::cell::Cell;
use critical_section::Mutex;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::channel::Channel;
use embassy_sync::pipe::Pipe;
use embassy_sync::signal::Signal;

/// Bytes of a packet.
pub const PACKET: usize = 64;

/// Bytes from the host.
pub struct Packet {
    /// The connection they came in.
    pub connection: u32,
    /// The bytes.
    pub bytes: [u8; PACKET],
    /// Those of them that nobody took yet.
    pub from: usize,
    /// See `from`.
    pub to: usize,
}

impl Packet {
    /// What nobody took yet.
    pub fn rest(&self) -> &[u8] {
        self.bytes.get(self.from..self.to).unwrap_or_default()
    }

    /// How much that is.
    pub fn left(&self) -> usize {
        self.rest().len()
    }
}

/// Packets from the host. While it is full, the host waits.
pub static IN: Channel<CriticalSectionRawMutex, Packet, 16> = Channel::new();
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

/// The host closed the line or suspended the bus: what lies in it belongs to nobody.
pub fn close() {
    critical_section::with(|cs| {
        let connection = CONNECTION.borrow(cs);
        connection.set(connection.get().wrapping_add(1));
        IN.clear();
        OUT.clear();
    });
    NEWS.signal(());
}

/// The application's end: it belongs to one connection at a time.
pub struct Line {
    connection: u32,
}

impl Line {
    /// In the connection now.
    pub fn new() -> Line {
        Line {
            connection: connection(),
        }
    }

    /// Whether the connection ended; the next one is taken then.
    pub fn ended(&mut self) -> bool {
        let now = connection();
        core::mem::replace(&mut self.connection, now) != now
    }

    /// The next packet of this connection.
    pub fn take(&mut self) -> Option<Packet> {
        critical_section::with(|_| {
            if connection() != self.connection {
                return None;
            }
            loop {
                // One that waited for room while the line was closed is of an earlier connection.
                let packet = IN.try_receive().ok()?;
                if packet.connection == self.connection {
                    return Some(packet);
                }
            }
        })
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
