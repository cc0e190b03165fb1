//! A NATS client of few words, over which a test has every say.

use nkey_core::creds;
use nkey_core::nkey::KeyPair;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

/// How long a server may take to say what is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection.
pub struct Nats {
    reader: BufReader<TcpStream>,
}

/// A message.
#[derive(Debug)]
pub struct Message {
    /// Its subject.
    pub subject: String,
    /// Where an answer goes.
    pub reply: String,
    /// What it says.
    pub payload: String,
}

impl Nats {
    /// Connects to `nats://HOST:PORT` as the user of a creds file.
    pub fn connect(url: &str, creds: &Path) -> Result<Nats, String> {
        let text = std::fs::read_to_string(creds).expect("the creds");
        let creds = creds::parse(&text).expect("creds");
        let address = url.trim_start_matches("nats://");
        let stream = TcpStream::connect(address).expect("the server");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a time limit");
        let mut nats = Nats {
            reader: BufReader::new(stream),
        };
        let info = nats.line()?;
        let info: serde_json::Value =
            serde_json::from_str(info.trim_start_matches("INFO ")).expect("INFO");
        let nonce = info["nonce"].as_str().expect("a nonce");
        let pair = KeyPair::from_seed(&creds.seed).expect("a pair");
        let signature = pair.sign(nonce.as_bytes());
        let connect = serde_json::json!({
            "verbose": false,
            "pedantic": false,
            "lang": "test",
            "jwt": creds.token,
            "sig": base64url(signature.as_bytes()),
        });
        nats.send(&format!("CONNECT {connect}\r\nPING\r\n"));
        loop {
            let line = nats.line()?;
            if line == "PONG" {
                return Ok(nats);
            }
        }
    }

    fn send(&mut self, text: &str) {
        // A server that has closed says why in what is read next.
        let _ = self.reader.get_mut().write_all(text.as_bytes());
    }

    /// The next line; an error of the server, or its end, is an error.
    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line);
        match read {
            Ok(0) => Err("closed".to_owned()),
            Ok(_) if line.starts_with("-ERR") => Err(line.trim().to_owned()),
            Ok(_) => Ok(line.trim_end().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Subscribes, and waits until the server knows.
    pub fn subscribe(&mut self, subject: &str) {
        self.send(&format!("SUB {subject} 1\r\nPING\r\n"));
        while self.line().expect("a PONG") != "PONG" {}
    }

    /// Publishes.
    pub fn publish(&mut self, subject: &str, payload: &str) {
        self.send(&format!("PUB {subject} {}\r\n{payload}\r\n", payload.len()));
    }

    /// The next message.
    pub fn next(&mut self) -> Result<Message, String> {
        loop {
            let line = self.line()?;
            if line == "PING" {
                self.send("PONG\r\n");
            }
            let Some(head) = line.strip_prefix("MSG ") else {
                continue;
            };
            let words: Vec<&str> = head.split(' ').collect();
            let length: usize = words
                .last()
                .and_then(|word| word.parse().ok())
                .expect("a length");
            let mut payload = vec![0; length + 2];
            self.reader
                .read_exact(&mut payload)
                .map_err(|error| error.to_string())?;
            return Ok(Message {
                subject: words[0].to_owned(),
                reply: if words.len() == 4 {
                    words[2].to_owned()
                } else {
                    String::new()
                },
                payload: String::from_utf8_lossy(&payload[..length]).into_owned(),
            });
        }
    }

    /// Why the server ends the connection.
    pub fn ended(mut self) -> String {
        loop {
            match self.next() {
                Ok(_) => {}
                Err(reason) => return reason,
            }
        }
    }
}

/// Base64url without padding.
fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let index = bits >> (18 - 6 * place) & 63;
            text.push(char::from(LETTERS[index as usize]));
        }
    }
    text
}
