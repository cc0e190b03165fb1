//! A token as key holder: keys are made on it, and it reads what it signs.

mod ask;
mod line;
mod say;

use super::{About, Condition, Holder, Record, Slot, config, device_key, failed};
use crate::store::{Person, Prompt, StoreError};
use ask::Ask;
use line::{Line, Trouble};
use nkey_core::Signature;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::{
    Answer, Command, Details, MAX_MESSAGE, NAME_LEN, PIN_LEN, Rows, read_attestation,
};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the names of tokens' stores begin with.
pub const PREFIX: &str = "token:";

/// Where tokens are looked for, and which virtual ones are allowed.
#[derive(Clone, Debug)]
pub struct Roots {
    /// The root of sysfs.
    pub sysfs: PathBuf,
    /// The folder of the ports.
    pub dev: PathBuf,
    /// The serial numbers of virtual tokens that are allowed without a name.
    pub allow_virtual: Vec<String>,
}

impl Roots {
    /// Those of a configuration.
    pub fn of(config: &config::Config) -> Roots {
        let or = |path: &Option<PathBuf>, default: &str| {
            path.clone().unwrap_or_else(|| PathBuf::from(default))
        };
        Roots {
            sysfs: or(&config.sysfs, "/sys"),
            dev: or(&config.dev, "/dev"),
            allow_virtual: config.allow_virtual.clone(),
        }
    }

    /// The serial numbers of the tokens that are plugged in.
    pub fn serials(&self) -> Vec<String> {
        let found = crate::token::find(&self.sysfs, &self.dev);
        let mut serials: Vec<String> = found.into_iter().map(|found| found.serial).collect();
        serials.dedup();
        serials
    }
}

/// A token.
pub struct Board {
    name: String,
    /// The prefix and the serial number, which are its name if the configuration gives none.
    id: String,
    is_named: bool,
    line: Arc<Line>,
}

impl Board {
    /// The token of a serial number.
    pub fn found(serial: &str, roots: &Roots) -> Board {
        let id = format!("{PREFIX}{serial}");
        let allowed = roots.allow_virtual.iter().any(|allowed| allowed == serial);
        Board {
            name: id.clone(),
            line: Arc::new(Line::new(&id, serial, None, roots.clone(), allowed)),
            id,
            is_named: false,
        }
    }

    /// The token that a configuration names.
    pub fn configured(name: &str, config: config::Token, roots: &Roots) -> Board {
        let name = format!("{PREFIX}{name}");
        let serial = &config.serial;
        let allowed =
            config.allow_virtual.as_ref() == Some(serial) || roots.allow_virtual.contains(serial);
        Board {
            line: Arc::new(Line::new(
                &name,
                serial,
                config.port,
                roots.clone(),
                allowed,
            )),
            id: format!("{PREFIX}{serial}"),
            name,
            is_named: true,
        }
    }

    fn failed(&self, what: impl Into<String>) -> StoreError {
        failed(&self.name, what)
    }

    /// The number of a slot.
    fn number(&self, slot: &str) -> Result<u8, StoreError> {
        slot.parse()
            .map_err(|_| self.failed(format!("it has no slot {slot}")))
    }

    /// What the key of a slot is, in words.
    fn slot(number: u8, details: &Details<'_>) -> Slot {
        let kind = Kind::from_prefix(details.kind).ok();
        let mut label = format!(
            "{}: {}, {}",
            super::text(details.name.as_bytes()),
            kind.map_or("unknown kind", Kind::name),
            if details.imported {
                "imported"
            } else {
                "made here"
            }
        );
        if details.exportable {
            label += ", exportable";
        }
        if details.loosened {
            label += ", policy loosened";
        }
        Slot {
            id: number.to_string(),
            label,
            key: Some(details.key),
            trouble: match kind {
                Some(Kind::Operator | Kind::Account | Kind::User) => None,
                _ => Some("a key of this kind signs nothing".to_owned()),
            },
        }
    }

