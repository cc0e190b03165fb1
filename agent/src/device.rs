//! What the agent and `nkey-holder` say to each other over a socketpair.
//!
//! A holder process serves one device: frames as on the agent's socket, one answer for each
//! request, in their order. The first request opens the device.

use crate::wire::{Malformed, Reader, Writer};
use nkey_core::nkey::Kind;
use std::fmt;
use std::io::{self, Read, Write};

/// The longest frame, in bytes.
pub const MAX_FRAME: usize = 2 * 1024 * 1024;

/// The longest PIN, in bytes.
pub const MAX_PIN: usize = 128;

/// A place for a key in a holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What the holder calls it; the same every time.
    pub id: String,
    /// What people call it; may be empty.
    pub label: String,
    /// Its Ed25519 public key, if it shows one.
    pub key: Option<[u8; 32]>,
    /// Why it cannot be enrolled.
    pub trouble: Option<String>,
}

/// What a device says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What people call it.
    pub label: String,
    /// Its serial number.
    pub serial: String,
    /// What it asks for before it signs.
    pub policy: String,
    /// The longest message it signs, in bytes.
    pub limit: u32,
    /// Whether it needs a PIN before it signs.
    pub needs_pin: bool,
    /// Whether the PIN is typed at the device itself.
    pub pad: bool,
    /// A warning about the tries that are left, or nothing.
    pub tries: String,
}

/// A request to a holder process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ask<'a> {
    /// Open a token of a PKCS#11 module.
    Pkcs11 {
        /// The module's path.
        module: &'a str,
        /// The token's label or URI; empty for the only one.
        token: &'a str,
    },
    /// Open the PIV applet of a card.
    Piv {
        /// The card's serial number.
        serial: &'a str,
    },
    /// Open the OpenPGP applet of a card.
    OpenPgp {
        /// The card's serial number.
        serial: &'a str,
    },
    /// List the OpenPGP cards that are there; nothing is opened.
    OpenPgpCards,
    /// Do what a person wants of an OpenPGP card; it is opened for this alone.
    OpenPgpOrder {
        /// The card's serial number.
        serial: &'a str,
        /// A [`crate::openpgp::Order`].
        order: &'a [u8],
    },
    /// Say the [`Facts`].
    Facts,
    /// List the slots.
    Slots,
    /// Give the PIN.
    Login {
        /// It.
        pin: &'a str,
    },
    /// Sign.
    Sign {
        /// The slot's id.
        slot: &'a str,
        /// What to sign.
        message: &'a [u8],
    },
    /// Make a key.
    Generate {
        /// Its label.
        label: &'a str,
        /// The kind that it shall have, for what shows it.
        kind: Kind,
    },
    /// List the cards that are there; nothing is opened.
    Cards,
    /// Do what a person wants of a card; it is opened for this alone.
    Manage {
        /// The card's serial number.
        serial: &'a str,
        /// A [`crate::manage::Order`].
        order: &'a [u8],
    },
}

/// Why a holder process did not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// What the text says.
    Other = 0,
    /// The PIN is wrong.
    WrongPin = 1,
    /// The PIN is blocked.
    Blocked = 2,
    /// The PIN is needed first.
    NeedsPin = 3,
    /// The device is not there.
    Absent = 4,
}

/// A fault and its sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The fault.
    pub fault: Fault,
    /// The sentence; never a secret.
    pub text: String,
}

impl Failure {
    /// A failure.
    pub fn new(fault: Fault, text: impl fmt::Display) -> Failure {
        Failure {
            fault,
            text: text.to_string(),
        }
    }

    /// A failure that only its text explains.
    pub fn other(text: impl fmt::Display) -> Failure {
        Failure::new(Fault::Other, text)
    }
}

