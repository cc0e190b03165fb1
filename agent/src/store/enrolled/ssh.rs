//! Another ssh-agent as key holder: OpenSSH's, gpg-agent, an agent of some hardware.

use super::{About, Condition, Holder, Slot, failed, text};
use crate::message::{Name, QUERY, number};
use crate::store::StoreError;
use crate::wire::{ED25519, Malformed, Reader, Writer};
use data_encoding::BASE64_NOPAD;
use nkey_core::Signature;
use nkey_core::nkey::PublicKey;
use rustix::net::sockopt::socket_peercred;
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long it may take: it may ask a person, who types a PIN or touches a key.
const PATIENCE: Duration = Duration::from_secs(100);
/// How long it may take to read a request.
const SENDING: Duration = Duration::from_secs(5);
/// The longest answer: OpenSSH's own limit.
const MAX_ANSWER: usize = 256 * 1024;
/// Most keys that are read.
const MAX_KEYS: u32 = 4096;
/// Requests to it at once. Agents serve clients one after the other or side by side.
const LANES: usize = 8;

/// OpenSSH reads frames up to 256 KiB; type, key blob, lengths and flags take 64 bytes.
const OPENSSH: usize = MAX_ANSWER - 64;
/// What gpg-agent signs with a key on a card, which it hands to scdaemon in one line: 450 bytes
/// pass, 480 do not. With a key in a file it signs as others do.
const GPG_CARD: usize = 450;
/// How gpg-agent begins the comment of a key on a card.
const CARD: &str = "cardno:";
/// An agent that is not known.
const UNKNOWN: usize = 100_000;

/// Another ssh-agent.
pub struct Ssh {
    name: String,
    socket: PathBuf,
    limit: Option<usize>,
    found: Mutex<Option<Peer>>,
}

/// What listens at the socket, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    OpenSsh,
    Gpg,
    Unknown,
}

impl Ssh {
    /// The agent at a socket; `limit` overrides what is known of its kind.
    pub fn new(name: &str, socket: PathBuf, limit: Option<usize>) -> Ssh {
        Ssh {
            name: format!("ssh:{name}"),
            socket,
            limit,
            found: Mutex::new(None),
        }
    }

    fn failed(&self, what: impl Into<String>) -> StoreError {
        failed(&self.name, what)
    }

    fn connect(&self) -> Result<UnixStream, StoreError> {
        let place = self.socket.display();
        let stream = UnixStream::connect(&self.socket)
            .map_err(|error| self.failed(format!("no agent answers at {place} ({error})")))?;
        let io = |error: io::Error| self.failed(format!("{place}: {error}"));
        stream.set_read_timeout(Some(PATIENCE)).map_err(io)?;
        stream.set_write_timeout(Some(SENDING)).map_err(io)?;
        let peer = socket_peercred(&stream).map_err(|error| io(error.into()))?;
        if peer.pid == rustix::process::getpid() {
            return Err(self.failed(format!(
                "{place} is this agent's own socket: name another agent's"
            )));
        }
        *self.found() = Some(self.kind_of(peer.pid.as_raw_nonzero().get()));
        Ok(stream)
    }

    /// By its program; an agent that systemd listens for is known by its socket's name.
    fn kind_of(&self, pid: i32) -> Peer {
        let program = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        match program.trim_end() {
            "ssh-agent" => Peer::OpenSsh,
            "gpg-agent" => Peer::Gpg,
            _ if self.socket.ends_with("S.gpg-agent.ssh") => Peer::Gpg,
            _ => Peer::Unknown,
        }
    }

    fn found(&self) -> std::sync::MutexGuard<'_, Option<Peer>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request; the type of the answer and its bytes.
    fn ask(
        &self,
        stream: &mut UnixStream,
        kind: u8,
        body: impl FnOnce(&mut Writer),
    ) -> Result<(u8, Vec<u8>), StoreError> {
        let broken = |error: io::Error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                self.failed(format!("no answer within {} s", PATIENCE.as_secs()))
            }
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => {
                self.failed("it closed the connection")
            }
            _ => self.failed(format!("it does not answer: {error}")),
        };
        let mut request = Writer::new();
        let frame = request.begin_frame();
        request.byte(kind);
        body(&mut request);
        request.end_frame(frame);
        stream.write_all(request.as_bytes()).map_err(broken)?;
        let mut length = [0; 4];
        stream.read_exact(&mut length).map_err(broken)?;
        let length = u32::from_be_bytes(length) as usize;
        if length == 0 || length > MAX_ANSWER {
            return Err(self.failed(format!("its answer announces {length} bytes")));
        }
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer).map_err(broken)?;
        let kind = answer.remove(0);
        Ok((kind, answer))
    }

    fn malformed(&self, Malformed(why): Malformed) -> StoreError {
        self.failed(format!("its answer does not have its form: {why}"))
    }

    /// An nkey-agent signs no proof of possession, and a chain of them helps nobody.
    fn refuse_nkey_agent(&self, stream: &mut UnixStream) -> Result<(), StoreError> {
        let (kind, answer) = self.ask(stream, number::EXTENSION, |request| {
            request.string(QUERY.as_bytes());
        })?;
        let ours = Name::Sign.as_str().as_bytes();
        let ours = answer.windows(ours.len()).any(|window| window == ours);
        if kind == number::EXTENSION_RESPONSE && ours {
            return Err(self.failed(format!(
                "{} is the socket of an nkey-agent: use that agent itself",
                self.socket.display()
            )));
        }
        Ok(())
    }

    fn list(&self, stream: &mut UnixStream) -> Result<Vec<Slot>, StoreError> {
        let (kind, answer) = self.ask(stream, number::REQUEST_IDENTITIES, |_| {})?;
        if kind != number::IDENTITIES_ANSWER {
            return Err(self.failed("it does not list its keys"));
        }
        let malformed = |error| self.malformed(error);
        let mut reader = Reader::new(&answer);
        let count = reader.uint32().map_err(malformed)?;
        if count > MAX_KEYS {
            return Err(self.failed(format!("it lists {count} keys")));
        }
        let mut slots = Vec::new();
        for _ in 0..count {
            let blob = reader.string().map_err(malformed)?;
            let comment = reader.string().map_err(malformed)?;
            slots.push(slot(blob, comment));
        }
        reader.end().map_err(malformed)?;
        Ok(slots)
    }
}

