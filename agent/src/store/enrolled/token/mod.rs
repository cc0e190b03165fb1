//! A token as key holder: keys are made on it, and it reads what it signs.

mod ask;
mod hand;
mod holder;
mod line;
mod say;
mod trouble;

use super::{Slot, config, device_key, failed};
use crate::store::{Prompt, StoreError};
use line::Line;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::{Details, PIN_LEN};
use std::path::PathBuf;
use std::sync::Arc;

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
            let what = format!(
                "its device key is {}, its enrolled keys were pinned with {}: it was reset, or is another board",
                device_key(&device),
                device_key(other)
            );
            let text = format!(
                "{}: {what}. Give it the PIN only if you know which: do you?",
                self.line.shown()
            );
            if prompt.confirm(&text) != Some(true) {
                return Err(self.failed(format!("{what}; no PIN was given to it")));
            }
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