    /// The PIN that a person gives, after what is to be known before.
    fn pin(
        &self,
        pinned: &[[u8; 32]],
        prompt: &mut dyn Prompt,
    ) -> Result<(zeroize::Zeroizing<String>, u8), StoreError> {
        let last = self.line.inquire()?;
        if let Some(why) = last.hopeless() {
            return Err(self.failed(why));
        }
        let device = last.about.device;
        if let Some(other) = pinned.iter().find(|pinned| **pinned != device) {
            prompt.message(&format!(
                "{}: its device key is {}, its enrolled keys were pinned with {}: it was reset, or is another board. Give the PIN only if you know which",
                self.line.shown(), device_key(&device), device_key(other)
            ));
        }
        let tries = match last.tries {
            1 => "one try is left: a wrong PIN loses its keys".to_owned(),
            left => format!("{left} tries are left"),
        };
        let text = format!("PIN of {} ({}; {tries})", self.name, last.shown());
        let pin = prompt.secret(&text).ok_or(StoreError::Cancelled)?;
        if pin.is_empty() {
            return Err(StoreError::Cancelled);
        }
        if !PIN_LEN.contains(&pin.len()) {
            let (least, most) = (PIN_LEN.start(), PIN_LEN.end());
            let what = format!("a PIN has {least} to {most} bytes: none was given to the token");
            return Err(StoreError::WrongPin(self.name.clone(), what));
        }
        Ok((pin, last.tries))
    }

    /// Which key lies in a slot, for people.
    fn swapped(&self, slot: u8, found: Option<&PublicKey>, pinned: &PublicKey) -> StoreError {
        let found = found.map_or("no NKey".to_owned(), PublicKey::to_string);
        self.failed(format!(
            "slot {slot} holds {found}, not the pinned {pinned}: is it another token, or was the key replaced?"
        ))
    }
}

fn key_of(kind: u8, bytes: [u8; 32]) -> Option<PublicKey> {
    let kind = Kind::from_prefix(kind).ok()?;
    Some(PublicKey::from_bytes(kind, bytes))
}

/// Unix seconds of the host.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Cut to what a token takes as a name.
fn cut(label: &str) -> &str {
    let mut end = label.len().min(NAME_LEN);
    while !label.is_char_boundary(end) {
        end -= 1;
    }
    &label[..end]
}

