//! What a person changes on a card: keys, PIN, PUK. The crate `yubikey` does most of it.

use super::management::{self, authenticate};
use super::occupant::{Occupant, free, object, occupant, shown, slot_id};
use super::{FIRST, OK, certificate, old, tlv};
use crate::card::{self, Fail, transact};
use nkey_agent::cards::Card;
use nkey_agent::device::{Failure, Fault};
use nkey_agent::manage::{Access, Order, Place};
use nkey_agent::wire::Writer;
use nkey_core::nkey::{Kind, PublicKey};
use std::panic::{AssertUnwindSafe, catch_unwind};
use yubikey::piv::{self, AlgorithmId, Origin};
use yubikey::reader::Context;
use yubikey::{Error, PinPolicy, Serial, TouchPolicy, YubiKey};

/// The certificate of the key that attests.
const ATTESTATION: u32 = 0x005f_ff01;

/// The crate indexes into what a card answers: a panic there is a malformed answer.
pub(super) fn caught<T>(work: impl FnOnce() -> yubikey::Result<T>) -> yubikey::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Error::ParseError))
}

/// What the crate's error means while `doing` something.
pub(super) fn told(doing: &str, error: Error) -> Failure {
    match error {
        Error::PcscError { inner: Some(inner) } => Fail::from(inner).failure(),
        Error::ParseError => Failure::other(format!("{doing}: its answer is malformed")),
        Error::AuthenticationError => Failure::other(format!(
            "{doing}: it refuses, since it is not opened by the right management key"
        )),
        error => Failure::other(format!("{doing}: {error}")),
    }
}

/// [`told`] for a PIN or PUK.
pub(super) fn refused(what: &str, error: Error) -> Failure {
    match error {
        Error::WrongPin { tries: 0 } | Error::PinLocked if what == "PIN" => super::blocked(),
        Error::WrongPin { tries: 0 } | Error::PinLocked => Failure::new(
            Fault::Blocked,
            format!("its {what} is blocked, and only a reset of its PIV applet helps"),
        ),
        Error::WrongPin { tries } => Failure::new(
            Fault::WrongPin,
            format!("the {what} is wrong; {}", crate::card::left(what, tries)),
        ),
        error => told(&format!("the {what}"), error),
    }
}

/// A new or present PIN or PUK that the card can have at all.
pub(super) fn fits(what: &str, text: &str) -> Result<(), Failure> {
    if (6..=8).contains(&text.len()) && text.is_ascii() {
        return Ok(());
    }
    let text = format!("a {what} of PIV has 6 to 8 ASCII characters");
    Err(Failure::new(Fault::WrongPin, text))
}

/// The cards that are there.
///
/// # Errors
/// If pcscd does not run.
pub fn cards() -> Result<Vec<Card>, Failure> {
    let doing = "looking for cards";
    let mut context = match Context::open() {
        Err(Error::PcscError {
            inner: Some(pcsc::Error::NoReadersAvailable),
        }) => return Ok(Vec::new()),
        context => context.map_err(|error| told(doing, error))?,
    };
    let mut cards = Vec::new();
    for reader in context.iter().map_err(|error| told(doing, error))? {
        // A card of another kind, an empty reader.
        let Ok(key) = caught(|| reader.open()) else {
            continue;
        };
        cards.push(Card {
            serial: key.serial().to_string(),
            label: key.version().to_string(),
            reader: key.name().to_owned(),
        });
        let _ = key.disconnect(pcsc::Disposition::LeaveCard);
    }
    Ok(cards)
}

fn open(serial: &str) -> Result<YubiKey, Failure> {
    let number = serial
        .parse()
        .map_err(|_| Failure::other(format!("{serial} is no serial number of a card")))?;
    let key = caught(|| YubiKey::open_by_serial(Serial(number))).map_err(|error| match error {
        Error::NotFound => {
            let text = format!(
                "the card {serial} is not there: `nkey piv list --plugged` shows those that are"
            );
            Failure::new(Fault::Absent, text)
        }
        error => told("opening the card", error),
    })?;
    let version = key.version();
    if [version.major, version.minor] < FIRST {
        return Err(old([version.major, version.minor, version.patch]));
    }
    Ok(key)
}

