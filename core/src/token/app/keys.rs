//! Keys: making, naming, ruling, wiping, taking in, giving out.

use super::gate::{find, held};
use super::inner::Core;
use super::pin::check_len;
use super::refusal::Refusal;
use crate::nkey::{KeyPair, Kind, Seed};
use crate::policy::Policy;
use crate::token::board::Board;
use crate::token::code::{Code, Fault};
use crate::token::message::{Answer, Details, Key};
use crate::token::store::{Slot, Stored};
use crate::token::transfer::{self, Own};
use crate::token::{NAME_LEN, SLOTS};
use zeroize::Zeroizing;

impl<B: Board> Core<B> {
    #[inline(never)]
    pub(super) fn generate(
        &mut self,
        kind: u8,
        name: &str,
        exportable: bool,
        scratch: &mut [u8],
    ) -> Result<Answer<'static>, Refusal> {
        let kind = check_kind(kind)?;
        check_name(name)?;
        if exportable && self.config.and_then(|config| config.peer).is_none() {
            return Err(Refusal::because(
                Code::NotAllowed,
                "no backup peer was pinned by Init",
            ));
        }
        let slot = self.free(None)?;
        let mut bytes = Zeroizing::new([0; 32]);
        self.board
            .random(&mut bytes[..])
            .map_err(|_| Code::Random)?;
        let seed = Seed::from_bytes(kind, *bytes);
        let details = details(kind, name, exportable, false);
        self.put(slot, details, &seed, scratch)
    }

    #[inline(never)]
    pub(super) fn import(
        &mut self,
        kind: u8,
        seed: [u8; 32],
        name: &str,
        press: bool,
        scratch: &mut [u8],
    ) -> Result<Answer<'static>, Refusal> {
        let seed = Seed::from_bytes(check_kind(kind)?, seed);
        check_name(name)?;
        if !self.config.is_some_and(|config| config.importable) {
            return Err(Refusal::because(
                Code::NotAllowed,
                "the token was initialised not to import keys",
            ));
        }
        let pair =
            KeyPair::from_seed(&seed).map_err(|error| Refusal::because(Code::Value, error))?;
        let slot = self.free(Some(pair.public_key().as_bytes()))?;
        held(press)?;
        self.keep_time(true)?;
        let details = details(seed.kind(), name, false, true);
        self.put(slot, details, &seed, scratch)
    }

    #[inline(never)]
    pub(super) fn receive(
        &mut self,
        sealed: &[u8],
        press: bool,
        scratch: &mut [u8],
    ) -> Result<Answer<'static>, Refusal> {
        let peer = self.config.and_then(|config| config.peer);
        let peer = peer.ok_or_else(|| {
            Refusal::because(Code::NotAllowed, "no backup peer was pinned by Init")
        })?;
        let device = self.device.as_ref().ok_or(Fault::Device)?;
        let own = Own {
            seed: &device.seed,
            key: &device.key,
        };
        let (sent, seed) = transfer::receive(&own, &peer, sealed).ok_or_else(|| {
            Refusal::because(Code::Value, "not sealed by the backup peer to this token")
        })?;
        let seed = Seed::from_bytes(check_kind(sent.kind)?, *seed);
        check_name(sent.name)?;
        if !sent.policy.is_valid() {
            return Err(Code::Value.into());
        }
        check_key(&seed, &sent.key)?;
        let slot = self.free(Some(&sent.key))?;
        held(press)?;
        self.keep_time(true)?;
        let details = Details {
            imported: true,
            exportable: false,
            ..sent
        };
        self.put(slot, details, &seed, scratch)
    }

    #[inline(never)]
    pub(super) fn export(
        &mut self,
        slot: u8,
        pin: &[u8],
        press: bool,
        scratch: &mut [u8],
    ) -> Result<Answer<'_>, Refusal> {
        let peer = self.config.and_then(|config| config.peer);
        let exportable = self.stored(slot)?.details.exportable;
        let (Some(peer), true) = (peer, exportable) else {
            return Err(Refusal::because(
                Code::NotAllowed,
                "the key was not made exportable",
            ));
        };
        check_len(pin)?;
        held(press)?;
        self.keep_time(true)?;
        let master = self.check_pin(pin)?;
        let mut ephemeral = Zeroizing::new([0; 32]);
        self.board
            .random(&mut ephemeral[..])
            .map_err(|_| Code::Random)?;
        let stored = find(&mut self.board, slot, &mut self.record)?;
        let seed = stored.open(slot, &master, scratch).ok_or(Code::Slot)?;
        let device = self.device.as_ref().ok_or(Fault::Device)?;
        let own = Own {
            seed: &device.seed,
            key: &device.key,
        };
        let len = transfer::send(&own, &peer, &ephemeral, &stored.details, &seed, scratch)
            .ok_or(Fault::Device)?;
        let place = self.record.get_mut(..len).ok_or(Code::TooLarge)?;
        place.copy_from_slice(&scratch[..len]);
        Ok(Answer::Bytes(place))
    }

    #[inline(never)]
    pub(super) fn name(
        &mut self,
        slot: u8,
        name: &str,
        scratch: &mut [u8],
    ) -> Result<Answer<'static>, Refusal> {
        check_name(name)?;
        self.rewrite(slot, Change::Name(name), scratch)
    }

    #[inline(never)]
    pub(super) fn tighten(
        &mut self,
        slot: u8,
        policy: Policy<'_>,
        scratch: &mut [u8],
    ) -> Result<Answer<'static>, Refusal> {
        self.stored(slot)?;
        if !policy.is_valid() {
            return Err(Code::Value.into());
        }
        self.rewrite(slot, Change::Tighter(policy), scratch)
    }

    #[inline(never)]
    pub(super) fn loosen(
        &mut self,
        slot: u8,
        policy: Policy<'_>,
        press: bool,
        scratch: &mut [u8],
    ) -> Result<Answer<'static>, Refusal> {
        self.stored(slot)?;
        if !policy.is_valid() {
            return Err(Code::Value.into());
        }
        held(press)?;
        self.keep_time(true)?;
        // What a press once allowed was another policy's.
        if let Some(pressed) = self.pressed.get_mut(usize::from(slot)) {
            pressed.fill(None);
        }
        self.rewrite(slot, Change::Looser(policy), scratch)
    }

    #[inline(never)]
    pub(super) fn erase(&mut self, slot: u8, press: bool) -> Result<Answer<'static>, Refusal> {
        // A damaged record can be wiped too.
        if usize::from(slot) >= SLOTS
            || matches!(
                Slot::read(self.board.flash(), slot, &mut self.record)?,
                Slot::Free
            )
        {
            self.stored(slot)?;
        }
        held(press)?;
        self.keep_time(true)?;
        Slot::erase(self.board.flash(), slot)?;
        if let Some(pressed) = self.pressed.get_mut(usize::from(slot)) {
            pressed.fill(None);
        }
        Ok(Answer::Done)
    }

    /// The first free slot, unless the key is in another already.
    fn free(&mut self, key: Option<&[u8; 32]>) -> Result<u8, Refusal> {
        let mut free = None;
        for slot in 0..SLOTS as u8 {
            match Slot::read(self.board.flash(), slot, &mut self.record)? {
                Slot::Free => free = free.or(Some(slot)),
                Slot::Key(stored) if Some(&stored.details.key) == key => {
                    return Err(Refusal::because(
                        Code::Exists,
                        format_args!("the key is in slot {slot}"),
                    ));
                }
                Slot::Key(_) | Slot::Damaged => {}
            }
        }
        free.ok_or(Code::Full.into())
    }

    /// Seals a seed and stores it with what is said about it.
    fn put(
        &mut self,
        slot: u8,
        details: Details<'_>,
        seed: &Seed,
        scratch: &mut [u8],
    ) -> Result<Answer<'static>, Refusal> {
        let key = KeyPair::from_seed(seed)
            .map_err(|_| Code::Random)?
            .public_key();
        let details = Details {
            key: *key.as_bytes(),
            ..details
        };
        let mut nonce = [0; 12];
        self.board.random(&mut nonce).map_err(|_| Code::Random)?;
        let open = self.open.as_ref().ok_or(Code::Locked)?;
        let stored = Stored::new(slot, details, &open.master, nonce, seed.as_bytes(), scratch)
            .ok_or(Code::Value)?;
        stored.write(self.board.flash(), slot, scratch)?;
        Ok(Answer::Key(self::key(slot, &stored)))
    }

    /// Stores a key again with something else said about it.
    fn rewrite(
        &mut self,
        slot: u8,
        change: Change<'_>,
        scratch: &mut [u8],
    ) -> Result<Answer<'static>, Refusal> {
        let mut nonce = [0; 12];
        self.board.random(&mut nonce).map_err(|_| Code::Random)?;
        let open = self.open.as_ref().ok_or(Code::Locked)?;
        let stored = find(&mut self.board, slot, &mut self.record)?;
        let old = stored.details;
        let details = match change {
            Change::Name(name) => Details { name, ..old },
            Change::Tighter(policy) if !policy.narrower(&old.policy) => {
                return Err(Code::Wider.into());
            }
            Change::Tighter(policy) | Change::Looser(policy) => Details {
                loosened: old.loosened || !policy.narrower(&old.policy),
                generation: old.generation.checked_add(1).ok_or(Code::Value)?,
                policy,
                ..old
            },
        };
        let seed = stored.open(slot, &open.master, scratch).ok_or(Code::Slot)?;
        let stored =
            Stored::new(slot, details, &open.master, nonce, &seed, scratch).ok_or(Code::Value)?;
        stored.write(self.board.flash(), slot, scratch)?;
        Ok(Answer::Done)
    }
}

