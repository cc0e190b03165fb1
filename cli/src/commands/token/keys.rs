//! The keys of a token, and which one is meant.

use super::line::Line;
use super::words;
use crate::error::Error;
use crate::key_argument::KeyArgument;
use crate::output::clean_inline;
use data_encoding::HEXLOWER;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::policy::{Policy, Subjects};
use nkey_core::token::{Answer, Command, Details, policy_hash};
use serde_json::{Value, json};

/// A slot that is not free; without details its record is damaged.
#[derive(Clone, Debug)]
pub struct Slot {
    /// From 0.
    pub number: u8,
    /// What is in it.
    pub key: Option<Key>,
}

/// A key and what is said about it.
#[derive(Clone, Debug)]
pub struct Key {
    /// The public key.
    pub key: PublicKey,
    /// Its name.
    pub name: String,
    /// Whether it was made elsewhere.
    pub imported: bool,
    /// Whether it may leave, sealed to the backup peer.
    pub exportable: bool,
    /// How often its policy was changed.
    pub generation: u32,
    /// Whether its policy was ever loosened.
    pub loosened: bool,
    rules: Policy<'static>,
    subjects: Option<String>,
}

impl Key {
    fn read(details: &Details<'_>) -> Option<Key> {
        let kind = Kind::from_prefix(details.kind).ok()?;
        let policy = details.policy;
        Some(Key {
            key: PublicKey::from_bytes(kind, details.key),
            name: details.name.to_owned(),
            imported: details.imported,
            exportable: details.exportable,
            generation: details.generation,
            loosened: details.loosened,
            rules: Policy {
                claims: policy.claims,
                kinds: policy.kinds,
                bearer: policy.bearer,
                life: policy.life,
                within: None,
                presence: policy.presence,
                budget: policy.budget,
            },
            subjects: policy.within.map(|subjects| subjects.0.to_owned()),
        })
    }

    /// What it may sign.
    pub fn policy(&self) -> Policy<'_> {
        Policy {
            within: self.subjects.as_deref().map(Subjects),
            ..self.rules
        }
    }

    /// Where it comes from and whether it can leave, in words.
    pub fn marks(&self) -> String {
        let words = [
            (self.imported, "imported"),
            (self.exportable, "exportable"),
            (self.loosened, "loosened"),
        ];
        let set: Vec<&str> = words
            .iter()
            .filter(|(set, _)| *set)
            .map(|(_, word)| *word)
            .collect();
        set.join(",")
    }
}

impl Slot {
    /// The slot as JSON.
    pub fn json(&self) -> Value {
        let Some(key) = &self.key else {
            return json!({ "slot": self.number, "damaged": true });
        };
        json!({
            "slot": self.number,
            "kind": key.key.kind().name(),
            "public_key": key.key.to_string(),
            "name": key.name,
            "imported": key.imported,
            "exportable": key.exportable,
            "generation": key.generation,
            "loosened": key.loosened,
            "policy": words::policy_json(&key.policy()),
            "policy_hash": HEXLOWER.encode(&policy_hash(&key.policy())),
        })
    }
}

impl Line {
    /// The numbers of the slots that are not free.
    ///
    /// # Errors
    /// What the token says.
    pub fn numbers(&mut self) -> Result<Vec<(u8, bool)>, Error> {
        self.ask(Command::List, |answer| match answer {
            Answer::List(rows) => Some(
                rows.iter()
                    .map(|row| (row.slot, row.key.is_some()))
                    .collect(),
            ),
            _ => None,
        })
    }

    /// The slots that are not free.
    ///
    /// # Errors
    /// What the token says.
    pub fn slots(&mut self) -> Result<Vec<Slot>, Error> {
        let numbers = self.numbers()?;
        let mut slots = Vec::new();
        for (number, readable) in numbers {
            let key = match readable {
                false => None,
                true => Some(
                    self.ask(Command::Slot { slot: number }, |answer| match answer {
                        Answer::Slot(details) => Key::read(&details),
                        _ => None,
                    })?,
                ),
            };
            slots.push(Slot { number, key });
        }
        Ok(slots)
    }

