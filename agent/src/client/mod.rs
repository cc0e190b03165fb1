//! The client: blocking, with few dependencies.
//!
//! ```no_run
//! use nkey_agent::client::{Client, socket_path};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut agent = Client::connect(&socket_path(None)?)?;
//! for key in agent.list()? {
//!     println!("{} {}", key.key, key.name);
//! }
//! # Ok(()) }
//! ```

mod ahead;
mod error;
mod keys;
mod many;
#[cfg(feature = "async-nats")]
pub mod nats;
mod read;
mod socket;
mod status;
mod stores;
mod token;
mod unlock;

pub use error::Error;
pub use keys::{AgentSigner, KeyInfo};
pub use socket::socket_path;
pub use status::{AgentStatus, StoreStatus};
pub use stores::{Enrol, SlotInfo, StoreInfo};
pub use unlock::Prompt;

use crate::message::{MAX_FRAME, Name, Question, Status, number};
use crate::wire::{Reader, Writer};
use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use zeroize::Zeroize;

/// A connection to an agent.
pub struct Client {
    stream: UnixStream,
    path: PathBuf,
    answer: Vec<u8>,
    /// What came behind it.
    rest: Vec<u8>,
    request: Writer,
    notice: Option<Box<Notice>>,
    ahead: ahead::Ahead,
    waiting: read::Waiting,
}

/// What is done with a message to the person.
type Notice = dyn FnMut(&str) + Send;

impl Client {
    /// Connects to the agent that listens at `path`.
    ///
    /// # Errors
    /// [`Error::NoAgent`] if nothing listens there, [`Error::Stranger`] if another user does.
    pub fn connect(path: &Path) -> Result<Client, Error> {
        let no_agent = |error| Error::NoAgent(path.to_owned(), error);
        let stream = UnixStream::connect(path).map_err(no_agent)?;
        let peer = socket_peercred(&stream)
            .map_err(|error| no_agent(error.into()))?
            .uid;
        // Whoever else made the socket would be given seeds and passphrases.
        if !peer.is_root() && peer != geteuid() {
            return Err(Error::Stranger(path.to_owned(), peer.as_raw()));
        }
        read::set_timeouts(&stream).map_err(no_agent)?;
        Ok(Client {
            stream,
            path: path.to_owned(),
            answer: Vec::new(),
            rest: Vec::new(),
            request: Writer::new(),
            notice: None,
            ahead: ahead::Ahead::default(),
            waiting: read::Waiting::default(),
        })
    }

    /// Hands `notice` what the person is to do while a request waits, such as to press a button.
    pub fn on_notice(&mut self, notice: impl FnMut(&str) + Send + 'static) {
        self.notice = Some(Box::new(notice));
    }

    /// The socket that this client is connected to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The stream, for what its peer is.
    pub fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// Sends a request of a standard type and reads the answer: its type and bytes.
    fn standard(&mut self, kind: u8, body: impl FnOnce(&mut Writer)) -> Result<(u8, &[u8]), Error> {
        self.settle()?;
        self.send(kind, body)?;
        self.waiting = read::Waiting::default();
        self.read_answer()?;
        self.last_answer()
    }

    /// Sends a request of a standard type.
    fn send(&mut self, kind: u8, body: impl FnOnce(&mut Writer)) -> Result<(), Error> {
        self.request.clear();
        let frame = self.request.begin_frame();
        self.request.byte(kind);
        body(&mut self.request);
        self.request.end_frame(frame);
        // An agent hangs up on what is longer, perhaps before it is all sent.
        let length = self.request.as_bytes().len() - 4;
        if length > MAX_FRAME {
            self.request.clear();
            return Err(Error::TooLarge(length));
        }
        let sent = self.stream.write_all(self.request.as_bytes());
        self.request.clear();
        sent.map_err(|error| self.broken(error))
    }

