//! An agent in this process, over a store in memory with fixed keys.
#![allow(dead_code, reason = "each test file uses a part")]

use nkey_agent::client::{Client, Enrol, Prompt};
use nkey_agent::message::MAX_SIGNING_INPUT;
use nkey_agent::server::{self, Agent};
use nkey_agent::store::enrolled::{About, Condition, Enrolled, Holder, Record, Records, Slot};
use nkey_agent::store::volatile::Volatile;
use nkey_agent::store::{Check, Flags, KeyInfo, Person, State, Store, StoreError};
use nkey_core::Signature;
use nkey_core::nkey::{KeyPair, Kind, PublicKey, Secret, Seed};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

/// The passphrase of [`Memory`].
pub const PASSPHRASE: &str = "correct horse";

/// A store that locks and unlocks as a vault does; its keys are in memory.
pub struct Memory {
    keys: Volatile,
    locked: AtomicBool,
}

impl Memory {
    pub fn new(keys: &[(Seed, &str, Flags)]) -> Memory {
        let store = Volatile::new();
        for (seed, name, flags) in keys {
            store.add(seed, name, *flags).unwrap();
        }
        Memory {
            keys: store,
            locked: AtomicBool::new(false),
        }
    }

    fn unlocked(&self) -> Result<&Volatile, StoreError> {
        match self.state() {
            State::Unlocked => Ok(&self.keys),
            State::Locked => Err(StoreError::Locked),
        }
    }

    // A volatile store marks its keys; a lasting one has no such mark.
    fn lasting(mut info: KeyInfo) -> KeyInfo {
        info.flags.volatile = false;
        info
    }
}

impl Store for Memory {
    fn name(&self) -> &'static str {
        "vault"
    }

    fn state(&self) -> State {
        match self.locked.load(Ordering::SeqCst) {
            true => State::Locked,
            false => State::Unlocked,
        }
    }

    fn max_message(&self) -> usize {
        MAX_SIGNING_INPUT
    }

    fn check(&self) -> Check {
        Check::Verify
    }

    fn keys(&self) -> Vec<KeyInfo> {
        self.keys.keys().into_iter().map(Memory::lasting).collect()
    }

    fn find(&self, key: &PublicKey) -> Option<KeyInfo> {
        self.keys.find(key).map(Memory::lasting)
    }

    fn open(&self, key: &PublicKey) -> Result<KeyInfo, StoreError> {
        self.unlocked()?.open(key).map(Memory::lasting)
    }

    fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Signature, StoreError> {
        self.unlocked()?.sign(key, message)
    }

    fn add(&self, seed: &Seed, name: &str, flags: Flags) -> Result<PublicKey, StoreError> {
        self.keys.add(seed, name, flags)
    }

    fn export(&self, key: &PublicKey) -> Result<Secret, StoreError> {
        self.unlocked()?.export(key)
    }

    fn remove(&self, key: &PublicKey) -> Result<(), StoreError> {
        self.unlocked()?.remove(key)
    }

    fn rename(&self, key: &PublicKey, name: &str) -> Result<(), StoreError> {
        self.unlocked()?.rename(key, name)
    }

    fn lock(&self) {
        self.locked.store(true, Ordering::SeqCst);
    }

    fn unlock(&self, prompt: &mut dyn Prompt) -> Result<(), StoreError> {
        let given = prompt
            .secret("Passphrase of the vault")
            .ok_or(StoreError::Cancelled)?;
        if *given != PASSPHRASE {
            return Err(StoreError::WrongPassphrase);
        }
        self.locked.store(false, Ordering::SeqCst);
        Ok(())
    }
}

/// The seed of 32 equal bytes.
pub fn seed(kind: Kind, byte: u8) -> Seed {
    Seed::from_bytes(kind, [byte; 32])
}

pub fn pair(kind: Kind, byte: u8) -> KeyPair {
    KeyPair::from_seed(&seed(kind, byte)).unwrap()
}

pub fn key(kind: Kind, byte: u8) -> PublicKey {
    pair(kind, byte).public_key()
}

/// An operator's key of bytes 1, an account's of bytes 2 and a user's of bytes 3.
pub fn three_keys() -> Memory {
    let any_iat = Flags {
        any_iat: true,
        ..Flags::default()
    };
    let exportable = Flags {
        exportable: true,
        ..Flags::default()
    };
    Memory::new(&[
        (seed(Kind::Operator, 1), "O", Flags::default()),
        (seed(Kind::Account, 2), "A", any_iat),
        (seed(Kind::User, 3), "U", exportable),
    ])
}

/// An agent that serves until it is dropped.
pub struct Running {
    pub path: PathBuf,
    directory: PathBuf,
    runtime: Option<Runtime>,
}

impl Running {
    pub fn new(store: impl Store + 'static) -> Running {
        Running::with(store, Vec::new())
    }

    /// An agent over a store and the enrolled keys of holders.
    pub fn with(store: impl Store + 'static, holders: Vec<Box<dyn Holder>>) -> Running {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let directory =
            std::env::temp_dir().join(format!("nkey-agent-test-{}-{count}", std::process::id()));
        let path = directory.join("agent.sock");
        let listener = server::listen(&path).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let mut stores = vec![(Arc::new(store) as Arc<dyn Store>, "memory".to_owned())];
        let records = Arc::new(Records::open(&directory).unwrap());
        for holder in holders {
            let place = holder.place();
            stores.push((Arc::new(Enrolled::new(holder, Arc::clone(&records))), place));
        }
        let agent = Arc::new(Agent::new(stores, Vec::new));
        let place = path.clone();
        runtime.spawn(async move { server::serve(agent, listener, &place).await });
        Running {
            path,
            directory,
            runtime: Some(runtime),
        }
    }

