//! A token of a PKCS#11 module.

mod fault;
mod point;

use crate::serve::Device;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot as Place, TokenInfo};
use cryptoki::types::AuthPin;
use fault::{failure, is_lost};
use nkey_agent::device::{Facts, Failure, Fault, Slot};
use nkey_agent::message::MAX_SIGNING_INPUT;
use nkey_agent::uri::Uri;
use nkey_core::nkey::Kind;
use std::collections::HashMap;
use zeroize::Zeroizing;

/// Most keys that are listed.
const MAX_KEYS: usize = 1024;

/// What tokens sign at most, by manufacturer; from their documentation, but for SoftHSM.
const LIMITS: [(&str, usize); 4] = [
    ("SoftHSM", MAX_SIGNING_INPUT),
    ("Yubico", 2047),
    ("Cavium", 16_000),
    ("Marvell", 16_000),
];
/// What an unknown one is taken to sign.
const UNKNOWN: usize = 16_000;

/// A token, and its session once there is one.
pub struct Token {
    module: Pkcs11,
    place: Place,
    session: Option<Session>,
    pin: Option<Zeroizing<String>>,
    keys: HashMap<String, ObjectHandle>,
}

impl Token {
    /// Loads a module and finds the token that `wanted` names.
    ///
    /// # Errors
    /// If there is no such module or token, or it cannot sign with Ed25519 keys.
    pub fn open(module: &str, wanted: &str) -> Result<Token, Failure> {
        let loaded = Pkcs11::new(module)
            .map_err(|error| Failure::other(format!("the module {module}: {error}")))?;
        match loaded.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => {
                return Err(Failure::other(format!(
                    "the module {module} does not start: {error}"
                )));
            }
        }
        let place = find(&loaded, wanted)?;
        let mechanisms = loaded.get_mechanism_list(place).map_err(failure)?;
        if !mechanisms.contains(&MechanismType::EDDSA) {
            let info = loaded.get_token_info(place).map_err(failure)?;
            return Err(Failure::other(format!(
                "the token {} ({}) does not list CKM_EDDSA: it cannot sign with Ed25519 keys",
                info.label(),
                info.model()
            )));
        }
        Ok(Token {
            module: loaded,
            place,
            session: None,
            pin: None,
            keys: HashMap::new(),
        })
    }

    fn info(&self) -> Result<TokenInfo, Failure> {
        self.module.get_token_info(self.place).map_err(failure)
    }

    fn session(&mut self) -> Result<&Session, Failure> {
        if self.session.is_none() {
            let session = self.module.open_rw_session(self.place);
            let session = match session {
                Err(Error::Pkcs11(RvError::TokenWriteProtected, _)) => {
                    self.module.open_ro_session(self.place)
                }
                session => session,
            };
            let session = session.map_err(failure)?;
            if let Some(pin) = &self.pin {
                login(&session, pin)?;
            }
            self.session = Some(session);
        }
        self.session
            .as_ref()
            .ok_or_else(|| Failure::other("it opens no session"))
    }

    /// Forgets a session that is lost; the next request opens one and logs in again.
    fn reset(&mut self) {
        self.session = None;
        self.keys.clear();
    }

    /// Does `work`, and once more in a new session if the first one is lost.
    fn with<T>(&mut self, work: impl Fn(&mut Token) -> Result<T, Fail>) -> Result<T, Failure> {
        let again = match work(self) {
            Err(Fail::Lost(_)) => {
                self.reset();
                work(self)
            }
            done => done,
        };
        again.map_err(|fail| {
            // Whatever the session was doing, the next request must not find it half done.
            self.reset();
            match fail {
                Fail::Lost(failure) | Fail::Told(failure) => failure,
            }
        })
    }

    fn private(&mut self, slot: &str) -> Result<ObjectHandle, Fail> {
        if let Some(key) = self.keys.get(slot) {
            return Ok(*key);
        }
        let mut template = vec![
            Attribute::Class(ObjectClass::PRIVATE_KEY),
            Attribute::KeyType(KeyType::EC_EDWARDS),
        ];
        template.push(named(slot)?);
        let found = self.session()?.find_objects(&template)?;
        match found[..] {
            [key] => {
                self.keys.insert(slot.to_owned(), key);
                Ok(key)
            }
            [] if self.pin.is_none() => Err(Failure::new(
                Fault::NeedsPin,
                format!("{slot} is not seen without the PIN"),
            )
            .into()),
            [] => Err(Failure::other(format!("it has no private key {slot} any more")).into()),
            _ => Err(Failure::other(format!(
                "it has {} private keys {slot}: give each an id of its own",
                found.len()
            ))
            .into()),
        }
    }

    fn listed(&mut self) -> Result<Vec<Slot>, Fail> {
        let session = self.session()?;
        let mut slots: Vec<Slot> = Vec::new();
        for class in [ObjectClass::PUBLIC_KEY, ObjectClass::PRIVATE_KEY] {
            let template = [
                Attribute::Class(class),
                Attribute::KeyType(KeyType::EC_EDWARDS),
            ];
            for object in session.find_objects(&template)?.into_iter().take(MAX_KEYS) {
                let found = describe(session, object)?;
                match slots.iter_mut().find(|slot| slot.id == found.id) {
                    // The private half may show what the public one does not.
                    Some(slot) => {
                        slot.key = slot.key.or(found.key);
                        slot.trouble = slot.trouble.take().or(found.trouble);
                    }
                    None => slots.push(found),
                }
            }
        }
        Ok(slots)
    }

    fn made(&mut self, label: &str) -> Result<Slot, Fail> {
        let session = self.session()?;
        let mut id = [0; 8];
        session.generate_random_slice(&mut id)?;
        let (id, label) = (id.to_vec(), label.as_bytes().to_vec());
        let public = [
            Attribute::Token(true),
            Attribute::Verify(true),
            Attribute::EcParams(point::EDWARDS25519.to_vec()),
            Attribute::Id(id.clone()),
            Attribute::Label(label.clone()),
        ];
        let private = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            Attribute::Id(id),
            Attribute::Label(label),
        ];
        let (public, _) =
            session.generate_key_pair(&Mechanism::EccEdwardsKeyPairGen, &public, &private)?;
        describe(session, public)
    }
}

