//! The PIV applet.

use super::attestation::Attestor;
use super::der::{find, tlv};
use super::management::Management;
use super::{Answer, said};
use nkey_core::nkey::{KeyPair, Kind, Seed};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PIN: &[u8; 8] = b"123456\xff\xff";
const PUK: &[u8; 8] = b"12345678";
/// How long a touch counts where it is cached.
const CACHED: Duration = Duration::from_secs(15);
/// The object that only the PIN shows.
const PRINTED: u32 = 0x005f_c109;
const DISCOVERY: u32 = 0x7e;
const ATTESTATION: u32 = 0x005f_ff01;

/// A PIN or PUK.
struct Code {
    value: [u8; 8],
    default: [u8; 8],
    left: u8,
    most: u8,
}

impl Code {
    fn new(default: &[u8; 8]) -> Code {
        Code {
            value: *default,
            default: *default,
            left: 3,
            most: 3,
        }
    }

    fn check(&mut self, given: &[u8]) -> u16 {
        if self.left == 0 {
            return 0x6983;
        }
        if given == self.value {
            self.left = self.most;
            return 0x9000;
        }
        self.left -= 1;
        match self.left {
            0 => 0x6983,
            left => 0x63c0 | u16::from(left),
        }
    }

    fn set(&mut self, value: &[u8]) -> u16 {
        let Ok(value) = value.try_into() else {
            return 0x6a80;
        };
        self.value = value;
        self.left = self.most;
        0x9000
    }

    fn metadata(&self) -> Vec<u8> {
        let is_default = u8::from(self.value == self.default);
        vec![1, 1, 0xff, 5, 1, is_default, 6, 2, self.most, self.left]
    }
}

enum Key {
    Ed25519(KeyPair),
    /// Kept for what it shows; this card signs with Ed25519 only.
    P256(Vec<u8>),
}

struct Place {
    key: Key,
    pin: u8,
    touch: u8,
    imported: bool,
}

/// The applet's state.
pub struct Applet {
    serial: u32,
    version: [u8; 3],
    /// Says before each signature what to do.
    orders: PathBuf,
    attestor: Option<Attestor>,
    places: BTreeMap<u8, Place>,
    objects: BTreeMap<u32, Vec<u8>>,
    pin: Code,
    puk: Code,
    management: Management,
    verified: bool,
    /// The PIN was given in the command before.
    fresh: bool,
    touched: Option<Instant>,
}

impl Applet {
    pub fn new(
        serial: u32,
        version: [u8; 3],
        orders: PathBuf,
        attestors: Option<&Path>,
        slots: &[(u8, u8)],
    ) -> Applet {
        let attestor = attestors.map(Attestor::read);
        let place = |slot: u8, byte: u8| Place {
            key: Key::Ed25519(pair(&[byte; 32])),
            pin: if (0x82..=0x95).contains(&slot) { 2 } else { 3 },
            touch: 1,
            imported: false,
        };
        let mut objects = BTreeMap::new();
        if let Some(attestor) = &attestor {
            let certificate = tlv(0x70, &[&attestor.certificate]);
            objects.insert(
                ATTESTATION,
                [&certificate[..], &[0x71, 1, 0, 0xfe, 0]].concat(),
            );
        }
        Applet {
            serial,
            version,
            orders,
            attestor,
            places: slots
                .iter()
                .map(|(slot, byte)| (*slot, place(*slot, *byte)))
                .collect(),
            objects,
            pin: Code::new(PIN),
            puk: Code::new(PUK),
            management: Management::new(),
            verified: false,
            fresh: false,
            touched: None,
        }
    }

    pub fn firmware(&self) -> String {
        let [major, minor, patch] = self.version;
        format!("{major}.{minor}.{patch}")
    }

    pub fn forget(&mut self) {
        (self.verified, self.fresh) = (false, false);
        self.management.authenticated = false;
    }