    pub fn client(&self) -> Client {
        Client::connect(&self.path).unwrap()
    }

    pub fn raw(&self) -> Raw {
        Raw::new(UnixStream::connect(&self.path).unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// How a card signs.
pub type Sign = dyn Fn(&KeyPair, &[u8]) -> Result<Signature, StoreError> + Send + Sync;

/// A holder in memory: one slot, `1`, with the account's key of bytes 5, and how it signs.
pub struct Card {
    pub limit: usize,
    pub sign: Box<Sign>,
    /// `None` if it needs no PIN, else whether it has it.
    pub pin: Option<AtomicBool>,
    /// What its person is told before it signs.
    pub says: Option<&'static str>,
}

impl Card {
    pub fn honest() -> Card {
        Card::signs(|pair, message| Ok(pair.sign(message)))
    }

    pub fn signs(
        sign: impl Fn(&KeyPair, &[u8]) -> Result<Signature, StoreError> + Send + Sync + 'static,
    ) -> Card {
        Card {
            limit: 1000,
            sign: Box::new(sign),
            pin: None,
            says: None,
        }
    }

    pub fn key() -> PublicKey {
        key(Kind::Account, 5)
    }

    /// Enrols its key as an account's.
    pub fn enrol(client: &mut Client) -> Result<PublicKey, nkey_agent::client::Error> {
        client.enrol(&Enrol {
            store: "card:one",
            slot: "1",
            kind: Kind::Account,
            name: "on card",
            flags: 0,
            key: None,
        })
    }
}

impl Holder for Card {
    fn name(&self) -> &str {
        "card:one"
    }

    fn place(&self) -> String {
        "a reader".to_owned()
    }

    fn about(&self) -> About {
        About {
            condition: Condition::Ready,
            serial: "12345678".to_owned(),
            policy: "PIN once".to_owned(),
            shared: true,
        }
    }

    fn max_message(&self) -> usize {
        self.limit
    }

    fn lanes(&self) -> usize {
        1
    }

    fn slots(&self) -> Result<Vec<Slot>, StoreError> {
        Ok(vec![Slot {
            id: "1".to_owned(),
            label: "signature".to_owned(),
            key: Some(*Card::key().as_bytes()),
            trouble: None,
        }])
    }

    fn generate(&self, _: &str) -> Result<Slot, StoreError> {
        Ok(self.slots()?.remove(0))
    }

    fn sign(&self, slot: &str, _: &PublicKey, message: &[u8]) -> Result<Signature, StoreError> {
        assert_eq!(slot, "1");
        assert!(message.len() <= self.limit);
        (self.sign)(&pair(Kind::Account, 5), message)
    }

    fn sign_for(
        &self,
        record: &Record,
        message: &[u8],
        person: &dyn Person,
    ) -> Result<Signature, StoreError> {
        if let Some(text) = self.says {
            person.say(text);
        }
        self.sign(&record.slot, &record.key, message)
    }

    /// As a token that does whatever it is told.
    fn pass(&self, _: &[u8], _: &dyn Person) -> Result<Vec<u8>, StoreError> {
        Ok(vec![0])
    }

    fn is_locked(&self) -> bool {
        self.pin
            .as_ref()
            .is_some_and(|has| !has.load(Ordering::SeqCst))
    }

    fn lock(&self) {
        if let Some(has) = &self.pin {
            has.store(false, Ordering::SeqCst);
        }
    }

    fn unlock(&self, prompt: &mut dyn Prompt) -> Result<(), StoreError> {
        match prompt.secret("PIN of card:one") {
            Some(pin) if *pin == "123456" => {
                self.pin
                    .iter()
                    .for_each(|has| has.store(true, Ordering::SeqCst));
                Ok(())
            }
            Some(_) => Err(StoreError::WrongPassphrase),
            None => Err(StoreError::Cancelled),
        }
    }
}

/// A connection that sends bytes as they are.
pub struct Raw(pub UnixStream);

impl Raw {
    /// An answer that does not come is an error, not a test that hangs.
    pub fn new(stream: UnixStream) -> Raw {
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream
            .set_write_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        Raw(stream)
    }

    pub fn send(&mut self, bytes: &[u8]) -> &mut Raw {
        self.0.write_all(bytes).unwrap();
        self
    }

    /// One answer without its length; none if the agent closed the connection.
    pub fn answer(&mut self) -> Option<Vec<u8>> {
        let mut length = [0u8; 4];
        match self.0.read(&mut length).unwrap_or(0) {
            0 => return None,
            some => self.0.read_exact(&mut length[some..]).unwrap(),
        }
        let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut bytes).unwrap();
        Some(bytes)
    }

    /// Sends a frame of these bytes; the answer without its length.
    pub fn ask(&mut self, payload: &[u8]) -> Vec<u8> {
        self.send(&frame(payload))
            .answer()
            .expect("the agent closed the connection")
    }
}

pub fn frame(payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(payload.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(payload);
    bytes
}

pub fn now() -> i64 {
    i64::try_from(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs(),
    )
    .unwrap()
}

/// Answers every question for a secret with the same text.
pub struct Says(pub &'static str);

impl Prompt for Says {
    fn message(&mut self, _text: &str) {}

    fn secret(&mut self, _text: &str) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new(self.0.to_owned()))
    }

    fn public(&mut self, _text: &str) -> Option<String> {
        None
    }

    fn confirm(&mut self, _text: &str) -> Option<bool> {
        None
    }
}