/// Why a piece of work failed: whether in a session that is lost.
enum Fail {
    Lost(Failure),
    Told(Failure),
}

impl From<Failure> for Fail {
    fn from(failure: Failure) -> Fail {
        Fail::Told(failure)
    }
}

impl From<Error> for Fail {
    fn from(error: Error) -> Fail {
        if is_lost(&error) {
            Fail::Lost(failure(error))
        } else {
            Fail::Told(failure(error))
        }
    }
}

impl Device for Token {
    fn facts(&mut self) -> Result<Facts, Failure> {
        let info = self.info()?;
        let maker = info.manufacturer_id();
        let known = LIMITS.iter().find(|(name, _)| maker.starts_with(name));
        let limit = known.map_or(UNKNOWN, |(_, limit)| *limit);
        let needs_pin = info.login_required();
        let tries = if info.user_pin_locked() {
            "its PIN is blocked"
        } else if info.user_pin_final_try() {
            "one try is left"
        } else if info.user_pin_count_low() {
            "a wrong PIN was given"
        } else {
            ""
        };
        Ok(Facts {
            label: info.label().to_owned(),
            serial: info.serial_number().to_owned(),
            policy: if needs_pin { "PIN once" } else { "none" }.to_owned(),
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
            needs_pin,
            pad: info.protected_authentication_path(),
            tries: tries.to_owned(),
        })
    }

    fn slots(&mut self) -> Result<Vec<Slot>, Failure> {
        self.with(Token::listed)
    }

    fn login(&mut self, pin: &str) -> Result<(), Failure> {
        let info = self.info()?;
        if info.user_pin_locked() {
            return Err(Failure::new(
                Fault::Blocked,
                "its PIN is blocked: its SO PIN sets a new one",
            ));
        }
        self.pin = None;
        let pin = Zeroizing::new(pin.to_owned());
        let result = login(self.session()?, &pin);
        match result {
            Ok(()) => {
                self.pin = Some(pin);
                Ok(())
            }
            Err(wrong) if wrong.fault == Fault::WrongPin => {
                let tries = self.facts().map(|facts| facts.tries).unwrap_or_default();
                let tries = if tries.is_empty() {
                    tries
                } else {
                    format!("; {tries}")
                };
                Err(Failure::new(
                    Fault::WrongPin,
                    format!("the PIN is wrong{tries}"),
                ))
            }
            Err(other) => Err(other),
        }
    }

