//! PIV: YubiKeys with firmware 5.7 and later, and cards that answer as they do.

mod certificate;
pub mod manage;
mod management;
mod occupant;
mod tlv;

use crate::card::{Fail, OK, Pace, connect, left, readers, release, send, transact};
use crate::serve::{Device, FRESH, Touch};
use nkey_agent::device::{Facts, Failure, Fault, Slot};
use nkey_core::nkey::Kind;
use pcsc::{Card, Transaction};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

const APPLICATION: [u8; 5] = [0xa0, 0, 0, 3, 8];
const SELECT: [u8; 3] = [0xa4, 4, 0];
const VERIFY: [u8; 3] = [0x20, 0, 0x80];
const FORGET: [u8; 3] = [0x20, 0xff, 0x80];
const VERSION: [u8; 3] = [0xfd, 0, 0];
const SERIAL: [u8; 3] = [0xf8, 0, 0];
/// Ed25519 in GENERAL AUTHENTICATE and METADATA.
const ED25519: u8 = 0xe0;
/// The first firmware with Ed25519 in PIV.
const FIRST: [u8; 2] = [5, 7];
/// One extended command of a YubiKey carries this much; more is not known to work.
const LIMIT: u32 = 3045;

/// How long it may be ours without a gap: gaps cost 1.2 % then, of the 5 % that we may add.
const OURS: Duration = Duration::from_secs(10);

/// A card, chosen by its serial number.
pub struct Piv {
    wanted: String,
    card: Option<Card>,
    version: [u8; 3],
    pin: Option<Zeroizing<String>>,
    /// What the slots were found to want, while the card stays.
    touches: BTreeMap<String, (Touch, Instant)>,
    pace: Pace,
}

impl Piv {
    /// The card with this serial number.
    ///
    /// # Errors
    /// If it is not there, or cannot sign with Ed25519 keys.
    pub fn open(serial: &str) -> Result<Piv, Failure> {
        let mut piv = Piv {
            wanted: serial.to_owned(),
            card: None,
            version: [0; 3],
            pin: None,
            touches: BTreeMap::new(),
            pace: Pace::new(OURS),
        };
        piv.with(|_| Ok(()))?;
        Ok(piv)
    }

