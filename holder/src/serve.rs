//! Requests in, answers out.

use crate::openpgp::{OpenPgp, manage as openpgp};
use crate::piv::{Piv, manage as piv};
use crate::pkcs11::Token;
use nkey_agent::cards;
use nkey_agent::device::{Ask, Facts, Failure, Slot, receive, send, write_answer, write_waiting};
use nkey_agent::manage::Order;
use nkey_agent::wire::Writer;
use nkey_core::nkey::Kind;
use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a device may take before it is taken to wait for a finger.
const LATE: Duration = Duration::from_millis(500);

/// How long it counts what a device said of touches: other software may change it.
pub const FRESH: Duration = Duration::from_secs(1);

/// When a device waits for a finger.
#[derive(Clone, Copy)]
pub enum Touch {
    /// For no signature.
    Never,
    /// For each signature.
    Always,
    /// Perhaps: it remembers a touch for a while, and does not say so.
    Cached,
}

/// A device with keys.
pub trait Device {
    /// What it says of itself.
    fn facts(&mut self) -> Result<Facts, Failure>;
    /// Its slots.
    fn slots(&mut self) -> Result<Vec<Slot>, Failure>;
    /// Takes the PIN.
    fn login(&mut self, pin: &str) -> Result<(), Failure>;
    /// Whether a signature waits for a finger.
    fn touch(&mut self, _slot: &str) -> Result<Touch, Failure> {
        Ok(Touch::Never)
    }
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
            Ok(ask) => answer(&mut device, &ask, &stream),
            Err(malformed) => Err(Failure::other(malformed)),
        };
        send(&mut stream, |out| write_answer(&answer, out))?;
    }
}

/// Signs, and says when the device waits for a finger: it tells nobody itself.
fn sign(
    device: &mut dyn Device,
    slot: &str,
    message: &[u8],
    stream: &UnixStream,
) -> Result<Vec<u8>, Failure> {
    let mut teller = stream.try_clone().map_err(Failure::other)?;
    let mut say = move || {
        // An agent that has gone ends this process as well.
        let _ = send(&mut teller, write_waiting);
    };
    match device.touch(slot)? {
        Touch::Never => device.sign(slot, message),
        Touch::Always => {
            say();
            device.sign(slot, message)
        }
        Touch::Cached => {
            let (done, waiting) = mpsc::channel::<()>();
            let late = std::thread::spawn(move || {
                if waiting.recv_timeout(LATE) == Err(RecvTimeoutError::Timeout) {
                    say();
                }
            });
            let signed = device.sign(slot, message);
            drop(done);
            // Before the answer, which nothing may follow.
            let _ = late.join();
            signed
        }
    }
}

fn answer(
    device: &mut Option<Box<dyn Device>>,
    ask: &Ask<'_>,
    stream: &UnixStream,
) -> Result<Writer, Failure> {
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
            cards::write(&piv::cards()?, &mut body);
            return Ok(body);
        }
        Ask::Manage { serial, order } => {
            let order = Order::read(order).map_err(Failure::other)?;
            piv::run(serial, &order, &mut body)?;
            return Ok(body);
        }
        Ask::OpenPgp { serial } => {
            *device = Some(Box::new(OpenPgp::open(serial)?));
            return Ok(body);
        }
        Ask::OpenPgpCards => {
            cards::write(&openpgp::cards()?, &mut body);
            return Ok(body);
        }
        Ask::OpenPgpOrder { serial, order } => {
            openpgp::run(serial, order, &mut body)?;
            return Ok(body);
        }
        _ => {}
    }
    let device = device
        .as_mut()
        .ok_or_else(|| Failure::other("no device is open"))?;
    match ask {
        Ask::Pkcs11 { .. } | Ask::Piv { .. } | Ask::Cards | Ask::Manage { .. } => {}
        Ask::OpenPgp { .. } | Ask::OpenPgpCards | Ask::OpenPgpOrder { .. } => {}
        Ask::Facts => device.facts()?.write(&mut body),
        Ask::Slots => {
            let slots = device.slots()?;
            body.uint32(u32::try_from(slots.len()).unwrap_or(0));
            slots.iter().for_each(|slot| slot.write(&mut body));
        }
        Ask::Login { pin } => device.login(pin)?,
        Ask::Sign { slot, message } => {
            body.raw(&sign(device.as_mut(), slot, message, stream)?);
        }
        Ask::Generate { label, kind } => device.generate(label, *kind)?.write(&mut body),
    }
    Ok(body)
}
