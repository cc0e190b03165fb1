//! OpenPGP cards: their signature and authentication keys, if these are of Ed25519.

mod backend;
mod fingerprint;
mod ident;
mod limit;
pub mod manage;
mod open;
mod pin;
mod upload;

use crate::card::{self, Fail, Pace};
use crate::serve::{Device, Touch};
use nkey_agent::device::{Facts, Failure, Fault, Slot};
use nkey_agent::openpgp::Held;
use open::{Known, Opened};
use openpgp_card::ocard::algorithm::{AlgorithmAttributes, Curve};
use openpgp_card::ocard::crypto::EccType;
use openpgp_card::ocard::data::{
    ApplicationRelatedData, Fingerprint, KeySet, PWStatusBytes, TouchPolicy,
};
use openpgp_card::ocard::{KeyType, Transaction};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long it may be ours without a gap. gpg asks for the card several times in a row.
const OURS: Duration = Duration::from_secs(3);

/// A slot.
struct Place {
    /// The name that gpg's and other tools have for it.
    id: &'static str,
    /// What it is for.
    name: &'static str,
    key: KeyType,
}

const PLACES: [Place; 2] = [
    Place {
        id: "sig",
        name: "signature",
        key: KeyType::Signing,
    },
    Place {
        id: "aut",
        name: "authentication",
        key: KeyType::Authentication,
    },
];

impl Place {
    fn named(slot: &str) -> Result<&'static Place, Failure> {
        let found = PLACES.iter().find(|place| place.id == slot);
        found.ok_or_else(|| {
            Failure::other(format!(
                "{slot} is no slot of an OpenPGP card: take sig or aut"
            ))
        })
    }

    /// What a card says of its three keys, for this one.
    fn of<'a, T>(&self, all: &'a KeySet<T>) -> Option<&'a T> {
        match self.key {
            KeyType::Signing => all.signature(),
            _ => all.authentication(),
        }
    }
}

/// A card, chosen by its serial number.
pub struct OpenPgp {
    wanted: ident::Ident,
    opened: Option<Opened>,
    pace: Pace,
    pin: Option<Zeroizing<String>>,
}

impl OpenPgp {
    /// The card with this serial number.
    ///
    /// # Errors
    /// If it is not there, or `serial` is none.
    pub fn open(serial: &str) -> Result<OpenPgp, Failure> {
        let wanted = ident::Ident::parse(serial).ok_or_else(|| {
            Failure::other(format!(
                "{serial} is no serial number of an OpenPGP card: take MANUFACTURER:SERIAL, as `nkey openpgp list` shows it"
            ))
        })?;
        let mut card = OpenPgp {
            wanted,
            opened: None,
            pace: Pace::new(OURS),
            pin: None,
        };
        card.with(|_| Ok(()))?;
        Ok(card)
    }