    /// The slot that is meant: by its number, its public key or its name; without `wanted`, the
    /// only one.
    ///
    /// # Errors
    /// If there is none, or several are meant.
    pub fn find_slot(&mut self, wanted: Option<&str>) -> Result<Slot, Error> {
        let serial = clean_inline(self.serial());
        let slots = self.slots()?;
        pick(slots, wanted, &serial)
    }

    /// [`Line::find_slot`], whose key can be read.
    ///
    /// # Errors
    /// If its record is damaged as well.
    pub fn find_key(&mut self, wanted: Option<&str>) -> Result<(u8, Key), Error> {
        let slot = self.find_slot(wanted)?;
        let number = slot.number;
        slot.key.map(|key| (number, key)).ok_or_else(|| {
            Error::failed(format!("the record of slot {number} is damaged"))
                .next(format!("nkey token erase {number}"))
        })
    }
}

fn pick(slots: Vec<Slot>, wanted: Option<&str>, serial: &str) -> Result<Slot, Error> {
    let next = format!("nkey token info {serial}");
    let Some(wanted) = wanted else {
        let count = slots.len();
        let mut slots = slots.into_iter();
        return match (slots.next(), slots.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => {
                Err(Error::failed(format!("the token {serial} has no key"))
                    .next("nkey token generate"))
            }
            _ => Err(Error::usage(format!(
                "the token {serial} has {count} keys: name one by its slot, public key or name"
            ))
            .next(next)),
        };
    };
    let shown = clean_inline(wanted);
    let argument = match wanted.parse::<u8>() {
        Ok(number) => {
            return slots
                .into_iter()
                .find(|slot| slot.number == number)
                .ok_or_else(|| {
                    Error::failed(format!("slot {number} of {serial} is free")).next(next)
                });
        }
        Err(_) => KeyArgument::parse("KEY", wanted)?,
    };
    let is_meant = |slot: &Slot| match (&slot.key, &argument) {
        (Some(key), KeyArgument::Public(public)) => key.key == *public,
        (Some(key), KeyArgument::Name(name)) => key.name == *name,
        (None, _) => false,
    };
    let mut found = slots.into_iter().filter(is_meant);
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => {
            Err(Error::failed(format!("the token {serial} has no key {shown}")).next(next))
        }
        _ => Err(Error::usage(format!(
            "several keys of {serial} are named {shown}: name one by its slot or public key"
        ))
        .next(next)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(number: u8, name: &str) -> Slot {
        Slot {
            number,
            key: Some(Key {
                key: PublicKey::from_bytes(Kind::User, [number; 32]),
                name: name.to_owned(),
                imported: false,
                exportable: true,
                generation: 0,
                loosened: true,
                rules: Policy::new(Kind::User),
                subjects: None,
            }),
        }
    }

    #[test]
    fn a_slot_is_named_by_number_key_or_name() {
        let damaged = Slot {
            number: 5,
            key: None,
        };
        let slots = || vec![slot(0, "a"), slot(1, "b"), slot(2, "b"), damaged.clone()];
        let found = |wanted: Option<&str>| {
            pick(slots(), wanted, "NKEY-1")
                .map(|slot| slot.number)
                .map_err(|error| error.code())
        };
        let public = PublicKey::from_bytes(Kind::User, [2; 32]).to_string();
        assert_eq!(found(Some("a")), Ok(0));
        assert_eq!(found(Some("5")), Ok(5));
        assert_eq!(found(Some(&public)), Ok(2));
        assert_eq!(found(Some("b")), Err(2));
        assert_eq!(found(None), Err(2));
        assert_eq!(found(Some("7")), Err(1));
        assert_eq!(found(Some("c")), Err(1));
        assert_eq!(pick(vec![slot(3, "x")], None, "NKEY-1").unwrap().number, 3);
        assert_eq!(pick(Vec::new(), None, "NKEY-1").unwrap_err().code(), 1);
        assert_eq!(slot(0, "a").key.unwrap().marks(), "exportable,loosened");
    }
}
