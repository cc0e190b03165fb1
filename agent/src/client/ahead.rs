//! A key that is asked for before its caller needs it, so that both work at the same time.

use super::{Client, Error};
use crate::message::{Name, number};
use nkey_core::nkey::{Kind, PublicKey};

/// What became of it.
pub(super) enum Ahead {
    /// None is asked for.
    None,
    /// The agent makes one of this kind.
    Asked(Kind),
    /// It has answered.
    Answered(Result<PublicKey, Error>),
}

impl Client {
    /// As [`Client::generate`], without waiting: [`Client::generated`] has the key.
    ///
    /// # Errors
    /// If the connection breaks.
    pub fn generate_ahead(&mut self, kind: Kind, name: &str, flags: u32) -> Result<(), Error> {
        self.settle()?;
        self.send(number::EXTENSION, |request| {
            request
                .string(Name::Generate.as_str().as_bytes())
                .string(kind.name().as_bytes())
                .string(name.as_bytes())
                .uint32(flags);
        })?;
        self.ahead = Ahead::Asked(kind);
        Ok(())
    }

    /// The key that [`Client::generate_ahead`] asked for; none if it was not called.
    ///
    /// # Errors
    /// [`Error::Refused`] with the agent's reason.
    pub fn generated(&mut self) -> Result<Option<PublicKey>, Error> {
        self.settle()?;
        match std::mem::replace(&mut self.ahead, Ahead::None) {
            Ahead::Answered(key) => key.map(Some),
            Ahead::None | Ahead::Asked(_) => Ok(None),
        }
    }

    /// Answers come in the order of requests, so its own is read before another is sent.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        if let Ahead::Asked(kind) = self.ahead {
            // If the connection breaks here, no answer is left to wait for.
            self.ahead = Ahead::None;
            self.read_answer()?;
            let key = self
                .answered(Name::Generate)
                .and_then(|body| Client::made(kind, body));
            self.ahead = Ahead::Answered(key);
        }
        Ok(())
    }
}
