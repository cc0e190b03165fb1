//! A card for crate `openpgp-card`, over pcscd. Short commands, chained; what a card says of
//! itself is bounded before the crate believes it.

use crate::card::{Fail, release};
use card_backend::{CardBackend, CardCaps, CardTransaction, PinType, SmartcardError};
use nkey_agent::device::{Failure, Fault};
use pcsc::{Card, Disposition, Transaction};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The application, whatever its version.
const APPLICATION: [u8; 6] = [0xd2, 0x76, 0, 1, 0x24, 1];
const IDENTIFIER: [u8; 4] = [0, 0xca, 0, 0x4f];
const VERIFY: u8 = 0x20;
const CHANGE: u8 = 0x24;
/// Most bytes of a response that comes in parts.
const MAX_RESPONSE: usize = 16 * 1024;
const OK: u16 = 0x9000;

/// What the crate's errors do not tell.
#[derive(Default)]
pub struct Seen {
    /// Why an exchange failed.
    pub fail: Option<Fail>,
    /// The last status word.
    pub status: u16,
}

/// [`Seen`], by the backend and by who uses it.
#[derive(Clone, Default)]
pub struct Trace(Arc<Mutex<Seen>>);

impl Trace {
    /// What was seen.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, fail: impl Into<Fail>) -> SmartcardError {
        self.seen().fail = Some(fail.into());
        SmartcardError::Error("the card".to_owned())
    }
}

/// A card.
pub struct Backend {
    card: Option<Card>,
    trace: Trace,
    /// Whether it forgets a PIN when it is told to, once that is known.
    forgets: Option<bool>,
}

impl Backend {
    /// A card in a reader.
    pub fn new(card: Card, trace: Trace) -> Backend {
        Backend {
            card: Some(card),
            trace,
            forgets: None,
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        if let Some(card) = self.card.take() {
            release(card);
        }
    }
}

impl From<Backend> for Box<dyn CardBackend + Send + Sync> {
    fn from(backend: Backend) -> Self {
        Box::new(backend)
    }
}

impl CardBackend for Backend {
    fn limit_card_caps(&self, caps: CardCaps) -> CardCaps {
        let (pw1, pw3) = (caps.pw1_max_len(), caps.pw3_max_len());
        if caps.chaining_support() || !caps.ext_support() {
            return CardCaps::new(false, caps.chaining_support(), 0xff, 0xff, pw1, pw3);
        }
        let (command, response) = (caps.max_cmd_bytes(), caps.max_rsp_bytes());
        CardCaps::new(
            true,
            false,
            command.max(0x100),
            response.max(0x100),
            pw1,
            pw3,
        )
    }

    fn transaction(
        &mut self,
        _: Option<&[u8]>,
    ) -> Result<Box<dyn CardTransaction + Send + Sync + '_>, SmartcardError> {
        let Some(card) = &mut self.card else {
            return Err(self.trace.failed(pcsc::Error::InvalidHandle));
        };
        let transaction = card.transaction();
        let transaction = transaction.map_err(|error| self.trace.failed(error))?;
        let mut guard = Guard {
            transaction: Some(transaction),
            trace: self.trace.clone(),
            forgets: &mut self.forgets,
            tells: false,
            given: Vec::new(),
        };
        guard.select()?;
        Ok(Box::new(guard))
    }
}

/// A transaction. A card that was not verified before it is not verified after it: verification
/// belongs to the card, and any program could use it.
struct Guard<'a> {
    transaction: Option<Transaction<'a>>,
    trace: Trace,
    forgets: &'a mut Option<bool>,
    /// Whether the card says if it is verified. Older ones could count the question as a try.
    tells: bool,
    /// The PINs that were given and are to be forgotten, by number.
    given: Vec<u8>,
}

