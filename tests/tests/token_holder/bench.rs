//! A virtual token at a configured port, and the agent that uses it.

use nkey_agent::client::{Client, Error};
use nkey_agent::message::Status;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::{Command, Init};
pub use nkey_tests::Pin;
use nkey_tests::virtual_token::Running;
use nkey_tests::{Agent, Scratch, wait_for};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub const PIN: &str = "correct horse";
pub const NONCE: &[u8] = b"abcdefghijklmno";
pub const STORE: &str = "token:one";

pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock").as_secs()
}

/// Passes a command on; whether it was done.
pub fn pass(client: &mut Client, command: Command<'_>) -> Result<Vec<u8>, Error> {
    let mut bytes = [0; 512];
    let bytes = postcard::to_slice(&command, &mut bytes).expect("a command");
    client.token(STORE, bytes)
}

/// The token of a test and its agent.
pub struct Bench {
    pub scratch: Scratch,
    pub token: Option<Running>,
    pub agent: Agent,
}

pub fn config(scratch: &Scratch, more: &str) -> String {
    let port = scratch.path().join("line");
    format!(
        "[token.one]\nserial = \"VIRTUAL-1\"\nport = \"{}\"\n{more}",
        port.display()
    )
}

pub const ALLOWED: &str = "allow_virtual = \"VIRTUAL-1\"\n";

impl Bench {
    /// A token that has no PIN yet.
    pub fn blank() -> Bench {
        let scratch = Scratch::new();
        let token = Running::start(&scratch, true, "always", &[]);
        let agent = Agent::with_holders(&config(&scratch, ALLOWED));
        Bench {
            scratch,
            token: Some(token),
            agent,
        }
    }

    /// One that is initialised and unlocked.
    pub fn new() -> Bench {
        let bench = Bench::blank();
        bench.init();
        bench.unlock(PIN).expect("to unlock");
        bench
    }

    pub fn client(&self) -> Client {
        self.agent.client()
    }

    pub fn init(&self) {
        self.init_at(now());
    }

    pub fn init_at(&self, time: u64) {
        let init = Init {
            pin: PIN.as_bytes(),
            time,
            iterations: 1_000,
            importable: false,
            peer: None,
            drift_days: 30,
            idle_seconds: 60,
        };
        pass(&mut self.client(), Command::Init(init)).expect("to initialise it");
    }

    pub fn unlock(&self, pin: &'static str) -> Result<Vec<String>, Error> {
        let mut prompt = Pin(pin, Vec::new());
        self.client().unlock_store(STORE, &mut prompt)?;
        Ok(prompt.1)
    }

    pub fn generate(&self, kind: Kind, name: &str) -> PublicKey {
        let made = self.client().generate_in(STORE, kind, name, 0);
        made.expect("a key that is born on the token")
    }

    /// Pulls the token out, and plugs it in again as it is started with these arguments.
    pub fn replug(&mut self, presence: &str, more: &[&str]) {
        self.token.take();
        wait_for(
            || self.client().status().expect("its status").is_locked(),
            "the agent to notice",
        );
        self.token = Some(Running::start(&self.scratch, true, presence, more));
    }

    pub fn press(&mut self) {
        self.token.as_mut().expect("a token").press();
    }

    /// A client whose messages to the person come out of the receiver.
    pub fn told(&self) -> (Client, Receiver<String>) {
        let (say, heard) = channel();
        let mut client = self.client();
        client.on_notice(move |text| {
            let _ = say.send(text.to_owned());
        });
        (client, heard)
    }
}

#[track_caller]
pub fn refusal<T>(result: Result<T, Error>) -> (Status, String) {
    match result.map(|_| ()) {
        Err(Error::Refused { status, reason }) => (status, reason),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub fn says(heard: &Receiver<String>, text: &str) {
    let found = heard.recv_timeout(Duration::from_secs(10));
    assert_eq!(found.expect("a message"), text);
}

pub const PRESS: &str = "press the button on token:one (VIRTUAL-1)";
