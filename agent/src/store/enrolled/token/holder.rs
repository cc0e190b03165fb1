//! What the agent asks of a token.

use super::ask::Ask;
use super::trouble::Trouble;
use super::{Board, device_key};
use crate::store::enrolled::{About, Condition, Holder, Record, Slot};
use crate::store::{Person, Prompt, StoreError};
use nkey_core::Signature;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::{Answer, Command, MAX_MESSAGE, NAME_LEN, Rows, TRIES, read_attestation};
use std::time::{SystemTime, UNIX_EPOCH};

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

    fn is_virtual(&self) -> bool {
        self.line.is_virtual()
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
        let ends = self.line.ends();
        let (pin, before) = self.pin(pinned, prompt)?;
        let unlocked = self.line.unlock(&pin, now(), ends, prompt)?;
        drop(pin);
        if before < TRIES {
            let all = TRIES;
            prompt.message(&format!("the PIN was right: {all} tries are left again"));
        }
        if let Some(remark) = unlocked.remark(&self.line.shown()) {
            prompt.message(&remark);
        }
        Ok(())
    }
}