    /// What the management applet says of the device: PIV over USB, a keychain with USB-A.
    pub fn device(&self) -> Vec<u8> {
        let body = [
            tlv(1, &[&[0, 0x10]]),
            tlv(2, &[&self.serial.to_be_bytes()]),
            tlv(3, &[&[0, 0x10]]),
            tlv(4, &[&[1]]),
            tlv(5, &[&self.version]),
        ]
        .concat();
        let length = u8::try_from(body.len()).expect("a short body");
        [&[length], &body[..]].concat()
    }

    /// What the test says that the card shall do.
    pub fn order(&self) -> String {
        let text = std::fs::read_to_string(&self.orders).unwrap_or_default();
        text.trim().to_owned()
    }

    pub fn command(&mut self, [ins, p1, p2]: [u8; 3], data: &[u8]) -> Option<Answer> {
        let fresh = std::mem::take(&mut self.fresh);
        match (ins, p1, p2) {
            (0xfd, 0, 0) => Some((0x9000, self.version.to_vec())),
            (0xf8, 0, 0) => Some((0x9000, self.serial.to_be_bytes().to_vec())),
            (0x20, 0xff, 0x80) => {
                self.verified = false;
                said(0x9000)
            }
            (0x20, 0, 0x80) => said(self.verify(data)),
            (0x24, 0, 0x80 | 0x81) => said(self.change(p2, data)),
            (0x2c, 0, 0x80) => said(self.unblock(data)),
            (0xf7, 0, _) if self.order() == "damaged" => {
                Some((0x9000, vec![1, 0x7f, 4, 0x82, 0xff]))
            }
            (0xf7, 0, _) => match self.metadata(p2) {
                Some(metadata) => Some((0x9000, metadata)),
                None => said(0x6a88),
            },
            (0x87, _, 0x9b) => self.management.answer(p1, data),
            (0x87, 0xe0, slot) => self.sign(slot, data, fresh),
            (0xcb, 0x3f, 0xff) => self.get(data),
            (0xf9, slot, 0) => self.attest(slot),
            (0xfb, 0, 0) => said(self.reset()),
            (0x47 | 0xdb | 0xf6 | 0xfa | 0xfe | 0xff, ..) if !self.management.authenticated => {
                said(0x6982)
            }
            (0x47, 0, slot) => self.generate(slot, data),
            (0xdb, 0x3f, 0xff) => said(self.put(data)),
            (0xf6, 0xff, slot) => said(match self.places.remove(&slot) {
                Some(_) => 0x9000,
                None => 0x6a88,
            }),
            (0xfa, pin, puk) if self.verified && pin > 0 && puk > 0 => {
                (self.pin, self.puk) = (Code::new(PIN), Code::new(PUK));
                (self.pin.left, self.pin.most) = (pin, pin);
                (self.puk.left, self.puk.most) = (puk, puk);
                said(0x9000)
            }
            (0xfe, 0xe0, slot) => said(self.import(slot, data)),
            (0xff, 0xff, 0xff) if self.order() == "keep-key" => said(0x6a80),
            (0xff, 0xff, 0xfe | 0xff) => said(self.management.set(data)),
            _ => said(0x6d00),
        }
    }

    fn verify(&mut self, pin: &[u8]) -> u16 {
        if pin.is_empty() {
            return match (self.verified, self.pin.left) {
                (true, _) => 0x9000,
                (false, 0) => 0x6983,
                (false, left) => 0x63c0 | u16::from(left),
            };
        }
        if let Some(word) = self.order().strip_prefix("pin ") {
            return u16::from_str_radix(word, 16).unwrap_or(0x6f00);
        }
        let status = self.pin.check(pin);
        self.verified = status == 0x9000;
        self.fresh = self.verified;
        status
    }

    fn change(&mut self, which: u8, data: &[u8]) -> u16 {
        let Some((old, new)) = data.split_at_checked(8) else {
            return 0x6a80;
        };
        let code = match which {
            0x80 => &mut self.pin,
            _ => &mut self.puk,
        };
        match code.check(old) {
            0x9000 => code.set(new),
            status => status,
        }
    }