impl Holder for Board {
    fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.id == name || self.line.serial() == name
    }

    fn is_there(&self) -> bool {
        self.is_named || self.line.is_there()
    }

    fn place(&self) -> String {
        self.line.place()
    }

    fn about(&self) -> About {
        let asked = self.line.about();
        let (condition, policy) = match &asked {
            Ok(last) => {
                // Another's session is none of ours.
                let condition = if self.line.has_session() {
                    Condition::Ready
                } else {
                    Condition::Locked
                };
                (condition, last.policy())
            }
            Err(StoreError::Holder(_, why)) => (Condition::Absent(why.clone()), String::new()),
            Err(error) => (Condition::Absent(error.to_string()), String::new()),
        };
        About {
            condition,
            serial: self.line.serial().to_owned(),
            policy,
            shared: false,
        }
    }

    fn max_message(&self) -> usize {
        let last = self.line.last();
        last.map_or(MAX_MESSAGE, |last| last.about.max_message)
    }

    fn lanes(&self) -> usize {
        1
    }

    fn slots(&self) -> Result<Vec<Slot>, StoreError> {
        self.line.with(|token, _| {
            let rows: Vec<_> = match token.call(None, Command::List, &mut ())? {
                Answer::List(Rows(bytes)) => Rows(bytes).iter().collect(),
                _ => return Err(Trouble::Nonsense),
            };
            let mut slots = Vec::new();
            for row in rows {
                slots.push(match row.key {
                    None => Slot {
                        id: row.slot.to_string(),
                        label: String::new(),
                        key: None,
                        trouble: Some("its record is damaged, its key is lost".to_owned()),
                    },
                    Some(_) => match token.call(None, Command::Slot { slot: row.slot }, &mut ())? {
                        Answer::Slot(details) => Board::slot(row.slot, &details),
                        _ => return Err(Trouble::Nonsense),
                    },
                });
            }
            Ok(slots)
        })
    }

    fn is_named(&self, slot: &Slot, wanted: &str) -> Result<bool, StoreError> {
        let name = slot.label.rsplit_once(": ").map(|(name, _)| name);
        Ok(slot.id == wanted || name == Some(wanted))
    }

    fn generate_as(&self, label: &str, kind: Kind) -> Result<Slot, StoreError> {
        self.line.with(|token, session| {
            let command = Command::Generate {
                kind: kind.prefix(),
                name: cut(label),
                exportable: false,
            };
            match token.call(Some(session?), command, &mut ())? {
                Answer::Key(key) => Ok(Slot {
                    id: key.slot.to_string(),
                    label: label.to_owned(),
                    key: Some(key.key),
                    trouble: None,
                }),
                _ => Err(Trouble::Nonsense),
            }
        })
    }

    fn prove(
        &self,
        slot: &Slot,
        key: &PublicKey,
        _person: &dyn Person,
    ) -> Result<Option<[u8; 32]>, StoreError> {
        let number = self.number(&slot.id)?;
        let mut challenge = [0; 32];
        getrandom::fill(&mut challenge).map_err(|error| {
            StoreError::Io("no randomness".into(), std::io::Error::other(error))
        })?;
        self.line.with(|token, session| {
            let device = token.about().device;
            let command = Command::Attest {
                slot: number,
                challenge,
            };
            let attested = match token.call(Some(session?), command, &mut ())? {
                Answer::Attestation {
                    statement,
                    signature,
                } => read_attestation(&device, statement, &signature.into()),
                _ => return Err(Trouble::Nonsense),
            };
            let Some(attested) = attested else {
                let what = "its attestation is not signed by its device key";
                return Err(self.failed(what).into());
            };
            if attested.slot != number || attested.challenge != challenge {
                let what = "its attestation is about something else than was asked";
                return Err(self.failed(what).into());
            }
            if attested.key != *key {
                let (found, wanted) = (attested.key, key.kind());
                let what = if found.as_bytes() == key.as_bytes() {
                    format!(
                        "slot {number} holds the {} key {found}, which is no {wanted} key",
                        found.kind()
                    )
                } else {
                    format!("slot {number} attests {found}, not {key}")
                };
                return Err(self.failed(what).into());
            }
            Ok(Some(device))
        })
    }

    fn sign(&self, _: &str, key: &PublicKey, _: &[u8]) -> Result<Signature, StoreError> {
        // Language E is for holders without attestation.
        Err(StoreError::Unknown(*key))
    }

    fn sign_for(
        &self,
        record: &Record,
        message: &[u8],
        person: &dyn Person,
    ) -> Result<Signature, StoreError> {
        let slot = self.number(&record.slot)?;
        self.line.with(|token, session| {
            let session = session?;
            let device = token.about().device;
            if let Some(pinned) = record.device.filter(|pinned| *pinned != device) {
                return Err(self
                    .failed(format!(
                        "its device key is {}, not the pinned {}: it was reset, or is another board",
                        device_key(&device),
                        device_key(&pinned)
                    ))
                    .into());
            }
            let found = match token.call(None, Command::Slot { slot }, &mut ())? {
                Answer::Slot(details) => key_of(details.kind, details.key),
                _ => return Err(Trouble::Nonsense),
            };
            if found != Some(record.key) {
                return Err(self.swapped(slot, found.as_ref(), &record.key).into());
            }
            let mut hand = self.line.hand(person);
            match token.call(Some(session), Command::Sign { slot, message }, &mut hand)? {
                Answer::Signature(signature) => Ok(signature.into()),
                _ => Err(Trouble::Nonsense),
            }
        })
    }

    fn pass(&self, command: &[u8], person: &dyn Person) -> Result<Vec<u8>, StoreError> {
        let declined = |why: &str| StoreError::Declined(self.name.clone(), why.to_owned());
        let ask = Ask::read(command).map_err(declined)?;
        if matches!(ask.command, Command::Lock) {
            self.lock();
            return Ask::bytes(&Answer::Done).ok_or_else(|| declined("no room for its answer"));
        }
        let answer = self.line.with(|token, session| {
            let session = if ask.needs_session() {
                Some(session?)
            } else {
                None
            };
            let mut hand = self.line.hand(person);
            let answer = token.call(session, ask.command, &mut hand)?;
            Ask::bytes(&answer).ok_or(Trouble::Nonsense)
        });
        if ask.ends_session() && answer.is_ok() {
            self.line.forget();
        }
        answer
    }

    fn locked(&self) -> StoreError {
        StoreError::LockedUntil(format!(
            "{} is locked: type `nkey token unlock {}`",
            self.line.shown(),
            self.line.serial()
        ))
    }

    fn check(&self) {
        self.line.check();
    }

    fn is_locked(&self) -> bool {
        !self.line.has_session()
    }

    fn lock(&self) {
        self.line.end();
    }

    fn unlock_for(&self, pinned: &[[u8; 32]], prompt: &mut dyn Prompt) -> Result<(), StoreError> {
        let (pin, before) = self.pin(pinned, prompt)?;
        let stated = now();
        let time = self.line.unlock(&pin, stated, prompt)?;
        drop(pin);
        if before < nkey_core::token::TRIES {
            let all = nkey_core::token::TRIES;
            prompt.message(&format!("the PIN was right: {all} tries are left again"));
        }
        if time.abs_diff(stated) > nkey_core::token::SKEW {
            prompt.message(&format!(
                "the time of {} is {time}, this clock says {stated}: it refuses claims until it is unplugged and unlocked again",
                self.line.shown()
            ));
        }
        Ok(())
    }
}