    /// Runs `work` in one transaction with the applet selected. A card that was lost is looked
    /// for once. One that was not verified before is not verified after: verification belongs
    /// to the card, and any program could use it.
    fn with<T>(
        &mut self,
        work: impl Fn(&Transaction<'_>) -> Result<T, Fail>,
    ) -> Result<T, Failure> {
        let mut last = Failure::new(Fault::Absent, "the card is not there");
        for _ in 0..2 {
            self.pace.begin();
            let result = self.found().and_then(|card| {
                transact(card, |card| {
                    select(card)?;
                    let verified = send(card, VERIFY, &[])?.0 == OK;
                    let result = work(card);
                    if !verified {
                        let (status, _) = send(card, FORGET, &[])?;
                        if status != OK {
                            // Another applet makes it forget as well.
                            let _ = send(card, SELECT, &[0xa0, 0, 0, 5, 0x27, 0x47, 0x11, 0x17])?;
                        }
                    }
                    result
                })
            });
            self.pace.end();
            match result {
                Ok(done) => return Ok(done),
                Err(Fail::Told(failure)) => return Err(failure),
                Err(Fail::Lost(failure)) => {
                    self.card = None;
                    last = failure;
                }
            }
        }
        Err(last)
    }

    fn found(&mut self) -> Result<&mut Card, Fail> {
        if self.card.is_none() {
            self.touches.clear();
            let (card, version) = find(&self.wanted)?;
            if version[..2] < FIRST[..] {
                return Err(old(version).into());
            }
            self.version = version;
            self.card = Some(card);
        }
        self.card
            .as_mut()
            .ok_or_else(|| Failure::new(Fault::Absent, "the card is not there").into())
    }
}

fn old(version: [u8; 3]) -> Failure {
    Failure::other(format!(
        "its firmware {} has no Ed25519 in PIV (5.7 has): the OpenPGP applet of 5.2.3 and later signs with such keys",
        dotted(version)
    ))
}

fn dotted([major, minor, patch]: [u8; 3]) -> String {
    format!("{major}.{minor}.{patch}")
}

fn select(card: &Transaction<'_>) -> Result<(), Fail> {
    match send(card, SELECT, &APPLICATION)?.0 {
        OK => Ok(()),
        status => Err(Failure::other(format!("it has no PIV applet (SW {status:04X})")).into()),
    }
}

/// Never the first one: two cards may be there, and not the one that is meant.
fn find(wanted: &str) -> Result<(Card, [u8; 3]), Fail> {
    let (context, readers) = readers()?;
    let mut seen = Vec::new();
    let mut trouble = None;
    for reader in &readers {
        let asked = connect(&context, reader).and_then(|mut card| {
            let known = transact(&mut card, |card| {
                select(card)?;
                Ok((send(card, SERIAL, &[])?, send(card, VERSION, &[])?))
            })?;
            Ok((card, known))
        });
        match asked {
            Ok((card, ((OK, serial), (OK, version)))) => {
                let serial = serial.try_into().map_or(0, u32::from_be_bytes).to_string();
                if serial == wanted {
                    return Ok((card, version.try_into().unwrap_or_default()));
                }
                release(card);
                seen.push(serial);
            }
            // A card of another kind, an empty reader.
            Ok((card, _)) => release(card),
            Err(Fail::Lost(_)) => {}
            Err(Fail::Told(failure)) => trouble = Some(failure.text),
        }
    }
    let others = match (seen.is_empty(), trouble) {
        (false, _) => format!("there are {}", seen.join(", ")),
        (true, Some(trouble)) => trouble,
        (true, None) => "no PIV card that tells its serial number is there".to_owned(),
    };
    Err(Fail::Told(Failure::new(
        Fault::Absent,
        format!("the card {wanted} is not there: {others}"),
    )))
}

fn verify(card: &Transaction<'_>, pin: &str) -> Result<(), Fail> {
    // Eight bytes, padded.
    let mut padded = Zeroizing::new([0xff; 8]);
    match padded.get_mut(..pin.len()) {
        Some(place) if pin.len() >= 6 => place.copy_from_slice(pin.as_bytes()),
        // Not given to the card: it would cost a try.
        _ => {
            let text = "a PIN of PIV has 6 to 8 characters";
            return Err(Failure::new(Fault::WrongPin, text).into());
        }
    }
    let (status, _) = send(card, VERIFY, &*padded)?;
    Err(match status {
        OK => return Ok(()),
        0x63c0..=0x63cf => Failure::new(
            Fault::WrongPin,
            format!("the PIN is wrong; {}", left("PIN", status & 0xf)),
        ),
        0x6983 => blocked(),
        _ => Failure::other(format!("it does not take the PIN (SW {status:04X})")),
    }
    .into())
}

fn blocked() -> Failure {
    Failure::new(Fault::Blocked, "its PIN is blocked: the PUK sets a new one")
}

/// 9a, 9c, 9d, 9e and the retired slots.
fn places() -> impl Iterator<Item = u8> {
    [0x9a, 0x9c, 0x9d, 0x9e].into_iter().chain(0x82..=0x95)
}

/// The slot with this name.
fn named(slot: &str) -> Result<u8, Failure> {
    let place = u8::from_str_radix(slot, 16).ok();
    let place = place.filter(|place| places().any(|known| known == *place));
    place.ok_or_else(|| Failure::other(format!("{slot} is no slot of PIV")))
}

fn describe(place: u8, metadata: &[u8]) -> Slot {
    let value = |tag| tlv::find(metadata, tag).unwrap_or_default();
    let policy = |byte: Option<&u8>, words: [&'static str; 4]| {
        let byte = byte.copied().map_or(0, usize::from);
        words.get(byte).copied().unwrap_or("unknown")
    };
    let pin = policy(value(2).first(), ["by default", "never", "once", "always"]);
    let touch = policy(value(2).get(1), ["by default", "never", "always", "cached"]);
    let origin = match value(3) {
        [1] => "generated",
        [2] => "imported",
        _ => "of unknown origin",
    };
    let key = tlv::find(value(4), 0x86).and_then(|key| key.try_into().ok());
    let trouble = match value(1) {
        [ED25519] if key.is_some() => None,
        [ED25519] => Some("it does not show its public key".to_owned()),
        [7] | [6] | [5] | [0x16] => Some("its key is one of RSA".to_owned()),
        [0x11] | [0x14] => Some("its key is one of ECDSA".to_owned()),
        [0xe1] => Some("its key is one of X25519".to_owned()),
        _ => Some("its key is of an unknown kind".to_owned()),
    };
    Slot {
        id: format!("{place:02x}"),
        label: format!("PIN {pin}, touch {touch}, {origin}"),
        key,
        trouble,
    }
}

/// Why a signature was refused, after the PIN was accepted.
fn unsigned(slot: &str, length: usize, status: u16) -> Failure {
    Failure::other(match status {
        0x6982 => "touch not given: it was not touched in time".to_owned(),
        0x6a80 | 0x6a88 | 0x6b00 => {
            format!("slot {slot} has no Ed25519 key any more (SW {status:04X})")
        }
        0x6700 | 0x6a84 => format!(
            "it does not sign {length} bytes (SW {status:04X}): `limit` in the configuration names less"
        ),
        _ => format!("it does not sign (SW {status:04X})"),
    })
}

impl Device for Piv {
    fn facts(&mut self) -> Result<Facts, Failure> {
        let (status, _) = self.with(|card| send(card, VERIFY, &[]))?;
        let tries = match status {
            0x63c0..=0x63cf if status & 0xf < 3 => left("PIN", status & 0xf),
            0x6983 => left("PIN", 0u16),
            _ => String::new(),
        };
        Ok(Facts {
            label: format!("PIV of firmware {}", dotted(self.version)),
            serial: self.wanted.clone(),
            policy: "PIN; touch by slot".to_owned(),
            limit: LIMIT,
            needs_pin: true,
            pad: false,
            tries,
        })
    }

