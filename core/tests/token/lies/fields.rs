//! For every field of every command what no host should say.

use super::bodies::{body, lengths, malformed, tags};
use super::told::Told;
use super::world::{EXPORTABLE, World};
use super::{Lie, Spent};
use nkey_core::token::*;
use std::collections::BTreeSet;

/// The names of a command's fields, as `Debug` writes them, those of a policy for the policy.
pub fn names(command: &Command<'_>) -> BTreeSet<String> {
    let text = format!("{command:#?}");
    let fields = text.lines().filter_map(|line| line.trim().split_once(": "));
    let names = fields.map(|(name, _)| name.to_owned());
    names.filter(|name| name != "policy").collect()
}

/// All lies of a command. A new command or field does not compile here, and without a lie
/// [`names`] has a name more than the lies.
pub fn lies(world: &World, session: Option<Session>, good: Command<'static>) -> Vec<Lie> {
    let mut told = Told::new(session, good);
    match good {
        Command::Hello
        | Command::List
        | Command::Tries
        | Command::Counters
        | Command::Cancel
        | Command::Lock
        | Command::Bootloader
        | Command::Reset => {}
        Command::Slot { slot: _ } => told.slots(Code::Slot, |slot| Command::Slot { slot }),
        Command::Init(init) => told.inits(world, init),
        Command::Unlock { pin, time } => {
            told.pins("pin", Some(Spent::Try), |pin| Command::Unlock { pin, time });
            told.times(|time| Command::Unlock { pin, time });
            let mut endless = told.good.clone();
            endless.truncate(endless.len() - 5);
            endless.extend_from_slice(&[0xFF; 10]);
            told.lies.push(malformed("time", "above 64 bits", endless));
            let more = lengths("pin", &told.good, pin);
            told.lies.extend(more);
        }
        Command::Sign { slot: _, message } => {
            told.slots(Code::Slot, |slot| Command::Sign { slot, message });
            told.messages(world, |slot, message| Command::Sign { slot, message });
            let more = lengths("message", &told.good, message);
            told.lies.extend(more);
        }
        Command::Generate {
            kind,
            name,
            exportable,
        } => {
            let make = |kind, name, exportable| Command::Generate {
                kind,
                name,
                exportable,
            };
            told.kinds(|kind| make(kind, name, exportable));
            told.texts(name, |name| Command::Generate {
                kind,
                name,
                exportable,
            });
            let other = body(session, make(kind, name, !exportable));
            let more = tags("exportable", &told.good, &other, 2);
            told.lies.extend(more);
        }
        Command::Name { slot: _, name } => {
            told.slots(Code::Slot, |slot| Command::Name { slot, name });
            told.texts(name, |name| Command::Name { slot: 1, name });
        }
        Command::Attest { slot: _, challenge } => {
            told.slots(Code::Slot, |slot| Command::Attest { slot, challenge });
            for len in [0, 1, 31] {
                let cut = &told.good[..told.good.len() - 32 + len];
                let lie = malformed("challenge", format!("{len} bytes"), cut.to_vec());
                told.lies.push(lie);
            }
        }
        Command::Random { len: _ } => {
            for len in [0, RANDOM_LEN as u16 + 1, 0x7FFF, u16::MAX] {
                told.lie("len", len, Code::Value, Command::Random { len });
            }
            let mut endless = told.good.clone();
            endless.truncate(endless.len() - 2);
            endless.extend_from_slice(&[0xFF, 0xFF, 0x07]);
            told.lies.push(malformed("len", "above 16 bits", endless));
        }
        Command::ChangePin { old, new } => {
            let wrong = Some(Spent::Try);
            told.pins("old", wrong, |old| Command::ChangePin { old, new });
            told.pins("new", None, |new| Command::ChangePin { old, new });
            let more = lengths("old", &told.good, old);
            told.lies.extend(more);
            let more = lengths("new", &told.good, new);
            told.lies.extend(more);
        }
        Command::Tighten { slot, policy } => {
            told.slots(Code::Slot, |slot| Command::Tighten { slot, policy });
            told.policies(policy, |policy| Command::Tighten { slot: 1, policy });
            for (field, policy) in super::policies::wider(policy) {
                let command = Command::Tighten { slot, policy };
                told.lie(field, "wider", Code::Wider, command);
            }
        }
        Command::Loosen { slot: _, policy } => {
            told.slots(Code::Slot, |slot| Command::Loosen { slot, policy });
            told.policies(policy, |policy| Command::Loosen { slot: 1, policy });
        }
        Command::Import { kind, seed, name } => {
            told.kinds(|kind| Command::Import { kind, seed, name });
            told.texts(name, |name| Command::Import { kind, seed, name });
            let seed = [0; 32];
            let command = Command::Import { kind, seed, name };
            told.lie("seed", "zeros", Code::Value, command);
        }
        Command::Erase { slot: _ } => told.slots(Code::Slot, |slot| Command::Erase { slot }),
        Command::Export { slot, pin } => {
            told.slots(Code::Slot, |slot| Command::Export { slot, pin });
            let other = Command::Export { slot: 0, pin };
            told.lie("slot", "not exportable", Code::NotAllowed, other);
            assert_eq!(slot, EXPORTABLE);
            let wrong = Some(Spent::TryAndPress);
            told.pins("pin", wrong, |pin| Command::Export {
                slot: EXPORTABLE,
                pin,
            });
            let more = lengths("pin", &told.good, pin);
            told.lies.extend(more);
        }
        Command::Receive { sealed: _ } => told.seals(world),
    }
    told.lies
}