/// What else is said about a key.
enum Change<'a> {
    Name(&'a str),
    Tighter(Policy<'a>),
    Looser(Policy<'a>),
}

fn details(kind: Kind, name: &str, exportable: bool, imported: bool) -> Details<'_> {
    Details {
        kind: kind.prefix(),
        key: [0; 32],
        name,
        imported,
        exportable,
        generation: 0,
        loosened: false,
        policy: Policy::new(kind),
    }
}

/// A public key and its slot.
pub(super) fn key(slot: u8, stored: &Stored<'_>) -> Key {
    Key {
        slot,
        kind: stored.details.kind,
        key: stored.details.key,
    }
}

/// Whether the key is the seed's: under another name it could stand in two slots.
#[inline(never)]
fn check_key(seed: &Seed, key: &[u8; 32]) -> Result<(), Refusal> {
    let pair = KeyPair::from_seed(seed).map_err(|error| Refusal::because(Code::Value, error))?;
    if pair.public_key().as_bytes() != key {
        return Err(Refusal::because(
            Code::Value,
            "the sealed seed is another key's",
        ));
    }
    Ok(())
}

fn check_kind(kind: u8) -> Result<Kind, Refusal> {
    match Kind::from_prefix(kind) {
        Ok(kind @ (Kind::Operator | Kind::Account | Kind::User)) => Ok(kind),
        _ => Err(Refusal::because(
            Code::Value,
            "a token holds keys of operators, accounts and users",
        )),
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if name.len() <= NAME_LEN && !name.contains(char::is_control) {
        return Ok(());
    }
    Err(Refusal::because(
        Code::Value,
        format_args!("a name has at most {NAME_LEN} bytes and no control characters"),
    ))
}
