//! Requests in, answers out.

use crate::piv::{Piv, manage};
use crate::pkcs11::Token;
use nkey_agent::device::{Ask, Facts, Failure, Slot, receive, send, write_answer};
use nkey_agent::manage::Order;
use nkey_agent::wire::Writer;
use nkey_core::nkey::Kind;
use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use zeroize::Zeroizing;

/// A device with keys.
pub trait Device {
    /// What it says of itself.
    fn facts(&mut self) -> Result<Facts, Failure>;
    /// Its slots.
    fn slots(&mut self) -> Result<Vec<Slot>, Failure>;
    /// Takes the PIN.
    fn login(&mut self, pin: &str) -> Result<(), Failure>;
    /// Signs.
    fn sign(&mut self, slot: &str, message: &[u8]) -> Result<Vec<u8>, Failure>;
    /// Makes a key.
    fn generate(&mut self, label: &str, kind: Kind) -> Result<Slot, Failure>;
}

/// Serves until the agent closes its end.
///
/// # Errors
/// What the system says.
pub fn serve(mut stream: UnixStream) -> io::Result<()> {
    let mut device: Option<Box<dyn Device>> = None;
    loop {
        let frame = match receive(&mut stream) {
            Ok(frame) => Zeroizing::new(frame),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        let answer = match Ask::read(&frame) {
            Ok(ask) => answer(&mut device, &ask),
            Err(malformed) => Err(Failure::other(malformed)),
        };
        send(&mut stream, |out| write_answer(&answer, out))?;
    }
}

fn answer(device: &mut Option<Box<dyn Device>>, ask: &Ask<'_>) -> Result<Writer, Failure> {
    let mut body = Writer::new();
    match ask {
        Ask::Pkcs11 { module, token } => {
            *device = Some(Box::new(Token::open(module, token)?));
            return Ok(body);
        }
        Ask::Piv { serial } => {
            *device = Some(Box::new(Piv::open(serial)?));
            return Ok(body);
        }
        Ask::Cards => {
            let cards = manage::cards()?;
            body.uint32(u32::try_from(cards.len()).unwrap_or(0));
            cards.iter().for_each(|card| card.write(&mut body));
            return Ok(body);
        }
        Ask::Manage { serial, order } => {
            let order = Order::read(order).map_err(Failure::other)?;
            manage::run(serial, &order, &mut body)?;
            return Ok(body);
        }
        _ => {}
    }
    let device = device
        .as_mut()
        .ok_or_else(|| Failure::other("no device is open"))?;
    match ask {
        Ask::Pkcs11 { .. } | Ask::Piv { .. } | Ask::Cards | Ask::Manage { .. } => {}
        Ask::Facts => device.facts()?.write(&mut body),
        Ask::Slots => {
            let slots = device.slots()?;
            body.uint32(u32::try_from(slots.len()).unwrap_or(0));
            slots.iter().for_each(|slot| slot.write(&mut body));
        }
        Ask::Login { pin } => device.login(pin)?,
        Ask::Sign { slot, message } => {
            body.raw(&device.sign(slot, message)?);
        }
        Ask::Generate { label, kind } => device.generate(label, *kind)?.write(&mut body),
    }
    Ok(body)
}