impl Guard<'_> {
    /// Another program may have selected another applet. Selecting this one once more could
    /// make it forget a PIN that somebody else gave.
    fn select(&mut self) -> Result<(), SmartcardError> {
        let mut identifier = self.exchange(&IDENTIFIER, true)?;
        if !is_ours(&identifier) {
            let length = APPLICATION.len() as u8;
            let command = [&[0, 0xa4, 4, 0, length][..], &APPLICATION, &[0]].concat();
            let answer = self.exchange(&command, true)?;
            if status(&answer) != OK {
                let text = format!("it has no OpenPGP applet (SW {:04X})", status(&answer));
                return Err(self.trace.failed(Failure::other(text)));
            }
            identifier = self.exchange(&IDENTIFIER, true)?;
        }
        self.tells = identifier.get(6).is_some_and(|version| *version >= 3);
        Ok(())
    }

    fn is_verified(&mut self, pin: u8) -> Result<bool, SmartcardError> {
        Ok(status(&self.exchange(&[0, VERIFY, 0, pin], false)?) == OK)
    }

    /// Sends a command; the response in one piece and its status word.
    fn exchange(&mut self, command: &[u8], expects: bool) -> Result<Vec<u8>, SmartcardError> {
        let mut command = command.to_vec();
        if expects && command.len() == 4 {
            command.push(0);
        }
        let mut whole = self.one(&command)?;
        // A card that wants the exact length of the response.
        if status(&whole) >> 8 == 0x6c && command.len() < 0x106 {
            let length = whole.pop().unwrap_or(0);
            let data = command.get(4).copied().unwrap_or(0);
            // One that has data alone says no length yet.
            let says_none = data > 0 && command.len() == 5 + usize::from(data);
            if !says_none && command.len() > 4 {
                command.pop();
            }
            command.push(length);
            whole = self.one(&command)?;
        }
        while status(&whole) >> 8 == 0x61 {
            let left = whole.pop().unwrap_or(0);
            whole.pop();
            let part = self.one(&[0, 0xc0, 0, 0, left])?;
            whole.extend(part);
            if whole.len() > MAX_RESPONSE {
                let text = "its response does not end";
                return Err(self.trace.failed(Failure::other(text)));
            }
        }
        self.trace.seen().status = status(&whole);
        if status(&whole) >> 8 == 0x6c {
            // The crate would ask once more, and panics at some lengths.
            whole = vec![0x6f, 0];
        }
        Ok(whole)
    }

    fn one(&mut self, command: &[u8]) -> Result<Vec<u8>, SmartcardError> {
        let mut buffer = vec![0; pcsc::MAX_BUFFER_SIZE_EXTENDED];
        let Some(transaction) = &self.transaction else {
            return Err(self.trace.failed(pcsc::Error::NotTransacted));
        };
        match transaction.transmit(command, &mut buffer) {
            Ok(response) if response.len() >= 2 => Ok(response.to_vec()),
            // What a reader says of a card that was pulled out meanwhile.
            Ok(_) => Err(self.trace.failed(Fail::Lost(Failure::new(
                Fault::Absent,
                "the card was removed: its response has no status word",
            )))),
            Err(error) => Err(self.trace.failed(error)),
        }
    }

    /// Whether the card has forgotten the PINs that were given.
    fn forget(&mut self) -> bool {
        let given = std::mem::take(&mut self.given);
        if given.is_empty() {
            return true;
        }
        if !self.tells || *self.forgets == Some(false) {
            return false;
        }
        let mut forgotten = true;
        for pin in given {
            let told = self.exchange(&[0, VERIFY, 0xff, pin], false);
            forgotten &= told.is_ok_and(|answer| status(&answer) == OK);
            // Some cards say so and do nothing.
            if self.forgets.is_none() {
                forgotten &= self.is_verified(pin).is_ok_and(|verified| !verified);
            }
        }
        *self.forgets = Some(forgotten);
        forgotten
    }
}

fn is_ours(answer: &[u8]) -> bool {
    status(answer) == OK && answer.starts_with(&APPLICATION)
}

/// The status word of a response, which has one.
fn status(response: &[u8]) -> u16 {
    response
        .last_chunk::<2>()
        .map_or(0, |status| u16::from_be_bytes(*status))
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let seen = std::mem::take(&mut *self.trace.seen());
        let end = if self.forget() {
            Disposition::LeaveCard
        } else {
            // Nothing else makes every card forget: some keep a PIN over a reset.
            Disposition::UnpowerCard
        };
        *self.trace.seen() = seen;
        if let Some(transaction) = self.transaction.take() {
            // Whatever the end says, the result stands.
            let _ = transaction.end(end);
        }
    }
}

impl CardTransaction for Guard<'_> {
    fn transmit(&mut self, command: &[u8], _: usize) -> Result<Vec<u8>, SmartcardError> {
        if let [0, VERIFY | CHANGE, 0, pin, _, ..] = *command
            && !self.given.contains(&pin)
            && !(self.tells && self.is_verified(pin)?)
        {
            self.given.push(pin);
        }
        self.exchange(command, false)
    }

    fn feature_pinpad_verify(&self) -> bool {
        false
    }

    fn feature_pinpad_modify(&self) -> bool {
        false
    }

    fn pinpad_verify(
        &mut self,
        _: PinType,
        _: &Option<CardCaps>,
    ) -> Result<Vec<u8>, SmartcardError> {
        Err(self.trace.failed(Failure::other("its reader has no keys")))
    }

    fn pinpad_modify(
        &mut self,
        _: PinType,
        _: &Option<CardCaps>,
    ) -> Result<Vec<u8>, SmartcardError> {
        Err(self.trace.failed(Failure::other("its reader has no keys")))
    }

    fn was_reset(&self) -> bool {
        false
    }
}
