//! Unlocking: the agent asks, the person on this side answers.

use super::{AgentStatus, Client, Error};
use crate::message::{Name, Question, Status};
use zeroize::Zeroizing;

/// Answers the questions of a store that is unlocked. `None` gives up.
pub trait Prompt {
    /// Shows a message.
    fn message(&mut self, text: &str);
    /// A secret, such as a passphrase or a PIN.
    fn secret(&mut self, text: &str) -> Option<Zeroizing<String>>;
    /// Something public.
    fn public(&mut self, text: &str) -> Option<String>;
    /// Yes or no.
    fn confirm(&mut self, text: &str) -> Option<bool>;
    /// Whether nobody is there any more.
    fn is_gone(&mut self) -> bool {
        false
    }
}

impl Client {
    /// Unlocks the agent, answering what it asks through `prompt`.
    ///
    /// # Errors
    /// [`Error::Refused`] with the agent's reason, such as a wrong passphrase;
    /// [`Error::Cancelled`] if `prompt` gives up.
    pub fn unlock(&mut self, prompt: &mut dyn Prompt) -> Result<AgentStatus, Error> {
        self.unlock_by(Name::Unlock, None, prompt)
    }

    /// Unlocks one store, by its name or a token's serial number; as [`Client::unlock`].
    ///
    /// # Errors
    /// [`Error::Refused`] with the agent's reason, such as a wrong PIN;
    /// [`Error::Cancelled`] if `prompt` gives up.
    pub fn unlock_store(
        &mut self,
        store: &str,
        prompt: &mut dyn Prompt,
    ) -> Result<AgentStatus, Error> {
        self.unlock_by(Name::UnlockIn, Some(store), prompt)
    }

    /// Locks one store, by its name or a token's serial number.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is none.
    pub fn lock_store(&mut self, store: &str) -> Result<(), Error> {
        let body = self.ask(Name::LockIn, |request| {
            request.string(store.as_bytes());
        })?;
        Ok(body.end()?)
    }

    fn unlock_by(
        &mut self,
        name: Name,
        store: Option<&str>,
        prompt: &mut dyn Prompt,
    ) -> Result<AgentStatus, Error> {
        // The person may take their time to touch a device.
        let mut answer = Zeroizing::new(String::new());
        loop {
            let (status, reason, mut body) = self.exchange(name, |request| {
                if let Some(store) = store {
                    request.string(store.as_bytes());
                }
                request.string(answer.as_bytes());
            })?;
            match status {
                Status::Ok => return AgentStatus::read(body),
                Status::Prompt => {}
                status => return Err(Error::Refused { status, reason }),
            }
            let question =
                Question::from_byte(body.byte()?).ok_or(Error::Answer("an unknown question"))?;
            let text = body.text()?.to_owned();
            body.end()?;
            let given = match question {
                Question::Message => {
                    prompt.message(&text);
                    Some(Zeroizing::default())
                }
                Question::Secret => prompt.secret(&text),
                Question::Public => prompt.public(&text).map(Zeroizing::new),
                Question::Confirm => prompt
                    .confirm(&text)
                    .map(|yes| Zeroizing::new(if yes { "y" } else { "n" }.to_owned())),
            };
            answer = given.ok_or(Error::Cancelled)?;
        }
    }
}