impl Ask<'_> {
    /// Its bytes.
    pub fn write(&self, out: &mut Writer) {
        match self {
            Ask::Pkcs11 { module, token } => out
                .byte(1)
                .string(module.as_bytes())
                .string(token.as_bytes()),
            Ask::Facts => out.byte(2),
            Ask::Slots => out.byte(3),
            Ask::Login { pin } => out.byte(4).string(pin.as_bytes()),
            Ask::Sign { slot, message } => out.byte(5).string(slot.as_bytes()).string(message),
            Ask::Generate { label, kind } => {
                out.byte(6).string(label.as_bytes()).byte(kind.prefix())
            }
            Ask::Piv { serial } => out.byte(7).string(serial.as_bytes()),
            Ask::OpenPgp { serial } => out.byte(8).string(serial.as_bytes()),
            Ask::OpenPgpCards => out.byte(9),
            Ask::OpenPgpOrder { serial, order } => {
                out.byte(10).string(serial.as_bytes()).string(order)
            }
            Ask::Cards => out.byte(20),
            Ask::Manage { serial, order } => out.byte(21).string(serial.as_bytes()).string(order),
        };
    }

    /// The request of these bytes.
    ///
    /// # Errors
    /// [`Malformed`] if they are none.
    pub fn read(bytes: &[u8]) -> Result<Ask<'_>, Malformed> {
        let mut reader = Reader::new(bytes);
        let ask = match reader.byte()? {
            1 => Ask::Pkcs11 {
                module: reader.text()?,
                token: reader.text()?,
            },
            2 => Ask::Facts,
            3 => Ask::Slots,
            4 => Ask::Login {
                pin: reader.text()?,
            },
            5 => Ask::Sign {
                slot: reader.text()?,
                message: reader.string()?,
            },
            6 => Ask::Generate {
                label: reader.text()?,
                kind: Kind::from_prefix(reader.byte()?).map_err(|_| Malformed("no kind of key"))?,
            },
            7 => Ask::Piv {
                serial: reader.text()?,
            },
            8 => Ask::OpenPgp {
                serial: reader.text()?,
            },
            9 => Ask::OpenPgpCards,
            10 => Ask::OpenPgpOrder {
                serial: reader.text()?,
                order: reader.string()?,
            },
            20 => Ask::Cards,
            21 => Ask::Manage {
                serial: reader.text()?,
                order: reader.string()?,
            },
            _ => return Err(Malformed("no such request")),
        };
        reader.end()?;
        Ok(ask)
    }
}

impl Facts {
    /// Its bytes.
    pub fn write(&self, out: &mut Writer) {
        for text in [&self.label, &self.serial, &self.policy, &self.tries] {
            out.string(text.as_bytes());
        }
        out.uint32(self.limit);
        out.byte(self.needs_pin.into()).byte(self.pad.into());
    }

    /// The facts of these bytes.
    ///
    /// # Errors
    /// [`Malformed`] if they are none.
    pub fn read(bytes: &[u8]) -> Result<Facts, Malformed> {
        let mut reader = Reader::new(bytes);
        let mut text = || reader.text().map(str::to_owned);
        let (label, serial, policy, tries) = (text()?, text()?, text()?, text()?);
        let facts = Facts {
            label,
            serial,
            policy,
            tries,
            limit: reader.uint32()?,
            needs_pin: reader.byte()? != 0,
            pad: reader.byte()? != 0,
        };
        reader.end()?;
        Ok(facts)
    }
}

impl Slot {
    /// Its bytes.
    pub fn write(&self, out: &mut Writer) {
        out.string(self.id.as_bytes())
            .string(self.label.as_bytes())
            .string(self.key.as_ref().map_or(&[][..], |key| &key[..]))
            .string(self.trouble.as_deref().unwrap_or_default().as_bytes());
    }

    /// The next slot.
    ///
    /// # Errors
    /// [`Malformed`] if there is none.
    pub fn read(reader: &mut Reader<'_>) -> Result<Slot, Malformed> {
        Ok(Slot {
            id: reader.text()?.to_owned(),
            label: reader.text()?.to_owned(),
            key: match reader.string()? {
                [] => None,
                key => Some(
                    key.try_into()
                        .map_err(|_| Malformed("a key that is not 32 bytes"))?,
                ),
            },
            trouble: match reader.text()? {
                "" => None,
                text => Some(text.to_owned()),
            },
        })
    }
}

