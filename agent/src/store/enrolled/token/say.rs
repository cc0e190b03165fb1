//! What a token says of itself, for people.

use crate::token::About;
use nkey_core::token::{State, VIRTUAL};

/// What it said last.
#[derive(Clone, Debug)]
pub(super) struct Last {
    pub(super) about: About,
    /// Tries of the PIN that are left.
    pub(super) tries: u8,
}

impl Last {
    pub(super) fn is_virtual(&self) -> bool {
        self.about.capabilities & VIRTUAL != 0
    }

    /// Its serial number, and what it is.
    pub(super) fn shown(&self) -> String {
        let about = &self.about;
        if self.is_virtual() {
            format!("{}, a VIRTUAL token, no board", about.serial)
        } else {
            format!(
                "{}, {} with firmware {}",
                about.serial, about.chip, about.firmware
            )
        }
    }

    /// Why no PIN opens it.
    pub(super) fn hopeless(&self) -> Option<String> {
        let serial = &self.about.serial;
        match self.about.state {
            State::Locked | State::Unlocked => None,
            State::Empty => Some(format!(
                "it has no PIN yet: type `nkey token init {serial}`"
            )),
            State::Blocked => Some(format!(
                "it is blocked, its keys are lost: only `nkey token reset {serial}` remains"
            )),
            State::Error => Some(format!(
                "it is broken ({}): plug it in again; if that does not help, `nkey token reset {serial}` wipes it",
                self.fault()
            )),
        }
    }

    fn fault(&self) -> String {
        match self.about.fault {
            Some(fault) => format!("{fault:?}").to_lowercase(),
            None => "no fault is named".to_owned(),
        }
    }

    /// What it asks for before it signs, or why it does not.
    pub(super) fn policy(&self) -> String {
        let text = match self.about.state {
            State::Locked | State::Unlocked if self.tries == 1 => {
                "PIN, button; one try is left".to_owned()
            }
            State::Locked | State::Unlocked => {
                format!("PIN, button; {} tries are left", self.tries)
            }
            State::Empty => "no PIN yet".to_owned(),
            State::Blocked => "blocked, its keys are lost".to_owned(),
            State::Error => format!("broken: {}", self.fault()),
        };
        if self.is_virtual() {
            format!("VIRTUAL; {text}")
        } else {
            text
        }
    }
}
