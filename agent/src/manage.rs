//! What a person asks of a card through `nkey-holder`, without an agent: keys, PINs, attestations.

use crate::wire::{Malformed, Reader, Writer};
use nkey_core::nkey::Kind;

/// What opens a card for changes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Access<'a> {
    /// The PIN, under which the management key is stored; empty if it is not needed.
    pub pin: &'a str,
    /// The management key, if it is stored nowhere; else empty.
    pub management: &'a [u8],
}

/// Where a key goes, and how it may be used there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The slot; 0 is the first one that is free.
    pub slot: u8,
    /// The kind of NKey that its certificate names.
    pub kind: Kind,
    /// The PIN policy in the card's own numbers: 1 never, 2 once, 3 always.
    pub pin: u8,
    /// The touch policy in the card's own numbers: 1 never, 2 always, 3 cached.
    pub touch: u8,
    /// The key that may be replaced; empty for none.
    pub replace: &'a str,
}

/// A wish.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order<'a> {
    /// Say the [`State`].
    State,
    /// Change what is still at its default.
    Init {
        /// The new PIN, or the present one if it is not the default.
        pin: &'a str,
        /// The new PUK; empty if it is not the default.
        puk: &'a str,
    },
    /// Make a key.
    Generate(Place<'a>, Access<'a>),
    /// Take a key.
    Import(Place<'a>, Access<'a>, &'a [u8]),
    /// Attest that a key was made in the card.
    Attest {
        /// The key's slot.
        slot: u8,
    },
    /// Change the PIN.
    Pin {
        /// The present one.
        old: &'a str,
        /// The new one.
        new: &'a str,
    },
    /// Set a new PIN with the PUK.
    Unblock {
        /// The PUK.
        puk: &'a str,
        /// The new PIN.
        new: &'a str,
    },
    /// Change the PUK.
    Puk {
        /// The present one.
        old: &'a str,
        /// The new one.
        new: &'a str,
    },
    /// Set a new management key, stored under the PIN.
    Management(Access<'a>),
    /// Delete a key and its certificate.
    Delete {
        /// Its slot.
        slot: u8,
        /// The key.
        key: &'a str,
        /// What opens the card.
        access: Access<'a>,
    },
}

impl Access<'_> {
    fn write(&self, out: &mut Writer) {
        out.string(self.pin.as_bytes()).string(self.management);
    }

    fn read<'a>(reader: &mut Reader<'a>) -> Result<Access<'a>, Malformed> {
        Ok(Access {
            pin: reader.text()?,
            management: reader.string()?,
        })
    }
}

impl Place<'_> {
    fn write(&self, out: &mut Writer) {
        out.byte(self.slot)
            .byte(self.kind.prefix())
            .byte(self.pin)
            .byte(self.touch)
            .string(self.replace.as_bytes());
    }

    fn read<'a>(reader: &mut Reader<'a>) -> Result<Place<'a>, Malformed> {
        Ok(Place {
            slot: reader.byte()?,
            kind: Kind::from_prefix(reader.byte()?).map_err(|_| Malformed("no kind of key"))?,
            pin: reader.byte()?,
            touch: reader.byte()?,
            replace: reader.text()?,
        })
    }
}

