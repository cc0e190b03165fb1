//! Unlocking over the socket: a thread runs the store, questions go to the client.

use super::Agent;
use crate::message::{Question, Refusal, Status};
use crate::store::{Prompt, State, Store, StoreError};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use zeroize::Zeroizing;

/// What a wrong passphrase costs.
const PENALTY: Duration = Duration::from_secs(1);

/// How long a question waits for its answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Only one unlocks at a time: scrypt takes 256 MiB, and guesses must not run side by side.
pub struct Turn(Arc<Semaphore>);

impl Turn {
    pub fn new() -> Turn {
        Turn(Arc::new(Semaphore::new(1)))
    }

    fn take(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| {
            Refusal::new(Status::Refused, "another client is unlocking: try again when it is done")
        })
    }
}

/// What the thread says.
enum Event {
    Ask(Question, String),
    Done(Result<(), StoreError>),
}

/// Unlocking that is under way. Dropped, it gives the questions up.
pub struct Session {
    events: mpsc::UnboundedReceiver<Event>,
    answers: Sender<Zeroizing<String>>,
}

/// How unlocking goes on.
pub enum Step {
    /// A question to the person.
    Ask(Session, Question, String),
    /// It is over.
    Done(Result<(), Refusal>),
}

impl Session {
    /// Starts to unlock every store that is locked; none if there is none.
    pub fn start(agent: &Agent) -> Result<Option<Session>, Refusal> {
        let locked: Vec<Arc<dyn Store>> = agent
            .stores
            .iter()
            .filter(|store| store.state() == State::Locked)
            .cloned()
            .collect();
        if locked.is_empty() {
            return Ok(None);
        }
        let turn = agent.unlocking.take()?;
        let (tell, events) = mpsc::unbounded_channel();
        let (answers, hear) = channel();
        let mut prompt = Remote { tell: tell.clone(), hear };
        std::thread::Builder::new()
            .name("unlock".to_owned())
            .spawn(move || {
                let result = unlock_all(&locked, &mut prompt);
                let _ = tell.send(Event::Done(result));
                drop(turn);
            })
            .map_err(|error| Refusal::new(Status::StoreFailed, format_args!("no thread to unlock: {error}")))?;
        Ok(Some(Session { events, answers }))
    }

    /// Gives the answer to the last question.
    pub fn answer(&self, answer: &str) {
        // The thread may have given up; then its end is the next event.
        let _ = self.answers.send(Zeroizing::new(answer.to_owned()));
    }

    /// Waits for the next question or the end.
    pub async fn step(mut self) -> Step {
        match self.events.recv().await {
            Some(Event::Ask(question, text)) => Step::Ask(self, question, text),
            Some(Event::Done(result)) => Step::Done(result.map_err(Refusal::from)),
            None => Step::Done(Err(Refusal::new(Status::StoreFailed, "unlocking ended early"))),
        }
    }
}

/// Unlocks with a passphrase alone, as request 23 carries it.
pub fn with_passphrase(agent: &Agent, passphrase: &str) -> Result<(), Refusal> {
    let _turn = agent.unlocking.take()?;
    let mut prompt = Fixed(Some(Zeroizing::new(passphrase.to_owned())));
    for store in &agent.stores {
        penalised(store.as_ref(), &mut prompt)?;
    }
    Ok(())
}

fn unlock_all(stores: &[Arc<dyn Store>], prompt: &mut dyn Prompt) -> Result<(), StoreError> {
    stores.iter().try_for_each(|store| penalised(store.as_ref(), prompt))
}

fn penalised(store: &dyn Store, prompt: &mut dyn Prompt) -> Result<(), StoreError> {
    let result = store.unlock(prompt);
    if let Err(StoreError::WrongPassphrase) = result {
        eprintln!("refused: unlocking the {} store: wrong passphrase", store.name());
        std::thread::sleep(PENALTY);
    }
    result
}

/// Asks the client at the other end of the socket.
struct Remote {
    tell: mpsc::UnboundedSender<Event>,
    hear: Receiver<Zeroizing<String>>,
}

impl Remote {
    fn ask(&mut self, question: Question, text: &str) -> Option<Zeroizing<String>> {
        self.tell.send(Event::Ask(question, text.to_owned())).ok()?;
        self.hear.recv_timeout(PATIENCE).ok()
    }
}

impl Prompt for Remote {
    fn message(&mut self, text: &str) {
        let _ = self.ask(Question::Message, text);
    }

    fn secret(&mut self, text: &str) -> Option<Zeroizing<String>> {
        self.ask(Question::Secret, text)
    }

    fn public(&mut self, text: &str) -> Option<String> {
        self.ask(Question::Public, text).map(|answer| (*answer).clone())
    }

    fn confirm(&mut self, text: &str) -> Option<bool> {
        self.ask(Question::Confirm, text).map(|answer| *answer == "y")
    }
}

/// Answers the first secret with a passphrase, and nothing else.
pub struct Fixed(pub Option<Zeroizing<String>>);

impl Prompt for Fixed {
    fn message(&mut self, _text: &str) {}

    fn secret(&mut self, _text: &str) -> Option<Zeroizing<String>> {
        self.0.take()
    }

    fn public(&mut self, _text: &str) -> Option<String> {
        None
    }

    fn confirm(&mut self, _text: &str) -> Option<bool> {
        None
    }
}