/// Does what is asked for and writes what is to be told.
///
/// # Errors
/// What failed, and what was done before it if something was.
pub fn run(serial: &str, order: &Order<'_>, out: &mut Writer) -> Result<(), Failure> {
    let mut key = open(serial)?;
    let result = follow(&mut key, order, out);
    close(key);
    result
}

/// Makes a key in the first slot that is free, for an agent that has the PIN: its slot.
///
/// # Errors
/// If no slot is free, or the management key is not under the PIN.
pub fn make_anywhere(serial: &str, kind: Kind, pin: &str) -> Result<u8, Failure> {
    let mut key = open(serial)?;
    let place = Place {
        slot: 0,
        kind,
        pin: PinPolicy::Always.into(),
        touch: TouchPolicy::Never.into(),
        replace: "",
    };
    let access = Access {
        pin,
        management: &[],
    };
    let made = make(&mut key, &place, &access, None);
    close(key);
    Ok(made?.0)
}

/// It forgets PIN and management key; a reset, which dropping means, would do it to the other
/// applets as well.
fn close(mut key: YubiKey) {
    if caught(|| key.deauthenticate()).is_ok() {
        let _ = key.disconnect(pcsc::Disposition::LeaveCard);
    }
}

fn follow(key: &mut YubiKey, order: &Order<'_>, out: &mut Writer) -> Result<(), Failure> {
    match order {
        Order::State => management::state(key)?.write(out),
        Order::Init { pin, puk } => {
            let changed = management::init(key, pin, puk)?;
            out.uint32(u32::try_from(changed.len()).unwrap_or(0));
            for line in changed {
                out.string(line.as_bytes());
            }
        }
        Order::Generate(place, access) => {
            told_key(make(key, place, access, None)?, out);
        }
        Order::Import(place, access, seed) => {
            told_key(make(key, place, access, Some(seed))?, out);
        }
        Order::Attest { slot } => {
            let (attestation, of_f9) = attest(key, *slot)?;
            out.string(&attestation).string(&of_f9);
        }
        Order::Pin { old, new } => {
            fits("PIN", old)?;
            fits("PIN", new)?;
            caught(|| key.change_pin(old.as_bytes(), new.as_bytes()))
                .map_err(|error| refused("PIN", error))?;
        }
        Order::Unblock { puk, new } => {
            fits("PUK", puk)?;
            fits("PIN", new)?;
            caught(|| key.unblock_pin(puk.as_bytes(), new.as_bytes()))
                .map_err(|error| refused("PUK", error))?;
        }
        Order::Puk { old, new } => {
            fits("PUK", old)?;
            fits("PUK", new)?;
            caught(|| key.change_puk(old.as_bytes(), new.as_bytes()))
                .map_err(|error| refused("PUK", error))?;
        }
        Order::Management(access) => management::renew(key, access)?,
        Order::Delete {
            slot,
            key: named,
            access,
        } => delete(key, *slot, named, access)?,
    }
    Ok(())
}

fn told_key((slot, key): (u8, [u8; 32]), out: &mut Writer) {
    out.byte(slot).raw(&key);
}