    /// Runs `work` in one transaction. A card that was lost is looked for once.
    fn with<T>(
        &mut self,
        work: impl Fn(&mut Session<'_>) -> Result<T, Fail>,
    ) -> Result<T, Failure> {
        let mut last = Failure::new(Fault::Absent, "the card is not there");
        for _ in 0..2 {
            match self.attempt(&work) {
                Ok(done) => return Ok(done),
                Err(Fail::Told(failure)) => return Err(failure),
                Err(Fail::Lost(failure)) => last = failure,
            }
        }
        Err(last)
    }

    /// As [`OpenPgp::with`], for what must not be tried twice: a PIN that may be wrong.
    fn once<T>(
        &mut self,
        work: impl Fn(&mut Session<'_>) -> Result<T, Fail>,
    ) -> Result<T, Failure> {
        self.with(|_| Ok(()))?;
        self.attempt(&work).map_err(Fail::failure)
    }

    fn attempt<T>(
        &mut self,
        work: &impl Fn(&mut Session<'_>) -> Result<T, Fail>,
    ) -> Result<T, Fail> {
        let mut opened = match self.opened.take() {
            Some(opened) => opened,
            None => open::find(&self.wanted)?,
        };
        let trace = opened.trace.clone();
        self.pace.begin();
        // The crate trusts what a card says of itself here and there.
        let result = catch_unwind(AssertUnwindSafe(|| {
            let card = opened.card.transaction();
            let mut session = Session {
                card: card.map_err(|error| open::explain(&opened.trace, error))?,
                known: &opened.known,
                trace: &opened.trace,
            };
            work(&mut session)
        }));
        self.pace.end();
        match result {
            Ok(Err(Fail::Lost(failure))) => Err(Fail::Lost(failure)),
            Ok(done) => {
                self.opened = Some(opened);
                done
            }
            Err(_) => {
                trace.seen().fail = None;
                Err(Failure::other("what it says of itself does not have its form").into())
            }
        }
    }
}

/// A transaction with a card.
struct Session<'a> {
    card: Transaction<'a>,
    known: &'a Known,
    trace: &'a backend::Trace,
}

impl Session<'_> {
    /// The result of a call, its errors explained.
    fn done<T>(&self, result: Result<T, openpgp_card::Error>) -> Result<T, Fail> {
        result.map_err(|error| open::explain(self.trace, error))
    }

    fn data(&mut self) -> Result<ApplicationRelatedData, Fail> {
        let data = self.card.application_related_data();
        let data = self.done(data)?;
        self.known.see(&data);
        Ok(data)
    }

    fn tries(&mut self) -> Result<PWStatusBytes, Fail> {
        let data = self.data()?;
        self.done(data.pw_status_bytes())
    }

    /// Gives the PIN for what a slot does.
    fn verify(&mut self, key: KeyType, pin: &str) -> Result<(), Fail> {
        let given = pin::bytes(pin::Kind::User, pin, self.known)?;
        let result = match key {
            KeyType::Signing => self.card.verify_pw1_sign(given),
            _ => self.card.verify_pw1_user(given),
        };
        self.pin_taken(pin::Kind::User, result)
    }

    fn pin_taken(
        &mut self,
        kind: pin::Kind,
        result: Result<(), openpgp_card::Error>,
    ) -> Result<(), Fail> {
        let Err(openpgp_card::Error::CardStatus(_)) = result else {
            return self.done(result);
        };
        let status = self.trace.seen().status;
        let tries = self.tries().ok().map(|tries| match kind {
            pin::Kind::User => tries.err_count_pw1(),
            pin::Kind::Admin => tries.err_count_pw3(),
        });
        Err(pin::refused(kind, status, tries).into())
    }

    /// What a slot holds, if anything.
    fn held(&mut self, place: &Place, data: &ApplicationRelatedData) -> Result<Option<Held>, Fail> {
        let material = match self.card.public_key(place.key) {
            // It has none.
            Err(openpgp_card::Error::CardStatus(_)) => return Ok(None),
            material => self.done(material)?,
        };
        let algorithm = self.done(data.algorithm_attributes(place.key))?;
        let public = is_ed25519(&algorithm).then(|| fingerprint::ed25519(&material));
        let touch = match place.key {
            KeyType::Signing => data.uif_pso_cds(),
            _ => data.uif_pso_aut(),
        };
        let touch = touch_name(touch.ok().flatten().map(|flag| flag.touch_policy()));
        let created = data.key_generation_times().ok();
        let created = created.and_then(|times| place.of(&times).map(|time| time.get()));
        let found = data.fingerprints().ok();
        let found = found.and_then(|found| place.of(&found).map(shown));
        Ok(Some(Held {
            slot: Slot {
                id: place.id.to_owned(),
                label: format!("{}, touch {touch}", place.name),
                trouble: match public {
                    Some(Some(_)) => None,
                    Some(None) => Some("it does not show its public key".to_owned()),
                    None => Some(format!("its key is not one of Ed25519, but {algorithm}")),
                },
                key: public.flatten(),
            },
            fingerprint: found.unwrap_or_default(),
            created: created.unwrap_or(0),
            touch,
        }))
    }

    /// What all slots hold.
    fn keys(&mut self) -> Result<Vec<Held>, Fail> {
        let data = self.data()?;
        let mut keys = Vec::new();
        for place in &PLACES {
            keys.extend(self.held(place, &data)?);
        }
        Ok(keys)
    }

    fn facts(&mut self) -> Result<(Facts, PWStatusBytes), Fail> {
        let tries = self.tries()?;
        let known = self.known;
        let facts = Facts {
            label: known.label(),
            serial: known.identifier.ident(),
            policy: "PIN; touch by slot".to_owned(),
            limit: u32::try_from(known.limit).unwrap_or(u32::MAX),
            needs_pin: true,
            pad: false,
            tries: match tries.err_count_pw1() {
                left @ 0..3 => card::left(pin::Kind::User.name(), left),
                _ => String::new(),
            },
        };
        Ok((facts, tries))
    }
}

/// As gpg shows it.
fn shown(fingerprint: &Fingerprint) -> String {
    fingerprint.to_hex().to_ascii_uppercase()
}

fn is_ed25519(algorithm: &AlgorithmAttributes) -> bool {
    matches!(algorithm, AlgorithmAttributes::Ecc(curve)
        if curve.ecc_type() == EccType::EdDSA && *curve.curve() == Curve::Ed25519)
}

fn touch_name(policy: Option<TouchPolicy>) -> String {
    match policy {
        None | Some(TouchPolicy::Off) => "off".to_owned(),
        Some(TouchPolicy::On) => "on".to_owned(),
        Some(TouchPolicy::Fixed) => "on (fixed)".to_owned(),
        Some(TouchPolicy::Cached) => "cached".to_owned(),
        Some(TouchPolicy::CachedFixed) => "cached (fixed)".to_owned(),
        Some(TouchPolicy::Unknown(byte)) => format!("unknown ({byte})"),
    }
}

/// Why a signature was refused.
fn unsigned(slot: &str, length: usize, status: u16) -> Failure {
    Failure::other(match status {
        // 6600 is what the specification reserves for the button.
        0x6982 | 0x6600 => "touch not given: it was not touched in time".to_owned(),
        0x6a88 | 0x6a83 => format!("slot {slot} has no key any more (SW {status:04X})"),
        0x6a84 | 0x6700 => format!(
            "it does not sign {length} bytes (SW {status:04X}): `limit` in the configuration names less"
        ),
        _ => format!("it does not sign (SW {status:04X})"),
    })
}

impl Device for OpenPgp {
    fn facts(&mut self) -> Result<Facts, Failure> {
        self.with(|session| Ok(session.facts()?.0))
    }

