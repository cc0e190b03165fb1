//! A user connected to a server by a creds file.

use crate::nats::{Answer, Message, Nats};
use data_encoding::BASE64URL_NOPAD;
use nkey_core::creds;
use nkey_core::nkey::KeyPair;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a server may take to say what is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connected user.
pub struct User(Nats);

impl User {
    /// Connects.
    ///
    /// # Errors
    /// What the server says.
    pub fn connect(port: u16, creds: &Path) -> Result<User, String> {
        let text = std::fs::read_to_string(creds).expect("the creds");
        let creds = creds::parse(&text).expect("creds");
        let mut nats = Nats::open(port);
        let pair = KeyPair::from_seed(&creds.seed).expect("a pair");
        let signature = pair.sign(nats.nonce().as_bytes());
        nats.login(creds.token, &BASE64URL_NOPAD.encode(signature.as_bytes()))?;
        Ok(User(nats))
    }

    /// Subscribes; the server must take it.
    #[track_caller]
    pub fn subscribe(&mut self, subject: &str) {
        let sid = self.0.sid();
        let answers = self.0.ask(&format!("SUB {subject} {sid}\r\n"));
        assert_eq!(answers, [Answer::Ok], "{subject}");
    }

    /// Publishes a text.
    pub fn publish(&mut self, subject: &str, text: &str) {
        self.0
            .ask(&format!("PUB {subject} {}\r\n{text}\r\n", text.len()));
    }

    /// The messages that have come, none once the server has gone.
    pub fn messages(&mut self) -> Option<Vec<Message>> {
        self.0.is_open().then(|| self.0.take_messages())
    }

    /// Why the server ended the connection.
    #[track_caller]
    pub fn ended(mut self) -> String {
        let deadline = Instant::now() + PATIENCE;
        let said = self.0.wait_closed(PATIENCE);
        assert!(Instant::now() < deadline, "the connection is still there");
        said.expect("the end").join("; ")
    }
}
