//! Chained commands, responses in parts, and what is ordered for signatures.

use crate::orders::Orders;
use iso7816::Status;
use iso7816::command::CommandView;
use std::time::{Duration, Instant};

/// The longest command and the longest response of the applet.
const MAX: usize = 7609;

/// The applet behind a reader.
pub struct Apdus<T: opcard::Client> {
    card: opcard::Card<T>,
    orders: Orders,
    chained: Vec<u8>,
    waiting: Vec<u8>,
    unplugged: bool,
}

impl<T: opcard::Client> Apdus<T> {
    pub fn new(card: opcard::Card<T>, orders: Orders) -> Apdus<T> {
        Apdus {
            card,
            orders,
            chained: Vec::new(),
            waiting: Vec::new(),
            unplugged: false,
        }
    }

    pub fn is_unplugged(&self) -> bool {
        self.unplugged
    }

    pub fn lose_power(&mut self) {
        self.card.reset();
        self.chained.clear();
        self.unplugged = false;
    }

    fn answer(&mut self, command: &[u8]) -> Result<Vec<u8>, Status> {
        let view = CommandView::try_from(command).map_err(|_| Status::WrongLength)?;
        let [class, ins, p1, p2] = [command[0], command[1], command[2], command[3]];
        let order = self.orders.word();
        // A response that never ends, one without a status word, and data of no form.
        match (order.as_str(), ins) {
            ("endless", 0x2a | 0x88 | 0xc0) => return Ok([&[7; 256][..], &[0x61, 0xff]].concat()),
            ("truncated", 0x2a | 0x88) => return Ok(vec![0x90]),
            ("damaged", 0xca) if p2 == 0x6e => {
                return Ok(vec![0x6e, 0x05, 0x73, 0x7f, 0xde, 0x90, 0]);
            }
            _ => {}
        }
        if ins == 0xc0 {
            return Ok(self.part(view.expected()));
        }
        self.chained.extend(view.data());
        if self.chained.len() > MAX {
            self.chained.clear();
            return Err(Status::WrongLength);
        }
        if class & 0x10 != 0 {
            return Ok(vec![0x90, 0]);
        }
        let mut data = std::mem::take(&mut self.chained);
        let signs = matches!((ins, p1, p2), (0x2a, 0x9e, 0x9a) | (0x88, 0, 0));
        if signs {
            match order.as_str() {
                "unplug" => {
                    self.unplugged = true;
                    return Ok(Vec::new());
                }
                "hang" => {
                    let begun = Instant::now();
                    while self.orders.word() == "hang" && begun.elapsed() < Duration::from_secs(60)
                    {
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    return Err(Status::UnspecifiedCheckingError);
                }
                "slow" => std::thread::sleep(Duration::from_millis(50)),
                "empty" => return Ok(vec![0x90, 0]),
                "short" => return Ok([&[7; 63][..], &[0x90, 0]].concat()),
                "zeros" => return Ok([&[0; 64][..], &[0x90, 0]].concat()),
                "prefix" => data.truncate(32),
                "other" => data[0] ^= 1,
                // A status word.
                word => {
                    if let Ok(status) = u16::from_str_radix(word, 16) {
                        return Ok(status.to_be_bytes().to_vec());
                    }
                }
            }
        }
        let whole = whole([class, ins, p1, p2], &data);
        let view = CommandView::try_from(&whole[..]).map_err(|_| Status::WrongLength)?;
        let mut reply = heapless::Vec::<u8, MAX>::new();
        self.card.handle(view, &mut reply)?;
        self.waiting = reply.to_vec();
        let expected = CommandView::try_from(command).map_or(256, |view| view.expected());
        Ok(self.part(expected))
    }

    fn part(&mut self, expected: usize) -> Vec<u8> {
        let rest = self.waiting.split_off(self.waiting.len().min(expected));
        let mut part = std::mem::replace(&mut self.waiting, rest);
        part.extend(match self.waiting.len() {
            0 => [0x90, 0],
            left => [0x61, u8::try_from(left).unwrap_or(0xff)],
        });
        part
    }
}

/// As one extended command.
fn whole(head: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut whole = head.to_vec();
    whole.push(0);
    if !data.is_empty() {
        let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
        whole.extend(length.to_be_bytes());
        whole.extend(data);
    }
    whole.extend([0, 0]);
    whole
}

impl<T: opcard::Client> vpicc::VSmartCard for Apdus<T> {
    fn power_off(&mut self) {
        self.card.reset();
    }

    fn reset(&mut self) {
        self.card.reset();
    }

    fn execute(&mut self, command: &[u8]) -> Vec<u8> {
        self.answer(command).unwrap_or_else(|status| {
            let status: [u8; 2] = status.into();
            status.to_vec()
        })
    }
}
