//! A NATS connection without a library: a test says each line and sees each answer.

use data_encoding::BASE64URL_NOPAD;
use nkey_agent::client::Client;
use nkey_core::nkey::PublicKey;
use nkey_core::tolerant;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// How long a server may take to answer.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What a server says to a line of a verbose client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `+OK`
    Ok,
    /// `-ERR`, without the quotes.
    Err(String),
    /// The connection ended.
    Closed,
}

/// A message that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The subject.
    pub subject: String,
    /// The subscription.
    pub sid: String,
    /// Where an answer goes; empty if nobody waits for one.
    pub reply: String,
    /// The payload.
    pub payload: Vec<u8>,
}

enum Event {
    Answer(Answer),
    Pong,
    Message(Message),
    Nothing,
}

/// A connection; verbose and pedantic, without echo.
pub struct Nats {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    nonce: String,
    messages: VecDeque<Message>,
    sids: u32,
}

impl Nats {
    /// Connects and reads the server's first line.
    pub fn open(port: u16) -> Nats {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let mut line = String::new();
        reader.read_line(&mut line).expect("INFO");
        let info = line.strip_prefix("INFO ").expect("INFO");
        let info: serde_json::Value = serde_json::from_str(info).expect("JSON");
        Nats {
            reader,
            writer: stream,
            nonce: info["nonce"].as_str().unwrap_or_default().to_owned(),
            messages: VecDeque::new(),
            sids: 0,
        }
    }

    /// Connects as the user of a token, whose key the agent holds.
    ///
    /// # Errors
    /// What the server says.
    pub fn sign_in(port: u16, token: &str, agent: &mut Client) -> Result<Nats, String> {
        let claims = tolerant::decode(token).expect("a token").claims;
        let key = PublicKey::from_str(&claims.standard().sub).expect("a key");
        let mut nats = Nats::open(port);
        let nonce = nats.nonce.as_bytes();
        let signature = agent.sign(&key, nonce).expect("a signature");
        let signature = BASE64URL_NOPAD.encode(signature.as_bytes());
        nats.login(token, &signature).map(|()| nats)
    }

    /// What the user's key is to sign.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Logs in with a token and the signature of the nonce, in base64url.
    ///
    /// # Errors
    /// What the server says; empty if it only closes the connection.
    pub fn login(&mut self, token: &str, signature: &str) -> Result<(), String> {
        let options = serde_json::json!({
            "verbose": true, "pedantic": true, "echo": false, "headers": false, "protocol": 1,
            "lang": "test", "version": "1", "jwt": token, "sig": signature,
        });
        // Nothing after it: what a server leaves unread when it closes takes its last words along.
        self.write(format!("CONNECT {options}\r\n").as_bytes());
        loop {
            match self.event() {
                Event::Answer(Answer::Ok) => break,
                Event::Answer(Answer::Err(text)) => return Err(text),
                Event::Answer(Answer::Closed) => return Err(String::new()),
                _ => {}
            }
        }
        match self.ask("").first() {
            None => Ok(()),
            Some(Answer::Err(text)) => Err(text.clone()),
            Some(_) => Err(String::new()),
        }
    }

    /// A new subscription id.
    pub fn sid(&mut self) -> u32 {
        self.sids += 1;
        self.sids
    }

    /// Sends lines and waits until the server has worked on them; the answers, in order.
    pub fn ask(&mut self, lines: &str) -> Vec<Answer> {
        self.write(format!("{lines}PING\r\n").as_bytes());
        let mut answers = Vec::new();
        loop {
            match self.event() {
                Event::Pong => return answers,
                Event::Answer(Answer::Closed) => {
                    answers.push(Answer::Closed);
                    return answers;
                }
                Event::Answer(answer) => answers.push(answer),
                Event::Message(message) => self.messages.push_back(message),
                Event::Nothing => {}
            }
        }
    }

    /// Publishes an empty message; the server's answer.
    pub fn publish(&mut self, subject: &str, reply: &str) -> Answer {
        let lines = format!("PUB {subject} {reply} 0\r\n\r\n");
        self.ask(&lines).remove(0)
    }

    /// The messages that have come.
    pub fn take_messages(&mut self) -> Vec<Message> {
        self.messages.drain(..).collect()
    }

    /// Whether the server still answers.
    pub fn is_open(&mut self) -> bool {
        !self.ask("").contains(&Answer::Closed)
    }

    /// Waits until the server ends the connection, at most `patience`; what it said before.
    pub fn wait_closed(&mut self, patience: Duration) -> Option<Vec<String>> {
        let deadline = Instant::now() + patience;
        let mut said = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let stream = self.reader.get_ref();
            stream.set_read_timeout(Some(left)).expect("a timeout");
            match self.reader.fill_buf() {
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    return None;
                }
                _ => match self.event() {
                    Event::Answer(Answer::Closed) => return Some(said),
                    Event::Answer(Answer::Err(text)) => said.push(text),
                    _ => {}
                },
            }
        }
    }

    /// Sends a request and waits for so many replies, at most `patience`.
    pub fn request(
        &mut self,
        subject: &str,
        payload: &str,
        replies: usize,
        patience: Duration,
    ) -> Vec<Vec<u8>> {
        let sid = self.sid();
        let inbox = format!("_INBOX.{sid}");
        let length = payload.len();
        let answers = self.ask(&format!(
            "SUB {inbox} {sid}\r\nPUB {subject} {inbox} {length}\r\n{payload}\r\n"
        ));
        assert_eq!(answers, [Answer::Ok, Answer::Ok], "{subject}");
        let deadline = Instant::now() + patience;
        let mut found = Vec::new();
        loop {
            let mut others = VecDeque::new();
            for message in std::mem::take(&mut self.messages) {
                match message.sid == sid.to_string() {
                    true => found.push(message.payload),
                    false => others.push_back(message),
                }
            }
            self.messages = others;
            if found.len() >= replies || Instant::now() > deadline {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
            self.ask("");
        }
        self.ask(&format!("UNSUB {sid}\r\n"));
        found
    }

    fn write(&mut self, bytes: &[u8]) {
        // That the server has closed the connection shows when reading.
        let _ = self.writer.write_all(bytes);
    }

    fn event(&mut self) -> Event {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) => return Event::Answer(Answer::Closed),
            Ok(_) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
                ) =>
            {
                return Event::Answer(Answer::Closed);
            }
            Err(error) => panic!("reading from the server: {error}"),
        }
        let line = line.trim_end();
        if let Some(text) = line.strip_prefix("-ERR ") {
            return Event::Answer(Answer::Err(text.trim_matches('\'').to_owned()));
        }
        if let Some(header) = line.strip_prefix("MSG ") {
            let words: Vec<&str> = header.split_whitespace().collect();
            let length: Option<usize> = words.last().and_then(|word| word.parse().ok());
            let mut payload = vec![0; length.expect("a length") + 2];
            self.reader.read_exact(&mut payload).expect("a payload");
            payload.truncate(payload.len() - 2);
            return Event::Message(Message {
                subject: words[0].to_owned(),
                sid: words[1].to_owned(),
                reply: match words[..] {
                    [_, _, reply, _] => reply.to_owned(),
                    _ => String::new(),
                },
                payload,
            });
        }
        match line {
            "+OK" => Event::Answer(Answer::Ok),
            "PONG" => Event::Pong,
            "PING" => {
                self.write(b"PONG\r\n");
                Event::Nothing
            }
            _ => Event::Nothing,
        }
    }
}
