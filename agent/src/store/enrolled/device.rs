//! A device behind a process of its own: `nkey-holder` has the driver, the agent has the PIN.

use super::{About, Condition, Holder, Record, Slot, config, failed};
use crate::child::{Child, Failed};
use crate::device::{Ask, Facts, Failure, Fault, MAX_PIN};
use crate::store::locked::Secret;
use crate::store::{Person, Prompt, StoreError};
use crate::uri::Uri;
use crate::wire::{Malformed, Reader};
use nkey_core::Signature;
use nkey_core::nkey::{Kind, PublicKey};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

/// How long a device may take, if the configuration does not say.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most slots that are read.
const MAX_SLOTS: u32 = 4096;

/// What is opened in the process.
enum Source {
    Pkcs11(PathBuf, String),
    Piv(String),
    OpenPgp(String),
}

/// A token of a PKCS#11 module, or an applet of a card.
pub struct Device {
    name: String,
    source: Source,
    limit: Option<usize>,
    patience: Duration,
    program: PathBuf,
    child: Mutex<Option<Child>>,
    pin: Mutex<Option<Secret>>,
    facts: Mutex<Option<Facts>>,
    /// The process knows a PIN that was given up: it must go.
    stale: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Device {
    /// The token that a configuration names.
    pub fn pkcs11(name: &str, config: config::Pkcs11, program: PathBuf) -> Device {
        let source = Source::Pkcs11(config.module, config.token);
        let name = format!("pkcs11:{name}");
        Device::new(name, source, config.limit, config.patience, program)
    }

    /// The PIV applet that a configuration names.
    pub fn piv(name: &str, config: config::Piv, program: PathBuf) -> Device {
        let source = Source::Piv(config.serial);
        let name = format!("piv:{name}");
        Device::new(name, source, config.limit, config.patience, program)
    }

    /// The OpenPGP applet that a configuration names.
    pub fn openpgp(name: &str, config: config::OpenPgp, program: PathBuf) -> Device {
        let source = Source::OpenPgp(config.serial);
        let name = format!("openpgp:{name}");
        Device::new(name, source, config.limit, config.patience, program)
    }

    fn new(
        name: String,
        source: Source,
        limit: Option<usize>,
        patience: Option<u16>,
        program: PathBuf,
    ) -> Device {
        Device {
            name,
            source,
            limit,
            patience: patience.map_or(PATIENCE, |seconds| Duration::from_secs(seconds.into())),
            program,
            child: Mutex::new(None),
            pin: Mutex::new(None),
            facts: Mutex::new(None),
            stale: AtomicBool::new(false),
        }
    }

    fn said(&self, failure: Failure) -> StoreError {
        match failure.fault {
            Fault::WrongPin => StoreError::WrongPin(self.name.clone(), failure.text),
            Fault::NeedsPin => StoreError::Locked,
            _ => failed(&self.name, failure.text),
        }
    }

    fn failed(&self, failure: Failed) -> StoreError {
        match failure {
            Failed::Said(failure) => self.said(failure),
            Failed::Broken(why) => failed(&self.name, why),
        }
    }

    fn malformed(&self, Malformed(why): Malformed) -> StoreError {
        failed(&self.name, format!("its process answers nonsense: {why}"))
    }

    /// Asks the process, which is started if need be. A broken one is ended.
    fn ask(&self, ask: &Ask<'_>) -> Result<Vec<u8>, StoreError> {
        self.ask_by(lock(&self.child), ask, || {})
    }

    fn ask_by(
        &self,
        mut child: MutexGuard<'_, Option<Child>>,
        ask: &Ask<'_>,
        waits: impl Fn(),
    ) -> Result<Vec<u8>, StoreError> {
        if self.stale.swap(false, Ordering::SeqCst) {
            child.take();
        }
        let running = self.running(&mut child)?;
        let result = running.ask_waiting(ask, self.patience, waits);
        if matches!(result, Err(Failed::Broken(_))) || self.stale.swap(false, Ordering::SeqCst) {
            child.take();
        }
        if let Err(Failed::Said(failure)) = &result
            && matches!(failure.fault, Fault::WrongPin | Fault::Blocked)
        {
            lock(&self.pin).take();
        }
        result.map_err(|failure| self.failed(failure))
    }

    fn running<'a>(&self, child: &'a mut Option<Child>) -> Result<&'a mut Child, StoreError> {
        if child.as_mut().is_some_and(Child::is_alive) {
            return child
                .as_mut()
                .ok_or_else(|| failed(&self.name, "its process has gone"));
        }
        child.take();
        let started = self.start()?;
        Ok(child.insert(started))
    }

    fn opening(&self) -> Result<Ask<'_>, StoreError> {
        let (module, token) = match &self.source {
            Source::Piv(serial) => return Ok(Ask::Piv { serial }),
            Source::OpenPgp(serial) => return Ok(Ask::OpenPgp { serial }),
            Source::Pkcs11(module, token) => (module, token),
        };
        let metadata = std::fs::metadata(module).map_err(|error| {
            failed(
                &self.name,
                format!("the module {}: {error}", module.display()),
            )
        })?;
        config::trusted(module, &metadata)?;
        let module = module
            .to_str()
            .ok_or_else(|| failed(&self.name, "the path of its module is not UTF-8"))?;
        Ok(Ask::Pkcs11 { module, token })
    }

    /// Starts the process, opens the device, and gives it the PIN if the agent has it.
    fn start(&self) -> Result<Child, StoreError> {
        let open = self.opening()?;
        let mut child = Child::start(&self.program).map_err(|why| failed(&self.name, why))?;
        let told = |failure| self.failed(failure);
        child.ask(&open, self.patience).map_err(told)?;
        let facts = child.ask(&Ask::Facts, self.patience).map_err(told)?;
        let facts = Facts::read(&facts).map_err(|error| self.malformed(error))?;
        *lock(&self.facts) = Some(facts);
        // Taken, and put back only if it is right: one that kills or hangs the device is not
        // given to it again.
        let Some(pin) = lock(&self.pin).take() else {
            return Ok(child);
        };
        let text = std::str::from_utf8(pin.expose()).unwrap_or_default();
        child
            .ask(&Ask::Login { pin: text }, self.patience)
            .map_err(told)?;
        *lock(&self.pin) = Some(pin);
        Ok(child)
    }

    fn signature(
        &self,
        slot: &str,
        message: &[u8],
        waits: impl Fn(),
    ) -> Result<Signature, StoreError> {
        let ask = Ask::Sign { slot, message };
        let body = self.ask_by(lock(&self.child), &ask, waits)?;
        let bytes: [u8; 64] = body.as_slice().try_into().map_err(|_| {
            failed(
                &self.name,
                format!("it answered {} bytes instead of a signature", body.len()),
            )
        })?;
        Ok(Signature::from_bytes(bytes))
    }

    fn facts(&self) -> Result<Facts, StoreError> {
        self.facts_by(lock(&self.child))
    }

    fn facts_by(&self, child: MutexGuard<'_, Option<Child>>) -> Result<Facts, StoreError> {
        let body = self.ask_by(child, &Ask::Facts, || {})?;
        let facts = Facts::read(&body).map_err(|error| self.malformed(error))?;
        *lock(&self.facts) = Some(facts.clone());
        Ok(facts)
    }
}

