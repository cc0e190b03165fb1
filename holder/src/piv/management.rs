//! The management key, and what a card has at its default.

use super::manage::{caught, fits, own, refused, told};
use super::tlv;
use crate::card::OK;
use nkey_agent::device::Failure;
use nkey_agent::manage::{Access, Management, State};
use yubikey::piv::{self, ManagementSlotId, SlotAlgorithmId, SlotId, SlotMetadata};
use yubikey::{Error, MgmAlgorithmId, MgmKey, YubiKey};
use zeroize::Zeroizing;

const DEFAULT_PIN: &str = "123456";
const DEFAULT_PUK: &str = "12345678";
/// What ykman keeps of a card's administration, readable by all.
const ADMIN: u32 = 0x005f_ff00;
/// An object that only the PIN shows.
const PROTECTED: u32 = 0x005f_c109;
/// In [`ADMIN`]: the management key is stored under the PIN.
const STORED: u8 = 2;
/// In [`PROTECTED`]: the management key, and the one before it while it is changed.
const KEY: u8 = 0x89;
const BEFORE: u8 = 0x8a;

fn metadata(key: &mut YubiKey, of: ManagementSlotId) -> Result<SlotMetadata, Failure> {
    caught(|| piv::metadata(key, SlotId::Management(of)))
        .map_err(|error| told("reading what is at its default", error))
}

/// An object, empty if there is none.
fn object(key: &mut YubiKey, id: u32) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match caught(|| key.fetch_object(id)) {
        Ok(object) => Ok(object),
        Err(Error::NotFound) => Ok(Zeroizing::default()),
        Err(error) => Err(told(&format!("reading the object {id:06x}"), error)),
    }
}

/// What the card has at its default.
///
/// # Errors
/// If it does not say.
pub fn state(key: &mut YubiKey) -> Result<State, Failure> {
    let pin = metadata(key, ManagementSlotId::Pin)?;
    let puk = metadata(key, ManagementSlotId::Puk)?;
    let default_key = metadata(key, ManagementSlotId::Management)?.default == Some(true);
    let admin = object(key, ADMIN)?;
    let flags = tlv::find(&admin, 0x80).and_then(|data| tlv::find(data, 0x81));
    let stored = flags.is_some_and(|flags| matches!(flags, [flags] if flags & STORED != 0));
    Ok(State {
        default_pin: pin.default == Some(true),
        default_puk: puk.default == Some(true),
        management: match (default_key, stored) {
            (true, _) => Management::Default,
            (false, true) => Management::UnderPin,
            (false, false) => Management::Elsewhere,
        },
        pin_tries: pin.retries.map_or(0, |retries| retries.remaining_count),
        puk_tries: puk.retries.map_or(0, |retries| retries.remaining_count),
    })
}

fn algorithm(key: &mut YubiKey) -> Result<MgmAlgorithmId, Failure> {
    match metadata(key, ManagementSlotId::Management)?.algorithm {
        SlotAlgorithmId::Management(algorithm) => Ok(algorithm),
        _ => Err(Failure::other("its management key is of an unknown kind")),
    }
}

fn verify(key: &mut YubiKey, pin: &str) -> Result<(), Failure> {
    fits("PIN", pin)?;
    caught(|| key.verify_pin(pin.as_bytes())).map_err(|error| refused("PIN", error))
}

/// Opens the card for changes: with the given key, the default one, or the one under the PIN.
///
/// # Errors
/// If none of them is right.
pub fn authenticate(key: &mut YubiKey, access: &Access<'_>) -> Result<MgmKey, Failure> {
    let wrong = "opening the card";
    let algorithm = algorithm(key)?;
    let mut candidates = Vec::new();
    if !access.management.is_empty() {
        let given = caught(|| MgmKey::from_bytes(access.management, Some(algorithm)));
        candidates.push(given.map_err(|_| {
            Failure::other(format!(
                "the management key that was given is {} bytes long, and the card's is another kind",
                access.management.len()
            ))
        })?);
    } else if metadata(key, ManagementSlotId::Management)?.default == Some(true) {
        candidates.push(caught(|| MgmKey::get_default(key)).map_err(|error| told(wrong, error))?);
    } else {
        verify(key, access.pin)?;
        let protected = object(key, PROTECTED)?;
        let stored = tlv::find(&protected, 0x88).unwrap_or_default();
        // A change that was cut off may have left the card with the key before.
        for bytes in [KEY, BEFORE]
            .into_iter()
            .filter_map(|tag| tlv::find(stored, tag))
        {
            candidates.extend(MgmKey::from_bytes(bytes, Some(algorithm)).ok());
        }
        if candidates.is_empty() {
            return Err(Failure::other(
                "its management key is not stored under the PIN: give it with --management-key-file",
            ));
        }
    }
    let mut result = Err(Error::AuthenticationError);
    for candidate in candidates {
        result = caught(|| key.authenticate(&candidate)).map(|()| candidate);
        if result.is_ok() {
            break;
        }
    }
    result.map_err(|error| told(wrong, error))
}

fn put(key: &mut YubiKey, id: u32, mut bytes: Zeroizing<Vec<u8>>) -> Result<(), Failure> {
    caught(|| key.save_object(id, &mut bytes))
        .map_err(|error| told(&format!("writing the object {id:06x}"), error))
}