impl Order<'_> {
    /// Its bytes.
    pub fn write(&self, out: &mut Writer) {
        let mut two = |number: u8, first: &str, second: &str| {
            out.byte(number)
                .string(first.as_bytes())
                .string(second.as_bytes());
        };
        match self {
            Order::Init { pin, puk } => two(2, pin, puk),
            Order::Pin { old, new } => two(6, old, new),
            Order::Unblock { puk, new } => two(7, puk, new),
            Order::Puk { old, new } => two(8, old, new),
            Order::State => {
                out.byte(1);
            }
            Order::Generate(place, access) => {
                out.byte(3);
                place.write(out);
                access.write(out);
            }
            Order::Import(place, access, seed) => {
                out.byte(4);
                place.write(out);
                access.write(out);
                out.string(seed);
            }
            Order::Attest { slot } => {
                out.byte(5).byte(*slot);
            }
            Order::Management(access) => {
                out.byte(9);
                access.write(out);
            }
            Order::Delete { slot, key, access } => {
                out.byte(10).byte(*slot).string(key.as_bytes());
                access.write(out);
            }
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
            2 => Order::Init {
                pin: reader.text()?,
                puk: reader.text()?,
            },
            3 => Order::Generate(Place::read(&mut reader)?, Access::read(&mut reader)?),
            4 => Order::Import(
                Place::read(&mut reader)?,
                Access::read(&mut reader)?,
                reader.string()?,
            ),
            5 => Order::Attest {
                slot: reader.byte()?,
            },
            6 => Order::Pin {
                old: reader.text()?,
                new: reader.text()?,
            },
            7 => Order::Unblock {
                puk: reader.text()?,
                new: reader.text()?,
            },
            8 => Order::Puk {
                old: reader.text()?,
                new: reader.text()?,
            },
            9 => Order::Management(Access::read(&mut reader)?),
            10 => Order::Delete {
                slot: reader.byte()?,
                key: reader.text()?,
                access: Access::read(&mut reader)?,
            },
            _ => return Err(Malformed("no such order")),
        };
        reader.end()?;
        Ok(order)
    }
}

/// Whose the management key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Management {
    /// The one that every card comes with.
    Default = 0,
    /// Whoever knows the PIN has it.
    UnderPin = 1,
    /// It is stored elsewhere.
    Elsewhere = 2,
}

/// What is still as a card comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// The PIN is the default one.
    pub default_pin: bool,
    /// The PUK is the default one.
    pub default_puk: bool,
    /// The management key.
    pub management: Management,
    /// Tries that the PIN has left.
    pub pin_tries: u8,
    /// Tries that the PUK has left.
    pub puk_tries: u8,
}

impl State {
    /// Its bytes.
    pub fn write(&self, out: &mut Writer) {
        out.byte(self.default_pin.into())
            .byte(self.default_puk.into())
            .byte(self.management as u8)
            .byte(self.pin_tries)
            .byte(self.puk_tries);
    }

    /// The state of these bytes.
    ///
    /// # Errors
    /// [`Malformed`] if they are none.
    pub fn read(bytes: &[u8]) -> Result<State, Malformed> {
        let mut reader = Reader::new(bytes);
        let state = State {
            default_pin: reader.byte()? != 0,
            default_puk: reader.byte()? != 0,
            management: match reader.byte()? {
                0 => Management::Default,
                1 => Management::UnderPin,
                2 => Management::Elsewhere,
                _ => return Err(Malformed("no such management key")),
            },
            pin_tries: reader.byte()?,
            puk_tries: reader.byte()?,
        };
        reader.end()?;
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_every_cut_is_an_error() {
        let access = Access {
            pin: "123456",
            management: &[7; 24],
        };
        let place = Place {
            slot: 0x9c,
            kind: Kind::Account,
            pin: 3,
            touch: 1,
            replace: "A",
        };
        let two = ("old", "new");
        let (old, new) = two;
        let orders = [
            Order::State,
            Order::Init { pin: old, puk: new },
            Order::Generate(place, access),
            Order::Import(place, access, &[1; 32]),
            Order::Attest { slot: 0x82 },
            Order::Pin { old, new },
            Order::Unblock { puk: old, new },
            Order::Puk { old, new },
            Order::Management(access),
            Order::Delete {
                slot: 0x9a,
                key: "A",
                access,
            },
        ];
        for order in orders {
            let mut out = Writer::new();
            order.write(&mut out);
            assert!(Order::read(out.as_bytes()) == Ok(order));
            for cut in 0..out.as_bytes().len() {
                assert!(Order::read(&out.as_bytes()[..cut]).is_err());
            }
        }
        let state = State {
            default_pin: true,
            default_puk: false,
            management: Management::UnderPin,
            pin_tries: 3,
            puk_tries: 0,
        };
        let mut out = Writer::new();
        state.write(&mut out);
        assert_eq!(State::read(out.as_bytes()), Ok(state));
        assert!(State::read(&[0, 0, 3, 0, 0]).is_err());
    }
}