impl Holder for Device {
    fn name(&self) -> &str {
        &self.name
    }

    fn place(&self) -> String {
        match &self.source {
            Source::Pkcs11(module, _) => module.display().to_string(),
            Source::Piv(serial) | Source::OpenPgp(serial) => format!("card {serial}"),
        }
    }

    fn about(&self) -> About {
        let asked = match self.child.try_lock() {
            Ok(child) => self.facts_by(child).map(drop),
            Err(TryLockError::Poisoned(child)) => self.facts_by(child.into_inner()).map(drop),
            // It works for somebody: what it said last is still true.
            Err(TryLockError::WouldBlock) => Ok(()),
        };
        let condition = match asked {
            Ok(()) => Condition::Ready,
            Err(StoreError::Holder(_, why)) => Condition::Absent(why),
            Err(error) => Condition::Absent(error.to_string()),
        };
        let facts = lock(&self.facts).clone().unwrap_or_default();
        About {
            condition,
            serial: facts.serial,
            policy: match facts.tries.as_str() {
                "" => facts.policy,
                tries => format!("{}; {tries}", facts.policy),
            },
            shared: true,
        }
    }

    fn max_message(&self) -> usize {
        let known = || {
            let known = lock(&self.facts).as_ref().map(|facts| facts.limit);
            let limit = known.or_else(|| self.facts().ok().map(|facts| facts.limit));
            limit.map_or(0, |limit| limit as usize)
        };
        let limit = self.limit.unwrap_or_else(known);
        limit.min(crate::message::MAX_SIGNING_INPUT)
    }