    /// The type and the bytes of the answer that was read. One request is under way, so nothing
    /// may follow it.
    fn last_answer(&self) -> Result<(u8, &[u8]), Error> {
        if !self.rest.is_empty() {
            return Err(Error::Answer("an answer of impossible length"));
        }
        match self.answer.split_first() {
            Some((kind, rest)) => Ok((*kind, rest)),
            None => Err(Error::Answer("an empty answer")),
        }
    }

    fn broken(&self, error: std::io::Error) -> Error {
        Error::Broken(self.path.clone(), error)
    }

    /// Sends a request of ours; the status, the reason and the body of its answer.
    fn exchange(
        &mut self,
        name: Name,
        body: impl FnOnce(&mut Writer),
    ) -> Result<(Status, String, Reader<'_>), Error> {
        self.extension(name, body)?;
        self.outcome(name)
    }

    /// Sends a request of ours and reads the answer, after what is said to the person before it.
    fn extension(&mut self, name: Name, body: impl FnOnce(&mut Writer)) -> Result<(), Error> {
        self.ask_ahead(name, body)?;
        self.hear(name)
    }

    /// Reads the answer to a request of ours, after what is said to the person before it.
    fn hear(&mut self, name: Name) -> Result<(), Error> {
        self.waiting = read::Waiting::of(name);
        self.read_answer()?;
        while self.heard_notice(name)? {
            self.waiting.is_said = true;
            self.read_answer()?;
        }
        self.last_answer()?;
        Ok(())
    }

    /// The status, the reason and the body of the answer that was read.
    fn outcome(&self, name: Name) -> Result<(Status, String, Reader<'_>), Error> {
        let Some((&number::EXTENSION_RESPONSE, rest)) = self.answer.split_first() else {
            return Err(Error::Foreign(name.as_str()));
        };
        let mut reader = Reader::new(rest);
        if reader.string()? != name.as_str().as_bytes() {
            return Err(Error::Answer("an answer to another request"));
        }
        let status = Status::from_byte(reader.byte()?).ok_or(Error::Answer("an unknown status"))?;
        let reason = reader.text()?.to_owned();
        Ok((status, reason, reader))
    }

    /// Whether the answer that was read is a message to the person, which was handed on then:
    /// the answer to the request is still to come.
    fn heard_notice(&mut self, name: Name) -> Result<bool, Error> {
        if matches!(name, Name::Unlock | Name::UnlockIn) {
            return Ok(false);
        }
        let Some((&number::EXTENSION_RESPONSE, rest)) = self.answer.split_first() else {
            return Ok(false);
        };
        let mut reader = Reader::new(rest);
        if reader.string()? != name.as_str().as_bytes() || reader.byte()? != Status::Prompt as u8 {
            return Ok(false);
        }
        reader.string()?;
        if Question::from_byte(reader.byte()?) != Some(Question::Message) {
            return Err(Error::Answer(
                "a question that this request has no answer for",
            ));
        }
        let text = reader.text()?;
        reader.end()?;
        if let Some(notice) = &mut self.notice {
            notice(text);
        }
        Ok(true)
    }

    /// As [`Client::exchange`], and everything but success is an error.
    fn ask(&mut self, name: Name, body: impl FnOnce(&mut Writer)) -> Result<Reader<'_>, Error> {
        self.extension(name, body)?;
        self.answered(name)
    }

    fn answered(&self, name: Name) -> Result<Reader<'_>, Error> {
        match self.outcome(name)? {
            (Status::Ok, _, reader) => Ok(reader),
            (status, reason, _) => Err(Error::Refused { status, reason }),
        }
    }

    /// Locks the agent: every decrypted key is wiped.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub fn lock(&mut self) -> Result<(), Error> {
        match self.standard(number::LOCK, |request| {
            request.string(b"");
        })? {
            (number::SUCCESS, []) => Ok(()),
            _ => Err(Error::Answer("lock was not done")),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.answer.as_mut_slice().zeroize();
        self.rest.as_mut_slice().zeroize();
    }
}