    fn sign(&mut self, slot: &str, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let pure = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
        self.with(|token| {
            let key = token.private(slot)?;
            Ok(token.session()?.sign(&pure, key, message)?)
        })
        .map_err(|mut failure| {
            if failure.text.contains("CKR_DATA_LEN_RANGE") {
                failure.text = format!(
                    "it does not sign {} bytes: `limit` in the configuration names less",
                    message.len()
                );
            }
            failure
        })
    }

    fn generate(&mut self, label: &str, _: Kind) -> Result<Slot, Failure> {
        self.with(|token| token.made(label))
    }
}

fn login(session: &Session, pin: &str) -> Result<(), Failure> {
    // No PIN: it is typed at the device.
    let given = (!pin.is_empty()).then(|| AuthPin::from(pin));
    match session.login(UserType::User, given.as_ref()) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(error) => Err(failure(error)),
    }
}

fn find(module: &Pkcs11, wanted: &str) -> Result<Place, Failure> {
    let uri = Uri::parse(wanted).map_err(Failure::other)?;
    let mut tokens = Vec::new();
    for place in module.get_slots_with_token().map_err(failure)? {
        // One reader that fails must not hide the others.
        if let Ok(info) = module.get_token_info(place)
            && info.token_initialized()
        {
            tokens.push((place, info));
        }
    }
    let fits = |info: &TokenInfo| match &uri {
        Some(uri) => uri.fits_token(
            info.label(),
            info.serial_number(),
            info.manufacturer_id(),
            info.model(),
        ),
        None => wanted.is_empty() || info.label() == wanted || info.serial_number() == wanted,
    };
    let named: Vec<&(Place, TokenInfo)> = tokens.iter().filter(|(_, info)| fits(info)).collect();
    match named[..] {
        [(place, _)] => Ok(*place),
        [] => {
            let names: Vec<&str> = tokens.iter().map(|(_, info)| info.label()).collect();
            let there = match names.len() {
                0 => "the module has no token".to_owned(),
                _ => format!("its tokens are {}", names.join(", ")),
            };
            let wanted = if wanted.is_empty() {
                "there is no token"
            } else {
                wanted
            };
            Err(Failure::new(
                Fault::Absent,
                format!("{wanted} is not there: {there}"),
            ))
        }
        _ => Err(Failure::other(format!(
            "{} tokens fit: name one by label, serial number or URI (`token` in the configuration)",
            named.len()
        ))),
    }
}

fn describe(session: &Session, object: ObjectHandle) -> Result<Slot, Fail> {
    let wanted = [
        AttributeType::Id,
        AttributeType::Label,
        AttributeType::EcPoint,
        AttributeType::AlwaysAuthenticate,
    ];
    let (mut id, mut label, mut encoded, mut always) = (Vec::new(), Vec::new(), Vec::new(), false);
    for attribute in session.get_attributes(object, &wanted)? {
        match attribute {
            Attribute::Id(value) => id = value,
            Attribute::Label(value) => label = value,
            Attribute::EcPoint(value) => encoded = value,
            Attribute::AlwaysAuthenticate(value) => always = value,
            _ => {}
        }
    }
    let key = point::read(&encoded);
    let label = String::from_utf8_lossy(&label).into_owned();
    let trouble = if always {
        Some("it asks for the PIN before each signature (CKA_ALWAYS_AUTHENTICATE)")
    } else if key.is_none() && !encoded.is_empty() {
        Some("its public key is not one of Ed25519")
    } else if id.is_empty() && label.is_empty() {
        Some("it has neither an id nor a label")
    } else {
        None
    };
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Slot {
        id: if id.is_empty() {
            format!("label:{label}")
        } else {
            format!("id:{hex}")
        },
        label,
        key,
        trouble: trouble.map(str::to_owned),
    })
}

/// The attribute that a slot's id stands for.
fn named(slot: &str) -> Result<Attribute, Failure> {
    if let Some(label) = slot.strip_prefix("label:") {
        return Ok(Attribute::Label(label.as_bytes().to_vec()));
    }
    let bytes = slot.strip_prefix("id:").and_then(|hex| {
        let pairs = hex.as_bytes().chunks(2);
        pairs
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect::<Option<Vec<u8>>>()
    });
    bytes
        .map(Attribute::Id)
        .ok_or_else(|| Failure::other(format!("{slot} is no slot of it")))
}
