//! Which command in which state, with which authority; then what carries it out.

use super::inner::Core;
use super::refusal::Refusal;
use crate::Signature;
use crate::nkey::{KeyPair, Kind, Seed};
use crate::token::attest::{Attested, digest};
use crate::token::board::Board;
use crate::token::code::{Code, State};
use crate::token::message::{Answer, Command, Counters, Hello, Press, Request, Rows};
use crate::token::store::{Slot, Stored, signatures, times, tries};
use crate::token::{IMPORTABLE, MAX_MESSAGE, PEER, PROTOCOL, RANDOM_LEN, SLOTS, VIRTUAL};
use zeroize::Zeroize;

// Each command has a stack of its own, so that the deepest, a signature's check, has no other below it.
impl<B: Board> Core<B> {
    /// Carries out a request; `press` says that the button was pressed for it.
    pub(super) fn handle<'c>(
        &'c mut self,
        request: &Request<'_>,
        press: bool,
        scratch: &'c mut [u8],
    ) -> Result<Answer<'c>, Refusal> {
        self.expire();
        self.admit(request)?;
        match request.command {
            Command::Hello => Ok(Answer::Hello(self.hello())),
            Command::List => self.list(scratch),
            Command::Slot { slot } => self.slot(slot),
            Command::Tries => Ok(Answer::Tries(tries::left(self.board.flash())?)),
            Command::Counters => self.counters(),
            Command::Cancel => Ok(Answer::Done),
            Command::Init(init) => self.init(&init, press),
            Command::Unlock { pin, time } => self.unlock(pin, time, press),
            Command::Lock => {
                self.end_session();
                Ok(Answer::Done)
            }
            Command::Sign { slot, message } => self.sign(slot, message, press, scratch),
            Command::Generate {
                kind,
                name,
                exportable,
            } => self.generate(kind, name, exportable, scratch),
            Command::Name { slot, name } => self.name(slot, name, scratch),
            Command::Attest { slot, challenge } => self.attest(slot, challenge, scratch),
            Command::Random { len } => self.random(len),
            Command::ChangePin { old, new } => self.change_pin(old, new),
            Command::Tighten { slot, policy } => self.tighten(slot, policy, scratch),
            Command::Loosen { slot, policy } => self.loosen(slot, policy, press, scratch),
            Command::Import { kind, seed, name } => self.import(kind, seed, name, press, scratch),
            Command::Erase { slot } => self.erase(slot, press),
            Command::Export { slot, pin } => self.export(slot, pin, press, scratch),
            Command::Receive { sealed } => self.receive(sealed, press, scratch),
            Command::Bootloader => {
                held(press)?;
                self.keep_time(true)?;
                self.end_session();
                self.leaving = true;
                Ok(Answer::Done)
            }
            Command::Reset => {
                held(press)?;
                self.reset()?;
                Ok(Answer::Done)
            }
        }
    }

    /// The table of docs/token-protocol.md: state first, then the session.
    #[inline(never)]
    fn admit(&mut self, request: &Request<'_>) -> Result<(), Refusal> {
        let state = self.state();
        let refused = match (&request.command, state) {
            (Command::Hello | Command::Cancel | Command::Reset, _) => return Ok(()),
            (_, State::Error) => Code::Fault,
            (Command::List | Command::Slot { .. } | Command::Tries | Command::Counters, _) => {
                return Ok(());
            }
            (Command::Init(_), State::Empty) => return Ok(()),
            (Command::Init(_), _) => Code::Initialised,
            (_, State::Empty) => Code::Empty,
            (_, State::Blocked) => Code::Blocked,
            (Command::Unlock { .. }, _) => return Ok(()),
            (_, State::Locked) => Code::Locked,
            (_, State::Unlocked) => {
                let now = self.board.ticks();
                match (&mut self.open, request.session) {
                    (Some(open), Some(id)) if same(&open.id, &id) => {
                        open.used = now;
                        return Ok(());
                    }
                    _ => Code::Session,
                }
            }
        };
        Err(refused.into())
    }

    #[inline(never)]
    pub(super) fn hello(&mut self) -> Hello<'_> {
        let state = self.state();
        let mut capabilities = 0;
        if let Some(config) = &self.config {
            capabilities |= if config.importable { IMPORTABLE } else { 0 };
            capabilities |= if config.peer.is_some() { PEER } else { 0 };
        }
        let info = self.board.info();
        capabilities |= if info.is_virtual { VIRTUAL } else { 0 };
        Hello {
            oldest: PROTOCOL.0,
            newest: PROTOCOL.1,
            firmware: info.firmware,
            hash: info.hash,
            serial: info.serial,
            chip: info.chip,
            max_message: MAX_MESSAGE as u32,
            capabilities,
            state,
            fault: self.fault,
            device: self.device.as_ref().map_or([0; 32], |device| device.key),
            slots: SLOTS as u8,
        }
    }

    #[inline(never)]
    fn list<'c>(&mut self, scratch: &'c mut [u8]) -> Result<Answer<'c>, Refusal> {
        let mut len = 0;
        for slot in 0..SLOTS as u8 {
            let (kind, key) = match Slot::read(self.board.flash(), slot, &mut self.record)? {
                Slot::Free => continue,
                Slot::Damaged => (Rows::DAMAGED, [0; 32]),
                Slot::Key(stored) => (stored.details.kind, stored.details.key),
            };
            if let Some(row) = scratch.get_mut(len..len + Rows::LEN) {
                row[..2].copy_from_slice(&[slot, kind]);
                row[2..].copy_from_slice(&key);
                len += Rows::LEN;
            }
        }
        Ok(Answer::List(Rows(&scratch[..len])))
    }

    #[inline(never)]
    fn slot(&mut self, slot: u8) -> Result<Answer<'_>, Refusal> {
        Ok(Answer::Slot(self.stored(slot)?.details))
    }

    /// The key in a slot.
    pub(super) fn stored(&mut self, slot: u8) -> Result<Stored<'_>, Refusal> {
        find(&mut self.board, slot, &mut self.record)
    }

    #[inline(never)]
    fn counters(&mut self) -> Result<Answer<'static>, Refusal> {
        let (times, _) = times::read(self.board.flash())?;
        Ok(Answer::Counters(Counters {
            signatures: signatures::count(self.board.flash())?,
            latest: times.latest,
            witnessed: times.witnessed,
        }))
    }

    #[inline(never)]
    fn random(&mut self, len: u16) -> Result<Answer<'_>, Refusal> {
        let len = usize::from(len);
        if !(1..=RANDOM_LEN).contains(&len) {
            return Err(Refusal::because(
                Code::Value,
                format_args!("from 1 to {RANDOM_LEN} bytes, not {len}"),
            ));
        }
        let bytes = &mut self.record[..len];
        self.board.random(bytes).map_err(|_| Code::Random)?;
        Ok(Answer::Bytes(bytes))
    }

    #[inline(never)]
    fn attest(
        &mut self,
        slot: u8,
        challenge: [u8; 32],
        scratch: &mut [u8],
    ) -> Result<Answer<'_>, Refusal> {
        self.stored(slot)?;
        self.keep_time(false)?;
        let firmware = self.board.info().hash;
        let stored = find(&mut self.board, slot, &mut self.record)?;
        let details = stored.details;
        let (open, device) = (
            self.open.as_ref().ok_or(Code::Locked)?,
            self.device.as_ref().ok_or(Code::Fault)?,
        );
        // What is stated is what the seed was sealed with.
        stored
            .open(slot, &open.master, scratch)
            .ok_or(Code::Slot)?
            .zeroize();
        let attested = Attested {
            device: device.key,
            slot,
            key: Attested::kind_of(&details).ok_or(Code::Slot)?,
            imported: details.imported,
            exportable: details.exportable,
            policy: digest(&details.policy, scratch),
            generation: details.generation,
            loosened: details.loosened,
            firmware,
            counter: signatures::next(self.board.flash())?,
            challenge,
        };
        let statement = attested.write();
        let seed = Seed::from_bytes(Kind::Server, device.seed);
        let pair = KeyPair::from_seed(&seed).map_err(|_| crate::token::Fault::Device)?;
        let signature: Signature = pair.sign(&statement);
        if !pair.public_key().verify(&statement, &signature)
            || *pair.public_key().as_bytes() != device.key
        {
            return Err(crate::token::Fault::Device.into());
        }
        let place = &mut self.record[..statement.len()];
        place.copy_from_slice(&statement);
        Ok(Answer::Attestation {
            statement: place,
            signature: signature.into(),
        })
    }
}

/// The key in a slot, from the parts of the token that this takes.
pub(super) fn find<'r, B: Board>(
    board: &mut B,
    slot: u8,
    record: &'r mut [u8; crate::token::store::RECORD],
) -> Result<Stored<'r>, Refusal> {
    if usize::from(slot) >= SLOTS {
        return Err(Refusal::because(
            Code::Value,
            format_args!("slots go from 0 to {}, there is no {slot}", SLOTS - 1),
        ));
    }
    match Slot::read(board.flash(), slot, record)? {
        Slot::Key(stored) => Ok(stored),
        Slot::Free => Err(Refusal::because(
            Code::Slot,
            format_args!("slot {slot} is free"),
        )),
        Slot::Damaged => Err(Refusal::because(
            Code::Slot,
            format_args!("the record of slot {slot} is damaged, its key is lost"),
        )),
    }
}

/// A change needs the button held.
pub(super) fn held(press: bool) -> Result<(), Refusal> {
    if press {
        Ok(())
    } else {
        Err(Refusal::Press(Press::Held))
    }
}

/// In a time that does not tell where they differ.
fn same(one: &[u8; 16], other: &[u8; 16]) -> bool {
    one.iter().zip(other).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}