    fn lanes(&self) -> usize {
        1
    }

    fn slots(&self) -> Result<Vec<Slot>, StoreError> {
        let body = self.ask(&Ask::Slots)?;
        let read = || -> Result<Vec<Slot>, Malformed> {
            let mut reader = Reader::new(&body);
            let count = reader.uint32()?.min(MAX_SLOTS);
            (0..count).map(|_| Slot::read(&mut reader)).collect()
        };
        read().map_err(|error| self.malformed(error))
    }

    fn is_named(&self, slot: &Slot, wanted: &str) -> Result<bool, StoreError> {
        let uri = Uri::parse(wanted).map_err(|why| failed(&self.name, why))?;
        Ok(match uri {
            None => slot.id == wanted || slot.label == wanted,
            Some(uri) => {
                let id = uri.id.map(|id| {
                    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
                    format!("id:{hex}")
                });
                id.is_none_or(|id| id == slot.id)
                    && uri.object.is_none_or(|object| object == slot.label)
            }
        })
    }

    fn generate_as(&self, label: &str, kind: Kind) -> Result<Slot, StoreError> {
        let body = self.ask(&Ask::Generate { label, kind })?;
        Slot::read(&mut Reader::new(&body)).map_err(|error| self.malformed(error))
    }

    fn sign(&self, slot: &str, _: &PublicKey, message: &[u8]) -> Result<Signature, StoreError> {
        self.signature(slot, message, || {})
    }

    fn sign_for(
        &self,
        record: &Record,
        message: &[u8],
        person: &dyn Person,
    ) -> Result<Signature, StoreError> {
        self.signature(&record.slot, message, || {
            person.say(&format!(
                "touch {} ({}) to sign with {}",
                self.name,
                self.place(),
                record.key
            ));
        })
    }

    fn is_locked(&self) -> bool {
        let needs_pin = lock(&self.facts)
            .as_ref()
            .is_none_or(|facts| facts.needs_pin);
        needs_pin && lock(&self.pin).is_none()
    }

    fn lock(&self) {
        lock(&self.pin).take();
        self.stale.store(true, Ordering::SeqCst);
        if let Ok(mut child) = self.child.try_lock() {
            child.take();
        }
    }

    fn unlock(&self, prompt: &mut dyn Prompt) -> Result<(), StoreError> {
        let facts = self.facts()?;
        if !facts.needs_pin {
            return Ok(());
        }
        let tries = match facts.tries.as_str() {
            "" => String::new(),
            tries => format!(", {tries}"),
        };
        let pin = if facts.pad {
            prompt.message(&format!("type the PIN of {} at the device", self.name));
            zeroize::Zeroizing::default()
        } else {
            let text = format!("PIN of {} ({}{tries})", self.name, facts.label);
            let pin = prompt.secret(&text).ok_or(StoreError::Cancelled)?;
            if pin.is_empty() {
                return Err(StoreError::Cancelled);
            }
            pin
        };
        if pin.len() > MAX_PIN {
            return Err(failed(
                &self.name,
                format!("no PIN has more than {MAX_PIN} bytes"),
            ));
        }
        self.ask(&Ask::Login { pin: &pin })?;
        let kept = Secret::fill(pin.len(), |bytes| bytes.copy_from_slice(pin.as_bytes()));
        let kept = kept.map_err(|error| StoreError::Io("no memory for a PIN".into(), error))?;
        *lock(&self.pin) = Some(kept);
        Ok(())
    }
}
