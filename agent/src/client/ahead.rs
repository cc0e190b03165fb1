//! What is asked for before its caller needs it, so that both work at the same time: a key, a
//! token, and that the key is on disk.

use super::{Client, Error};
use crate::message::{Name, flag, number};
use crate::wire::Writer;
use nkey_core::nkey::{Kind, PublicKey};

/// What became of it.
#[derive(Default)]
pub(super) enum Ahead {
    /// Nothing is asked for.
    #[default]
    None,
    /// The agent makes a key of this kind.
    Making(Kind),
    /// It has answered.
    Made(Result<PublicKey, Error>),
    /// The agent issues a token.
    Issuing,
    /// It has answered.
    Issued(Result<String, Error>),
    /// The agent writes the key.
    Flushing,
    /// It has answered.
    Flushed(Result<(), Error>),
}

impl Client {
    /// As [`Client::generate`], without waiting: [`Client::generated`] has the key.
    ///
    /// # Errors
    /// If the connection breaks.
    pub fn generate_ahead(&mut self, kind: Kind, name: &str, flags: u32) -> Result<(), Error> {
        self.ask_ahead(Name::Generate, |request| {
            request
                .string(kind.name().as_bytes())
                .string(name.as_bytes())
                .uint32(flags | flag::LATER);
        })?;
        self.ahead = Ahead::Making(kind);
        Ok(())
    }

    /// The key that [`Client::generate_ahead`] asked for; none if it was not called. Before
    /// [`Client::flushed`] it may be lost by a power cut, and nothing must need it that is not.
    ///
    /// # Errors
    /// [`Error::Refused`] with the agent's reason.
    pub fn generated(&mut self) -> Result<Option<PublicKey>, Error> {
        self.settle()?;
        match std::mem::take(&mut self.ahead) {
            Ahead::Made(key) => key.map(Some),
            other => {
                self.ahead = other;
                Ok(None)
            }
        }
    }

    /// As [`Client::issue`], without waiting: [`Client::issued`] has the token.
    ///
    /// # Errors
    /// If the connection breaks, or the claims are too long.
    pub fn issue_ahead(
        &mut self,
        key: &PublicKey,
        claims: &str,
        iat: i64,
        after: i64,
    ) -> Result<(), Error> {
        self.ask_ahead(Name::Issue, |request| {
            request
                .key_blob(key)
                .string(claims.as_bytes())
                .int64(iat)
                .int64(after);
        })?;
        self.ahead = Ahead::Issuing;
        Ok(())
    }

    /// The token that [`Client::issue_ahead`] asked for.
    ///
    /// # Errors
    /// [`Error::Refused`] with the agent's reason.
    pub fn issued(&mut self) -> Result<String, Error> {
        self.settle()?;
        match std::mem::take(&mut self.ahead) {
            Ahead::Issued(token) => token,
            other => {
                self.ahead = other;
                Err(Error::Answer("an answer to another request"))
            }
        }
    }

    /// Asks whether the key of [`Client::generated`] is on disk, without waiting for the answer.
    ///
    /// # Errors
    /// If the connection breaks.
    pub fn flush_ahead(&mut self) -> Result<(), Error> {
        self.ask_ahead(Name::Flush, |_| {})?;
        self.ahead = Ahead::Flushing;
        Ok(())
    }

    /// Returns when the key of [`Client::generated`] is on disk.
    ///
    /// # Errors
    /// [`Error::Refused`] with the agent's reason; then the agent does not hold the key.
    pub fn flushed(&mut self) -> Result<(), Error> {
        if !matches!(self.ahead, Ahead::Flushing | Ahead::Flushed(_)) {
            self.flush_ahead()?;
        }
        self.settle()?;
        match std::mem::take(&mut self.ahead) {
            Ahead::Flushed(flushed) => flushed,
            _ => Err(Error::Answer("an answer to another request")),
        }
    }

    /// Sends a request of ours, once nothing else is under way.
    pub(super) fn ask_ahead(
        &mut self,
        name: Name,
        body: impl FnOnce(&mut Writer),
    ) -> Result<(), Error> {
        self.settle()?;
        self.send(number::EXTENSION, |request| {
            request.string(name.as_str().as_bytes());
            body(request);
        })
    }

    /// Answers come in the order of requests, so its own is read before another is sent.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        // If the connection breaks here, no answer is left to wait for.
        match std::mem::take(&mut self.ahead) {
            Ahead::Making(kind) => {
                self.hear(Name::Generate)?;
                let body = self.answered(Name::Generate);
                self.ahead = Ahead::Made(body.and_then(|body| Client::made(kind, body)));
            }
            Ahead::Issuing => {
                self.hear(Name::Issue)?;
                let token = self.answered(Name::Issue).and_then(|mut body| {
                    let token = body.text()?.to_owned();
                    body.end()?;
                    Ok(token)
                });
                self.ahead = Ahead::Issued(token);
            }
            Ahead::Flushing => {
                self.hear(Name::Flush)?;
                let flushed = self.answered(Name::Flush).and_then(|body| Ok(body.end()?));
                self.ahead = Ahead::Flushed(flushed);
            }
            settled => self.ahead = settled,
        }
        Ok(())
    }
}