/// The bytes of an answer: 0 and the body, or 1, the fault and its sentence.
pub fn write_answer(answer: &Result<Writer, Failure>, out: &mut Writer) {
    match answer {
        Ok(body) => out.byte(0).raw(body.as_bytes()),
        Err(failure) => out
            .byte(1)
            .byte(failure.fault as u8)
            .string(failure.text.as_bytes()),
    };
}

/// The bytes that say, before an answer, that the device waits for a finger.
pub fn write_waiting(out: &mut Writer) {
    out.byte(2);
}

/// Whether these bytes are those of [`write_waiting`].
pub fn is_waiting(bytes: &[u8]) -> bool {
    bytes == [2]
}

/// The body of an answer.
///
/// # Errors
/// [`Malformed`] if it is none; within it the holder's failure.
pub fn read_answer(bytes: &[u8]) -> Result<Result<&[u8], Failure>, Malformed> {
    let mut reader = Reader::new(bytes);
    match reader.byte()? {
        0 => Ok(Ok(reader.rest())),
        1 => {
            let fault = match reader.byte()? {
                1 => Fault::WrongPin,
                2 => Fault::Blocked,
                3 => Fault::NeedsPin,
                4 => Fault::Absent,
                _ => Fault::Other,
            };
            let text = reader.text()?;
            reader.end()?;
            Ok(Err(Failure::new(fault, text)))
        }
        _ => Err(Malformed("no such answer")),
    }
}

/// Sends one frame.
///
/// # Errors
/// What the system says.
pub fn send(stream: &mut impl Write, body: impl FnOnce(&mut Writer)) -> io::Result<()> {
    let mut frame = Writer::new();
    let at = frame.begin_frame();
    body(&mut frame);
    frame.end_frame(at);
    stream.write_all(frame.as_bytes())
}

/// Receives one frame.
///
/// # Errors
/// What the system says; a frame of impossible length is invalid data.
pub fn receive(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length == 0 || length > MAX_FRAME {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_every_cut_is_an_error() {
        let asks = [
            Ask::Pkcs11 {
                module: "/m",
                token: "t",
            },
            Ask::Facts,
            Ask::Slots,
            Ask::Login { pin: "1234" },
            Ask::Sign {
                slot: "id:01",
                message: b"m",
            },
            Ask::Generate {
                label: "l",
                kind: Kind::Account,
            },
            Ask::Piv { serial: "1" },
            Ask::OpenPgp {
                serial: "000F:00000001",
            },
            Ask::OpenPgpCards,
            Ask::OpenPgpOrder {
                serial: "000F:00000001",
                order: b"o",
            },
            Ask::Cards,
            Ask::Manage {
                serial: "1",
                order: b"o",
            },
        ];
        for ask in asks {
            let mut out = Writer::new();
            ask.write(&mut out);
            assert!(Ask::read(out.as_bytes()) == Ok(ask));
            for cut in 0..out.as_bytes().len() {
                assert!(Ask::read(&out.as_bytes()[..cut]).is_err());
            }
        }
        let facts = Facts {
            label: "l".into(),
            limit: 7,
            needs_pin: true,
            ..Facts::default()
        };
        let mut out = Writer::new();
        facts.write(&mut out);
        assert_eq!(Facts::read(out.as_bytes()), Ok(facts));
        let mut answer = Writer::new();
        let failure = Failure::new(Fault::Blocked, "no");
        write_answer(&Err(failure.clone()), &mut answer);
        assert_eq!(read_answer(answer.as_bytes()), Ok(Err(failure)));
        assert!(receive(&mut &[0xff; 8][..]).is_err());
    }
}