/// Makes or takes a key, and gives it its certificate: its slot, and itself.
fn make(
    key: &mut YubiKey,
    place: &Place<'_>,
    access: &Access<'_>,
    seed: Option<&[u8]>,
) -> Result<(u8, [u8; 32]), Failure> {
    let slot = match place.slot {
        0 => free(key)?,
        slot => slot,
    };
    let id = slot_id(slot)?;
    if let Some(found) = occupant(key, slot)?
        && !found.is_named(place.replace)
    {
        let found = found.describe(place.kind);
        return Err(Failure::other(if place.replace.is_empty() {
            format!(
                "slot {slot:02x} holds {found}: to replace it for good, name it with --overwrite"
            )
        } else {
            format!("slot {slot:02x} holds {found}, not the key that --overwrite names")
        }));
    }
    let pin = PinPolicy::try_from(place.pin).map_err(|error| told("the PIN policy", error))?;
    let touch =
        TouchPolicy::try_from(place.touch).map_err(|error| told("the touch policy", error))?;
    authenticate(key, access)?;
    match seed {
        None => {
            caught(|| piv::generate(key, id, AlgorithmId::Ed25519, pin, touch).map(drop))
                .map_err(|error| told("making the key", error))?;
        }
        Some(seed) if seed.len() == 32 => {
            caught(|| piv::import_cv_key(key, id, AlgorithmId::Ed25519, seed, touch, pin))
                .map_err(|error| told("importing the key", error))?;
        }
        Some(_) => return Err(Failure::other("a seed has 32 bytes")),
    }
    let public = shown(key, slot)?;
    let nkey = PublicKey::from_bytes(place.kind, public);
    let mut object_bytes = Vec::new();
    tlv::write(&mut object_bytes, 0x70, &certificate::of(&nkey)?);
    tlv::write(&mut object_bytes, 0x71, &[0]);
    tlv::write(&mut object_bytes, 0xfe, &[]);
    caught(|| key.save_object(object(slot), &mut object_bytes)).map_err(|error| {
        let failure = told("storing its certificate", error);
        Failure::new(
            failure.fault,
            format!(
                "slot {slot:02x} has the key {nkey} now, but {}",
                failure.text
            ),
        )
    })?;
    Ok((slot, public))
}

fn attest(key: &mut YubiKey, slot: u8) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let id = slot_id(slot)?;
    let doing = "reading the slot";
    let metadata = caught(|| piv::metadata(key, id)).map_err(|error| match error {
        Error::NotFound => Failure::other(format!("slot {slot:02x} holds no key")),
        error => told(doing, error),
    })?;
    if metadata.origin != Some(Origin::Generated) {
        return Err(Failure::other(format!(
            "the key in slot {slot:02x} is not attestable: it was imported, and others may have it"
        )));
    }
    let attestation =
        caught(|| piv::attest(key, id)).map_err(|error| told("attesting the key", error))?;
    let object = caught(|| key.fetch_object(ATTESTATION))
        .map_err(|error| told("reading the certificate of slot f9", error))?;
    let of_f9 = tlv::find(&object, 0x70)
        .ok_or_else(|| Failure::other("slot f9 holds no certificate that it could attest with"))?;
    Ok((attestation.to_vec(), of_f9.to_vec()))
}

fn delete(key: &mut YubiKey, slot: u8, named: &str, access: &Access<'_>) -> Result<(), Failure> {
    let Some(found) = occupant(key, slot)? else {
        return Err(Failure::other(format!("slot {slot:02x} is empty")));
    };
    if !found.is_named(named) {
        return Err(Failure::other(format!(
            "slot {slot:02x} holds {}, not {named}: nothing was deleted",
            found.describe(Kind::Account)
        )));
    }
    authenticate(key, access)?;
    let only_certificate = matches!(found, Occupant::Other("a certificate without a key", _));
    if !only_certificate {
        let status = own(key, [0xf6, 0xff, slot], &[])?;
        if status != OK {
            return Err(Failure::other(format!(
                "it does not delete the key (SW {status:04X})"
            )));
        }
    }
    caught(|| key.save_object(object(slot), &mut []))
        .map_err(|error| told("deleting its certificate", error))
}

/// A command that the crate does not have, while the crate has opened the card.
pub(super) fn own(key: &YubiKey, command: [u8; 3], data: &[u8]) -> Result<u16, Failure> {
    let sent = || -> Result<u16, Fail> {
        let (context, readers) = card::readers()?;
        let name = key.name().as_bytes();
        let reader = readers.iter().find(|reader| reader.as_bytes() == name);
        let reader = reader.ok_or(pcsc::Error::UnknownReader)?;
        let mut card = card::connect(&context, reader)?;
        let sent = transact(&mut card, |card| card::send(card, command, data));
        card::release(card);
        Ok(sent?.0)
    };
    sent().map_err(Fail::failure)
}