    fn slots(&mut self) -> Result<Vec<Slot>, Failure> {
        let keys = self.with(|session| session.keys())?;
        Ok(keys.into_iter().map(|held| held.slot).collect())
    }

    fn login(&mut self, pin: &str) -> Result<(), Failure> {
        self.pin = None;
        // How it wants its PIN may have changed.
        self.opened = None;
        self.once(|session| session.verify(KeyType::Authentication, pin))?;
        self.pin = Some(Zeroizing::new(pin.to_owned()));
        Ok(())
    }

    fn touch(&mut self, slot: &str) -> Result<Touch, Failure> {
        let key = Place::named(slot)?.key;
        // Other software may have changed it.
        let is_fresh = |opened: &Opened| opened.known.is_fresh();
        if !self.opened.as_ref().is_some_and(is_fresh) {
            self.with(|session| session.data().map(drop))?;
        }
        let opened = self.opened.as_ref();
        Ok(opened.map_or(Touch::Never, |opened| opened.known.touch(key)))
    }

    fn sign(&mut self, slot: &str, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let key = Place::named(slot)?.key;
        let pin = self.pin.clone();
        let pin = pin.ok_or_else(|| Failure::new(Fault::NeedsPin, "it needs its PIN first"))?;
        let signed = self.with(|session| {
            session.verify(key, &pin)?;
            let signed = match key {
                KeyType::Signing => session.card.pso_compute_digital_signature(message.to_vec()),
                _ => session.card.internal_authenticate(message.to_vec()),
            };
            if let Err(openpgp_card::Error::CardStatus(_)) = signed {
                let status = session.trace.seen().status;
                return Err(unsigned(slot, message.len(), status).into());
            }
            session.done(signed)
        });
        if let Err(failure) = &signed
            && matches!(failure.fault, Fault::WrongPin | Fault::Blocked)
        {
            self.pin = None;
        }
        signed
    }

    fn generate(&mut self, _: &str, _: nkey_core::nkey::Kind) -> Result<Slot, Failure> {
        Err(Failure::other(
            "make the key with `nkey openpgp generate`, which asks for the admin PIN, then name it with -k or -K",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::unsigned;

    #[test]
    fn a_refused_length_is_named() {
        for status in [0x6a84, 0x6700] {
            let said = unsigned("sig", 1025, status).text;
            assert!(said.contains("1025 bytes") && said.contains(&format!("{status:04X}")));
        }
        for status in 0..=u16::MAX {
            let said = unsigned("sig", 1, status).text;
            let named = said.contains(&format!("SW {status:04X}"));
            assert!(named || said.contains("touch not given"), "{said}");
        }
        assert!(unsigned("sig", 1, 0x6982).text.contains("touch not given"));
        assert!(unsigned("sig", 1, 0x6600).text.contains("touch not given"));
        assert!(unsigned("aut", 1, 0x6a88).text.contains("no key any more"));
        assert!(unsigned("aut", 1, 0x6f00).text.contains("6F00"));
    }
}