    fn unblock(&mut self, data: &[u8]) -> u16 {
        let Some((puk, new)) = data.split_at_checked(8) else {
            return 0x6a80;
        };
        match self.puk.check(puk) {
            0x9000 => self.pin.set(new),
            status => status,
        }
    }

    fn reset(&mut self) -> u16 {
        if self.pin.left > 0 || self.puk.left > 0 {
            return 0x6985;
        }
        let attestation = self.objects.remove(&ATTESTATION);
        self.places.clear();
        self.objects = attestation
            .map(|object| (ATTESTATION, object))
            .into_iter()
            .collect();
        (self.pin, self.puk) = (Code::new(PIN), Code::new(PUK));
        self.management = Management::new();
        self.forget();
        0x9000
    }

    fn metadata(&self, of: u8) -> Option<Vec<u8>> {
        match of {
            0x80 => return Some(self.pin.metadata()),
            0x81 => return Some(self.puk.metadata()),
            0x9b => return Some(self.management.metadata()),
            _ => {}
        }
        let place = self.places.get(&of)?;
        let (algorithm, key) = match &place.key {
            Key::Ed25519(pair) => (0xe0, pair.public_key().as_bytes().to_vec()),
            Key::P256(point) => (0x11, point.clone()),
        };
        let origin = if place.imported { 2 } else { 1 };
        let head = [1, 1, algorithm, 2, 2, place.pin, place.touch, 3, 1, origin];
        Some([&head[..], &tlv(4, &[&tlv(0x86, &[&key])])].concat())
    }

    fn attest(&self, slot: u8) -> Option<Answer> {
        match (self.places.get(&slot), &self.attestor) {
            (Some(place), Some(attestor)) if !place.imported => {
                let Key::Ed25519(pair) = &place.key else {
                    return said(0x6a80);
                };
                let mut key = *pair.public_key().as_bytes();
                if self.order() == "attest-another" {
                    key = *super::applet::pair(&[0x77; 32]).public_key().as_bytes();
                }
                let policy = [place.pin, place.touch];
                let certificate = attestor.attest(slot, &key, self.serial, self.version, policy);
                Some((0x9000, certificate))
            }
            _ => said(0x6a80),
        }
    }