/// The protected object with this key, and the one before it if there is one.
fn protected(was: &[u8], new: &[u8], before: Option<&[u8]>) -> Zeroizing<Vec<u8>> {
    let mut inner = Zeroizing::new(Vec::with_capacity(was.len() + 128));
    tlv::write(&mut inner, KEY, new);
    if let Some(before) = before {
        tlv::write(&mut inner, BEFORE, before);
    }
    for (tag, value) in tlv::all(tlv::find(was, 0x88).unwrap_or_default()) {
        if tag != KEY && tag != BEFORE {
            tlv::write(&mut inner, tag, value);
        }
    }
    let mut out = Zeroizing::new(Vec::with_capacity(inner.len() + 4));
    tlv::write(&mut out, 0x88, &inner);
    out
}

/// Sets a new management key. It is stored under the PIN, read back, and only then set: at no
/// moment does nobody have it.
fn replace(key: &mut YubiKey, pin: &str, present: &MgmKey) -> Result<(), Failure> {
    verify(key, pin)?;
    caught(|| key.authenticate(present)).map_err(|error| told("opening the card", error))?;
    let mut new = Zeroizing::new(present.as_ref().to_vec());
    getrandom::fill(&mut new).map_err(|error| Failure::other(format!("no randomness: {error}")))?;
    let was = object(key, PROTECTED)?;
    put(
        key,
        PROTECTED,
        protected(&was, &new, Some(present.as_ref())),
    )?;
    let found = object(key, PROTECTED)?;
    let stored = tlv::find(&found, 0x88).and_then(|inner| tlv::find(inner, KEY));
    if stored != Some(&new[..]) {
        return Err(Failure::other(
            "it does not keep the new management key under the PIN: the present one stays",
        ));
    }
    let mut set = Zeroizing::new(vec![present.algorithm_id().into()]);
    tlv::write(&mut set, 0x9b, &new);
    let status = own(key, [0xff, 0xff, 0xff], &set)?;
    if status != OK {
        return Err(Failure::other(format!(
            "it does not take the new management key (SW {status:04X}): the present one stays"
        )));
    }
    let admin = object(key, ADMIN)?;
    put(key, ADMIN, marked(&admin))?;
    put(key, PROTECTED, protected(&was, &new, None))?;
    let new = MgmKey::from_bytes(&new, Some(present.algorithm_id()))
        .map_err(|error| told("the new management key", error))?;
    caught(|| key.authenticate(&new))
        .map_err(|error| told("opening the card with the new management key", error))
}

/// The administrative object, saying that the management key is under the PIN and derived from
/// no salt.
fn marked(admin: &[u8]) -> Zeroizing<Vec<u8>> {
    let data = tlv::find(admin, 0x80).unwrap_or_default();
    let flags = match tlv::find(data, 0x81) {
        Some([flags]) => flags | STORED,
        _ => STORED,
    };
    let mut inner = Vec::new();
    tlv::write(&mut inner, 0x81, &[flags]);
    for (tag, value) in tlv::all(data) {
        if tag != 0x81 && tag != 0x82 {
            tlv::write(&mut inner, tag, value);
        }
    }
    let mut out = Zeroizing::default();
    tlv::write(&mut out, 0x80, &inner);
    out
}

/// Changes what is still at its default, and says what.
///
/// # Errors
/// What failed, and what was changed before.
pub fn init(key: &mut YubiKey, pin: &str, puk: &str) -> Result<Vec<String>, Failure> {
    let mut changed = Vec::new();
    let state = state(key)?;
    let work = |key: &mut YubiKey, changed: &mut Vec<String>| -> Result<(), Failure> {
        if state.default_puk {
            fits("PUK", puk)?;
        }
        if state.default_pin {
            fits("PIN", pin)?;
            if pin == DEFAULT_PIN {
                return Err(Failure::other("that PIN is the default one"));
            }
            caught(|| key.change_pin(DEFAULT_PIN.as_bytes(), pin.as_bytes()))
                .map_err(|error| refused("PIN", error))?;
            changed.push("the PIN".to_owned());
        }
        if state.default_puk {
            if puk == DEFAULT_PUK {
                return Err(Failure::other("that PUK is the default one"));
            }
            caught(|| key.change_puk(DEFAULT_PUK.as_bytes(), puk.as_bytes()))
                .map_err(|error| refused("PUK", error))?;
            changed.push("the PUK".to_owned());
        }
        if state.management == Management::Default {
            let present = authenticate(key, &Access::default())?;
            replace(key, pin, &present)?;
            changed.push("the management key, which is stored under the PIN now".to_owned());
        }
        Ok(())
    };
    match work(key, &mut changed) {
        Ok(()) => Ok(changed),
        Err(failure) if changed.is_empty() => Err(failure),
        Err(failure) => Err(Failure::new(
            failure.fault,
            format!("{}; changed before: {}", failure.text, changed.join(", ")),
        )),
    }
}

/// Sets a new management key.
///
/// # Errors
/// If the card is not opened, or does not take it.
pub fn renew(key: &mut YubiKey, access: &Access<'_>) -> Result<(), Failure> {
    let present = authenticate(key, access)?;
    replace(key, access.pin, &present)
}
