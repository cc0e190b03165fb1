//! A signal: what is being signed is sent, then the socket is gone. In a file of its own, since
//! the signal goes to the whole process.
#![cfg(feature = "daemon")]

mod common;

use common::{Raw, key, seed};
use nkey_agent::client::{Client, Prompt};
use nkey_agent::message::{MAX_SIGNING_INPUT, number};
use nkey_agent::server::{self, Agent, ListenError};
use nkey_agent::store::volatile::Volatile;
use nkey_agent::store::{Check, Flags, KeyInfo, State, Store, StoreError};
use nkey_agent::wire::Writer;
use nkey_core::Signature;
use nkey_core::nkey::{Kind, PublicKey, Secret, Seed};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// A store that says when it begins to sign, and signs when it is told to.
struct Slow {
    keys: Volatile,
    begun: Mutex<Sender<()>>,
    go_on: Mutex<Receiver<()>>,
}

impl Store for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn state(&self) -> State {
        State::Unlocked
    }

    fn max_message(&self) -> usize {
        MAX_SIGNING_INPUT
    }

    fn check(&self) -> Check {
        Check::Verify
    }

    fn lanes(&self) -> Option<usize> {
        Some(1)
    }

    fn keys(&self) -> Vec<KeyInfo> {
        self.keys.keys()
    }

    fn find(&self, key: &PublicKey) -> Option<KeyInfo> {
        self.keys.find(key)
    }

    fn open(&self, key: &PublicKey) -> Result<KeyInfo, StoreError> {
        self.keys.open(key)
    }

    fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Signature, StoreError> {
        self.begun.lock().unwrap().send(()).unwrap();
        self.go_on.lock().unwrap().recv().unwrap();
        self.keys.sign(key, message)
    }

    fn add(&self, seed: &Seed, name: &str, flags: Flags) -> Result<PublicKey, StoreError> {
        if name == "late" {
            self.begun.lock().unwrap().send(()).unwrap();
            self.go_on.lock().unwrap().recv().unwrap();
        }
        self.keys.add(seed, name, flags)
    }

    fn export(&self, key: &PublicKey) -> Result<Secret, StoreError> {
        self.keys.export(key)
    }

    fn remove(&self, key: &PublicKey) -> Result<(), StoreError> {
        self.keys.remove(key)
    }

    fn rename(&self, key: &PublicKey, name: &str) -> Result<(), StoreError> {
        self.keys.rename(key, name)
    }

    fn lock(&self) {}

    fn unlock(&self, _prompt: &mut dyn Prompt) -> Result<(), StoreError> {
        Ok(())
    }
}

#[test]
fn what_is_being_signed_or_added_is_finished_and_the_socket_is_removed() {
    let (begun, begins) = channel();
    let (tell, go_on) = channel();
    let store = Slow {
        keys: Volatile::new(),
        begun: Mutex::new(begun),
        go_on: Mutex::new(go_on),
    };
    store
        .add(&seed(Kind::User, 3), "U", Flags::default())
        .unwrap();
    let directory = std::env::temp_dir().join(format!("nkey-shutdown-{}", std::process::id()));
    let path = directory.join("agent.sock");
    let listener = server::listen(&path).unwrap();
    let store = Arc::new(store);
    let agent = Arc::new(Agent::new(
        vec![(Arc::clone(&store) as Arc<dyn Store>, "here".to_owned())],
        Vec::new,
    ));
    let place = path.clone();
    let serving = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(server::serve(agent, listener, &place))
    });
    let mut connection = Raw::new(UnixStream::connect(&path).unwrap());
    let mut request = Writer::new();
    request
        .byte(number::SIGN_REQUEST)
        .key_blob(&key(Kind::User, 3))
        .string(b"abcdefghijklmno")
        .uint32(0);
    connection.send(&common::frame(request.as_bytes()));
    begins.recv().unwrap();
    // A key that was answered before it is on disk, by a client that is gone.
    let mut client = Client::connect(&path).unwrap();
    client.generate_ahead(Kind::User, "late", 0).unwrap();
    let late = client.generated().unwrap().unwrap();
    begins.recv().unwrap();
    drop(client);
    assert!(matches!(server::listen(&path), Err(ListenError::Live(_))));
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM)
        .unwrap();
    // The socket goes first: nobody new comes in while the last signature is made.
    while path.exists() {
        std::thread::yield_now();
    }
    assert!(!serving.is_finished());
    tell.send(()).unwrap();
    tell.send(()).unwrap();
    assert_eq!(connection.answer().unwrap()[0], number::SIGN_RESPONSE);
    serving.join().unwrap().unwrap();
    assert_eq!(store.find(&late).unwrap().name, "late");
    assert_eq!(connection.answer(), None);
    std::fs::remove_dir(directory).unwrap();
}