    fn generate(&mut self, slot: u8, data: &[u8]) -> Option<Answer> {
        let Some(inner) = find(data, 0xac) else {
            return said(0x6a80);
        };
        let (key, public) = match find(inner, 0x80) {
            Some([0xe0]) => {
                let seed = Seed::generate(Kind::User, getrandom::fill).ok()?;
                let pair = KeyPair::from_seed(&seed).ok()?;
                let public = pair.public_key().as_bytes().to_vec();
                (Key::Ed25519(pair), public)
            }
            Some([0x11]) => {
                let random = SystemRandom::new();
                let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
                let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).ok()?;
                let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).ok()?;
                let point = pair.public_key().as_ref().to_vec();
                (Key::P256(point.clone()), point)
            }
            _ => return said(0x6a80),
        };
        self.place(slot, key, inner, false);
        let template = tlv(0x49, &[&tlv(0x86, &[&public])]);
        Some((0x9000, [&[0x7f], &template[..]].concat()))
    }

    fn import(&mut self, slot: u8, data: &[u8]) -> u16 {
        let Some(seed) = find(data, 7).and_then(|seed| seed.try_into().ok()) else {
            return 0x6a80;
        };
        self.place(slot, Key::Ed25519(pair(seed)), data, true);
        0x9000
    }

    fn place(&mut self, slot: u8, key: Key, data: &[u8], imported: bool) {
        let policy = |tag, default| match find(data, tag) {
            Some([value]) => *value,
            _ => default,
        };
        let place = Place {
            key,
            pin: policy(0xaa, if slot == 0x9c { 3 } else { 2 }),
            touch: policy(0xab, 1),
            imported,
        };
        self.places.insert(slot, place);
    }

    fn get(&self, data: &[u8]) -> Option<Answer> {
        let Some(id) = find(data, 0x5c).map(number) else {
            return said(0x6a80);
        };
        if id == DISCOVERY {
            let object =
                b"\x7e\x12\x4f\x0b\xa0\x00\x00\x03\x08\x00\x00\x10\x00\x01\x00\x5f\x2f\x02\x40\x00";
            return Some((0x9000, object.to_vec()));
        }
        if id == PRINTED && !self.verified {
            return said(0x6982);
        }
        match self.objects.get(&id) {
            Some(object) => Some((0x9000, tlv(0x53, &[object]))),
            None => said(0x6a82),
        }
    }

    fn put(&mut self, data: &[u8]) -> u16 {
        let (Some(id), Some(object)) = (find(data, 0x5c).map(number), find(data, 0x53)) else {
            return 0x6a80;
        };
        if id == PRINTED && self.order() == "lose-object" {
            return 0x9000;
        }
        if object.is_empty() {
            self.objects.remove(&id);
        } else {
            self.objects.insert(id, object.to_vec());
        }
        0x9000
    }

    /// Waits for the finger, if the slot wants one; whether it came.
    fn touch(&mut self, policy: u8, order: &str) -> bool {
        let is_cached = self.touched.is_some_and(|at| at.elapsed() < CACHED);
        if policy == 1 || (policy == 3 && is_cached) {
            return true;
        }
        if order == "wait" {
            let started = Instant::now();
            while self.order() == "wait" {
                if started.elapsed() > CACHED {
                    return false;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        self.touched = Some(Instant::now());
        self.order() != "untouched"
    }

    fn sign(&mut self, slot: u8, data: &[u8], fresh: bool) -> Option<Answer> {
        let order = self.order();
        let Some(place) = self.places.get(&slot) else {
            return said(0x6a80);
        };
        let allowed = match place.pin {
            1 => true,
            2 => self.verified,
            _ => fresh,
        };
        let touch = place.touch;
        if !allowed || order == "untouched" || !self.touch(touch, &order) {
            return said(0x6982);
        }
        let (Some(Key::Ed25519(pair)), Some(message)) = (
            self.places.get(&slot).map(|place| &place.key),
            find(data, 0x7c).and_then(|inner| find(inner, 0x81)),
        ) else {
            return said(0x6a80);
        };
        let signature = match order.as_str() {
            "unplug" => return None,
            "hang" => {
                let begun = Instant::now();
                while self.order() == "hang" && begun.elapsed() < Duration::from_secs(60) {
                    std::thread::sleep(Duration::from_millis(20));
                }
                return said(0x6f00);
            }
            "slow" => {
                std::thread::sleep(Duration::from_millis(50));
                pair.sign(message)
            }
            "empty" => return said(0x9000),
            "endless" => return Some((0x61ff, vec![7; 256])),
            "long" => {
                let long = [pair.sign(message).as_bytes(), &[7][..]].concat();
                return Some((0x9000, tlv(0x7c, &[&tlv(0x82, &[&long])])));
            }
            "prefix" => pair.sign(&message[..message.len().min(32)]),
            "digest" => pair.sign(ring::digest::digest(&ring::digest::SHA512, message).as_ref()),
            "swapped" => super::applet::pair(&[0x77; 32]).sign(message),
            "zeros" => nkey_core::Signature::from_bytes([0; 64]),
            "cut" => {
                let body = tlv(0x7c, &[&tlv(0x82, &[pair.sign(message).as_bytes()])]);
                return Some((0x9000, body[..40].to_vec()));
            }
            word => match u16::from_str_radix(word.trim_start_matches("status "), 16) {
                Ok(status) if word.starts_with("status ") => return said(status),
                _ => pair.sign(message),
            },
        };
        Some((0x9000, tlv(0x7c, &[&tlv(0x82, &[signature.as_bytes()])])))
    }
}

fn pair(seed: &[u8; 32]) -> KeyPair {
    KeyPair::from_seed(&Seed::from_bytes(Kind::User, *seed)).expect("a key")
}

fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}
