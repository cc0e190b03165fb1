//! Flags of the commands that change a card, and the secrets that they need.

use super::card::Plugged;
use crate::card::secret::secret_file;
use crate::error::Error;
use crate::prompt;
use clap::ValueEnum;
use nkey_agent::manage::{self, Access, Management};
use nkey_core::nkey::Kind;
use zeroize::Zeroizing;

/// When a card asks for the PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PinPolicy {
    /// For no signature
    Never = 1,
    /// Once, until the card forgets it
    Once = 2,
    /// For each signature
    Always = 3,
}

/// When a card waits for a finger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TouchPolicy {
    /// For no signature
    Never = 1,
    /// For each signature
    Always = 2,
    /// For a signature, and not again for 15 seconds
    Cached = 3,
}

/// Where a new key goes.
#[derive(clap::Args)]
pub struct PlaceFlags {
    /// When the card asks for the PIN; the agent has it, so nobody types more
    #[arg(long, value_enum, default_value = "always")]
    pub pin_policy: PinPolicy,
    /// When the card waits for a touch
    #[arg(long, value_enum, default_value = "never")]
    pub touch_policy: TouchPolicy,
    /// Replace the key that the slot holds, which is this one; it is lost for good
    #[arg(long, value_name = "PUBLIC KEY")]
    pub overwrite: Option<String>,
}

impl PlaceFlags {
    /// The place in `slot` for a key of this kind.
    pub fn place(&self, slot: u8, kind: Kind) -> manage::Place<'_> {
        manage::Place {
            slot,
            kind,
            pin: self.pin_policy as u8,
            touch: self.touch_policy as u8,
            replace: self.overwrite.as_deref().unwrap_or_default(),
        }
    }
}

/// What opens a card for changes.
#[derive(clap::Args)]
pub struct AccessFlags {
    /// A file with the card's PIN, or - for standard input; else it is asked for if it is needed
    #[arg(long, value_name = "FILE")]
    pub pin_file: Option<String>,
    /// A file with the management key in hexadecimal, if it is not stored under the PIN
    #[arg(long, value_name = "FILE")]
    pub management_key_file: Option<String>,
}

/// A PIN and a management key, as far as they are needed.
pub struct Secrets {
    pin: Zeroizing<String>,
    management: Zeroizing<Vec<u8>>,
}

impl Secrets {
    /// What goes to the card.
    pub fn access(&self) -> Access<'_> {
        Access {
            pin: &self.pin,
            management: &self.management,
        }
    }
}

impl AccessFlags {
    /// Gets what this card needs. With `pin` the PIN is needed in any case.
    ///
    /// # Errors
    /// If a file cannot be read, or there is nobody to ask.
    pub fn secrets(&self, card: &mut Plugged, pin: bool) -> Result<Secrets, Error> {
        let management = match &self.management_key_file {
            None => Zeroizing::default(),
            Some(file) => hex(&secret_file(file)?)?,
        };
        let stored = management.is_empty() && card.state()?.management == Management::UnderPin;
        let pin = match (&self.pin_file, pin || stored) {
            (Some(file), _) => secret_file(file)?,
            (None, true) => prompt::secret(&format!("PIN of the card {}", card.serial()))?,
            (None, false) => Zeroizing::default(),
        };
        Ok(Secrets { pin, management })
    }
}

fn hex(text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let text = text.trim();
    let bytes = (0..text.len()).step_by(2).map(|at| {
        let pair = text.get(at..at + 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    let wrong = || Error::usage("--management-key-file: it holds no key in hexadecimal");
    let bytes = bytes.collect::<Option<Vec<u8>>>().ok_or_else(wrong)?;
    match bytes.len() {
        16 | 24 | 32 if text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            Ok(Zeroizing::new(bytes))
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn management_keys_are_read_strictly() {
        assert_eq!(hex(&"0a".repeat(24)).unwrap()[..], [10; 24]);
        for bad in [
            "",
            "0a",
            "zz",
            "é0",
            &"0a".repeat(25),
            &"0".repeat(47),
            &"+a".repeat(24),
        ] {
            assert!(hex(bad).is_err(), "{bad}");
        }
    }
}