    fn slots(&mut self) -> Result<Vec<Slot>, Failure> {
        self.with(|card| {
            let mut slots = Vec::new();
            for place in places() {
                let (status, metadata) = send(card, [0xf7, 0, place], &[])?;
                if status == OK {
                    slots.push(describe(place, &metadata));
                }
            }
            Ok(slots)
        })
    }

    fn login(&mut self, pin: &str) -> Result<(), Failure> {
        self.pin = None;
        self.with(|card| verify(card, pin))?;
        self.pin = Some(Zeroizing::new(pin.to_owned()));
        Ok(())
    }

    fn touch(&mut self, slot: &str) -> Result<Touch, Failure> {
        // Other software may have put another policy there.
        if let Some((touch, seen)) = self.touches.get(slot)
            && seen.elapsed() < FRESH
        {
            return Ok(*touch);
        }
        let place = named(slot)?;
        let (status, metadata) = self.with(|card| send(card, [0xf7, 0, place], &[]))?;
        let policy = tlv::find(&metadata, 2).and_then(|policy| policy.get(1).copied());
        let touch = match policy {
            Some(2) => Touch::Always,
            Some(3) => Touch::Cached,
            _ => Touch::Never,
        };
        if status == OK {
            self.touches
                .insert(slot.to_owned(), (touch, Instant::now()));
        }
        Ok(touch)
    }

    fn sign(&mut self, slot: &str, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let place = named(slot)?;
        let pin = self.pin.clone();
        let pin = pin.ok_or_else(|| Failure::new(Fault::NeedsPin, "it needs its PIN first"))?;
        let mut inner = Vec::with_capacity(message.len() + 8);
        tlv::write(&mut inner, 0x82, &[]);
        tlv::write(&mut inner, 0x81, message);
        let mut request = Vec::with_capacity(inner.len() + 4);
        tlv::write(&mut request, 0x7c, &inner);
        let signed = self.with(|card| {
            verify(card, &pin)?;
            let (status, response) = send(card, [0x87, ED25519, place], &request)?;
            if status != OK {
                return Err(unsigned(slot, message.len(), status).into());
            }
            let signature = tlv::find(&response, 0x7c).and_then(|body| tlv::find(body, 0x82));
            let signature = signature.map(<[u8]>::to_vec);
            signature.ok_or_else(|| Failure::other("its response holds no signature").into())
        });
        if signed
            .as_ref()
            .is_err_and(|failure| matches!(failure.fault, Fault::WrongPin | Fault::Blocked))
        {
            self.pin = None;
        }
        signed
    }

    fn generate(&mut self, _: &str, kind: Kind) -> Result<Slot, Failure> {
        let pin = self.pin.clone();
        let pin = pin.ok_or_else(|| Failure::new(Fault::NeedsPin, "it needs its PIN first"))?;
        let place = manage::make_anywhere(&self.wanted, kind, &pin)?;
        let metadata = self.with(|card| send(card, [0xf7, 0, place], &[]))?.1;
        Ok(describe(place, &metadata))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_word_is_named() {
        for status in 0..=u16::MAX {
            let said = unsigned("9c", 77, status).text;
            let named = said.contains(&format!("SW {status:04X}"));
            assert!(named || said.contains("touch not given"), "{said}");
        }
        assert!(unsigned("9c", 77, 0x6a84).text.contains("77 bytes"));
        assert!(unsigned("9c", 77, 0x6a88).text.contains("no Ed25519 key"));
    }
}
