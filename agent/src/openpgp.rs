//! What a person asks of an OpenPGP card through `nkey-holder`, without an agent: keys and PINs.

use crate::device::{Facts, Slot};
use crate::wire::{Malformed, Reader, Writer};

/// Most slots that are read.
const MAX: u32 = 256;

/// A wish.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order<'a> {
    /// Say the [`State`].
    State,
    /// Make an Ed25519 key.
    Generate {
        /// The slot.
        slot: &'a str,
        /// The admin PIN.
        admin: &'a str,
        /// The key that may be replaced, or its fingerprint, in hexadecimal digits; empty for none.
        replace: &'a str,
    },
    /// Take an Ed25519 key into an empty slot.
    Import {
        /// The slot.
        slot: &'a str,
        /// The admin PIN.
        admin: &'a str,
        /// The key's seed.
        seed: &'a [u8],
    },
    /// Change the user's PIN.
    Pin {
        /// The present one.
        old: &'a str,
        /// The new one.
        new: &'a str,
    },
    /// Change the admin PIN.
    AdminPin {
        /// The present one.
        old: &'a str,
        /// The new one.
        new: &'a str,
    },
    /// Set a new user's PIN with the admin PIN.
    Unblock {
        /// The admin PIN.
        admin: &'a str,
        /// The new PIN.
        new: &'a str,
    },
}

impl Order<'_> {
    /// Its bytes.
    pub fn write(&self, out: &mut Writer) {
        let (number, texts): (u8, &[&str]) = match self {
            Order::State => (1, &[]),
            Order::Generate {
                slot,
                admin,
                replace,
            } => (2, &[slot, admin, replace]),
            Order::Pin { old, new } => (3, &[old, new]),
            Order::AdminPin { old, new } => (4, &[old, new]),
            Order::Unblock { admin, new } => (5, &[admin, new]),
            Order::Import { slot, admin, .. } => (6, &[slot, admin]),
        };
        out.byte(number);
        for text in texts {
            out.string(text.as_bytes());
        }
        if let Order::Import { seed, .. } = self {
            out.string(seed);
        }
    }

    /// The order of these bytes.
    ///
    /// # Errors
    /// [`Malformed`] if they are none.
    pub fn read(bytes: &[u8]) -> Result<Order<'_>, Malformed> {
        let mut reader = Reader::new(bytes);
        let order = match reader.byte()? {
            1 => Order::State,
            2 => Order::Generate {
                slot: reader.text()?,
                admin: reader.text()?,
                replace: reader.text()?,
            },
            3 => Order::Pin {
                old: reader.text()?,
                new: reader.text()?,
            },
            4 => Order::AdminPin {
                old: reader.text()?,
                new: reader.text()?,
            },
            5 => Order::Unblock {
                admin: reader.text()?,
                new: reader.text()?,
            },
            6 => Order::Import {
                slot: reader.text()?,
                admin: reader.text()?,
                seed: reader.string()?,
            },
            _ => return Err(Malformed("no such order")),
        };
        reader.end()?;
        Ok(order)
    }
}

/// A key of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its slot.
    pub slot: Slot,
    /// The fingerprint that gpg shows; may be empty.
    pub fingerprint: String,
    /// When it was made, in seconds since 1970; 0 if that is not known.
    pub created: u32,
    /// When it wants to be touched.
    pub touch: String,
}

/// What a card says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// As the agent hears it.
    pub facts: Facts,
    /// Tries that the user's PIN has left.
    pub tries: u8,
    /// Tries that the admin PIN has left.
    pub admin_tries: u8,
    /// Its keys.
    pub keys: Vec<Held>,
}

impl State {
    /// Its bytes.
    pub fn write(&self, out: &mut Writer) {
        let mut facts = Writer::new();
        self.facts.write(&mut facts);
        out.string(facts.as_bytes())
            .byte(self.tries)
            .byte(self.admin_tries)
            .uint32(u32::try_from(self.keys.len()).unwrap_or(0));
        for key in &self.keys {
            key.slot.write(out);
            out.string(key.fingerprint.as_bytes())
                .uint32(key.created)
                .string(key.touch.as_bytes());
        }
    }

    /// The state of these bytes.
    ///
    /// # Errors
    /// [`Malformed`] if they are none.
    pub fn read(bytes: &[u8]) -> Result<State, Malformed> {
        let mut reader = Reader::new(bytes);
        let mut state = State {
            facts: Facts::read(reader.string()?)?,
            tries: reader.byte()?,
            admin_tries: reader.byte()?,
            keys: Vec::new(),
        };
        for _ in 0..reader.uint32()?.min(MAX) {
            state.keys.push(Held {
                slot: Slot::read(&mut reader)?,
                fingerprint: reader.text()?.to_owned(),
                created: reader.uint32()?,
                touch: reader.text()?.to_owned(),
            });
        }
        reader.end()?;
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_every_cut_is_an_error() {
        let (old, new) = ("123456", "654321");
        for order in [
            Order::State,
            Order::Generate {
                slot: "sig",
                admin: "12345678",
                replace: "ab",
            },
            Order::Import {
                slot: "aut",
                admin: "12345678",
                seed: &[7; 32],
            },
            Order::Pin { old, new },
            Order::AdminPin { old, new },
            Order::Unblock { admin: old, new },
        ] {
            let mut out = Writer::new();
            order.write(&mut out);
            assert!(Order::read(out.as_bytes()) == Ok(order));
            for cut in 0..out.as_bytes().len() {
                assert!(Order::read(&out.as_bytes()[..cut]).is_err());
            }
        }
        let state = State {
            facts: Facts::default(),
            tries: 3,
            admin_tries: 2,
            keys: vec![Held {
                slot: Slot {
                    id: "sig".into(),
                    label: "l".into(),
                    key: Some([7; 32]),
                    trouble: None,
                },
                fingerprint: "F".into(),
                created: 1,
                touch: "off".into(),
            }],
        };
        let mut out = Writer::new();
        state.write(&mut out);
        assert_eq!(State::read(out.as_bytes()), Ok(state));
        for cut in 0..out.as_bytes().len() {
            assert!(State::read(&out.as_bytes()[..cut]).is_err());
        }
    }
}