/// The key of a blob, or why it cannot be used.
fn slot(blob: &[u8], comment: &[u8]) -> Slot {
    let kind = Reader::new(blob).string().unwrap_or_default();
    let key = Writer::new().string(blob).as_bytes().to_vec();
    let key = Reader::new(&key).key_blob().ok();
    let kind_text = text(kind);
    let trouble = match key {
        Some(_) => None,
        None if kind.starts_with(b"sk-") => Some(format!(
            "a key of type {kind_text} signs a message of its own around what it is given"
        )),
        None => Some(format!(
            "a key of type {kind_text} is not an Ed25519 key, as NKeys are"
        )),
    };
    Slot {
        id: fingerprint(blob),
        label: text(comment),
        key,
        trouble,
    }
}

/// As ssh-add prints it.
fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", BASE64_NOPAD.encode(&Sha256::digest(blob)))
}

impl Holder for Ssh {
    fn name(&self) -> &str {
        &self.name
    }

    fn place(&self) -> String {
        self.socket.display().to_string()
    }

    fn about(&self) -> About {
        let asked = self
            .connect()
            .and_then(|mut stream| self.refuse_nkey_agent(&mut stream));
        About {
            condition: match asked {
                Ok(()) => Condition::Ready,
                Err(StoreError::Holder(_, why)) => Condition::Absent(why),
                Err(error) => Condition::Absent(error.to_string()),
            },
            serial: String::new(),
            policy: match *self.found() {
                Some(Peer::Gpg) => format!("its own; cards sign {GPG_CARD} bytes"),
                _ => "its own".to_owned(),
            },
            shared: true,
        }
    }

    fn max_message(&self) -> usize {
        let known = || {
            if self.found().is_none() {
                // Whether it answers does not matter yet.
                let _ = self.connect();
            }
            match *self.found() {
                Some(Peer::OpenSsh) => OPENSSH,
                _ => UNKNOWN,
            }
        };
        self.limit.unwrap_or_else(known).min(OPENSSH)
    }

    fn limit(&self, slot: &str) -> usize {
        let most = self.max_message();
        if self.limit.is_some() || *self.found() != Some(Peer::Gpg) {
            return most;
        }
        let slots = self.connect().and_then(|mut stream| self.list(&mut stream));
        let on_card = |found: &Slot| found.id == slot && found.label.starts_with(CARD);
        match slots {
            Ok(slots) if !slots.iter().any(on_card) => most,
            _ => GPG_CARD.min(most),
        }
    }

    fn lanes(&self) -> usize {
        LANES
    }

    fn slots(&self) -> Result<Vec<Slot>, StoreError> {
        let mut stream = self.connect()?;
        self.refuse_nkey_agent(&mut stream)?;
        self.list(&mut stream)
    }

    fn sign(&self, slot: &str, key: &PublicKey, message: &[u8]) -> Result<Signature, StoreError> {
        let mut stream = self.connect()?;
        let (kind, answer) = self.ask(&mut stream, number::SIGN_REQUEST, |request| {
            request.key_blob(key).string(message).uint32(0);
        })?;
        if kind == number::FAILURE {
            let held = self.list(&mut stream)?.iter().any(|found| found.id == slot);
            return Err(self.failed(if held {
                format!(
                    "it refused to sign {} bytes with {slot}: was it confirmed and unlocked, and does it sign as much? `limit` in the configuration names less",
                    message.len()
                )
            } else {
                format!("it does not hold {slot} ({key}) any more, or is locked: ssh-add -l shows its keys")
            }));
        }
        let signature = || -> Result<[u8; 64], Malformed> {
            let mut reader = Reader::new(&answer);
            let mut blob = Reader::new(reader.string()?);
            reader.end()?;
            if kind != number::SIGN_RESPONSE || blob.string()? != ED25519 {
                return Err(Malformed("it is no signature by an ssh-ed25519 key"));
            }
            let bytes = blob.string()?.try_into();
            blob.end()?;
            bytes.map_err(|_| Malformed("the signature does not have 64 bytes"))
        };
        signature()
            .map(Signature::from_bytes)
            .map_err(|error| self.malformed(error))
    }
}
