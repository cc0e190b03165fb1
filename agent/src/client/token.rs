//! Commands to tokens, which the agent passes on.

use super::{Client, Error};
use crate::message::Name;

impl Client {
    /// Passes a command on to the token of a store, named by the store's name or the token's
    /// serial number: a `nkey_core::token::Command` in postcard, and the `Answer` likewise. The
    /// agent adds the session if it has one. What the person is to do is handed to
    /// [`Client::on_notice`].
    ///
    /// # Errors
    /// [`Error::Refused`] with the token's or the agent's reason; its status is `Locked` if the
    /// command needs a session and there is none.
    pub fn token(&mut self, store: &str, command: &[u8]) -> Result<Vec<u8>, Error> {
        let mut body = self.ask(Name::Token, |request| {
            request.string(store.as_bytes()).string(command);
        })?;
        let answer = body.string()?.to_owned();
        body.end()?;
        Ok(answer)
    }
}
