//! Unlocking over the socket: a thread runs the store, questions go to the client.

use super::{Agent, log};
use crate::message::{Question, Refusal, Status};
use crate::store::{Prompt, State, Store, StoreError};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use zeroize::Zeroizing;

/// What a wrong passphrase costs.
const PENALTY: Duration = Duration::from_secs(1);

/// How long a question waits for its answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Most clients that unlock at once. Each takes a thread.
const CLIENTS: usize = 16;

/// Who unlocks, and whose turn it is.
pub struct Unlocking {
    clients: Arc<Semaphore>,
    turn: Arc<Turn>,
}

impl Unlocking {
    pub fn new() -> Unlocking {
        Unlocking {
            clients: Arc::new(Semaphore::new(CLIENTS)),
            turn: Arc::new(Turn::default()),
        }
    }

    fn enter(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.clients).try_acquire_owned().map_err(|_| {
            Refusal::new(
                Status::Refused,
                "too many clients are unlocking: try again when they are done",
            )
        })
    }
}

/// Only one works at a time: scrypt takes 256 MiB, and guesses must not run side by side.
#[derive(Default)]
struct Turn {
    taken: Mutex<bool>,
    free: Condvar,
}

/// The turn, held or not. It is not held while a person is asked: one who does not answer
/// must not keep others from unlocking.
struct Holder {
    turn: Arc<Turn>,
    holds: bool,
}

impl Holder {
    fn new(turn: &Arc<Turn>) -> Holder {
        let mut holder = Holder {
            turn: Arc::clone(turn),
            holds: false,
        };
        holder.take();
        holder
    }

    fn take(&mut self) {
        let taken = self
            .turn
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let waited = self.turn.free.wait_while(taken, |taken| *taken);
        *waited.unwrap_or_else(PoisonError::into_inner) = true;
        self.holds = true;
    }

    fn give(&mut self) {
        if std::mem::take(&mut self.holds) {
            *self
                .turn
                .taken
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = false;
            self.turn.free.notify_one();
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.give();
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
        if agent
            .stores
            .iter()
            .all(|store| store.state() == State::Unlocked)
        {
            return Ok(None);
        }
        let place = agent.unlocking.enter()?;
        let stores = agent.stores.clone();
        let turn = Arc::clone(&agent.unlocking.turn);
        let (tell, events) = mpsc::unbounded_channel();
        let (answers, hear) = channel();
        std::thread::Builder::new()
            .name("unlock".to_owned())
            .spawn(move || {
                let mut prompt = Remote {
                    tell,
                    hear,
                    turn: Holder::new(&turn),
                };
                let result = unlock_all(&stores, &mut prompt);
                drop(place);
                let _ = prompt.tell.send(Event::Done(result));
            })
            .map_err(|error| {
                Refusal::new(
                    Status::StoreFailed,
                    format_args!("no thread to unlock: {error}"),
                )
            })?;
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
            None => Step::Done(Err(Refusal::new(
                Status::StoreFailed,
                "unlocking ended early",
            ))),
        }
    }
}

/// Unlocks with a passphrase alone, as request 23 carries it.
pub fn with_passphrase(agent: &Agent, passphrase: &str) -> Result<(), Refusal> {
    let _place = agent.unlocking.enter()?;
    let _turn = Holder::new(&agent.unlocking.turn);
    let mut prompt = Fixed(Some(Zeroizing::new(passphrase.to_owned())));
    unlock_own(&agent.stores, &mut prompt)?;
    // The passphrase is no PIN: as one it would cost a try.
    Ok(unlock_holders(&agent.stores, &mut Fixed(None))?)
}

fn unlock_all(stores: &[Arc<dyn Store>], prompt: &mut dyn Prompt) -> Result<(), StoreError> {
    unlock_own(stores, prompt)?;
    unlock_holders(stores, prompt)
}

fn locked(stores: &[Arc<dyn Store>]) -> impl Iterator<Item = &dyn Store> {
    let stores = stores.iter().map(|store| store.as_ref() as &dyn Store);
    stores.filter(|store| store.state() == State::Locked)
}

fn unlock_own(stores: &[Arc<dyn Store>], prompt: &mut dyn Prompt) -> Result<(), StoreError> {
    let mut own = locked(stores).filter(|store| store.enrolment().is_none());
    own.try_for_each(|store| penalised(store, prompt))
}

/// Only once the vault is open. A holder without its PIN stays locked, and others go on.
fn unlock_holders(stores: &[Arc<dyn Store>], prompt: &mut dyn Prompt) -> Result<(), StoreError> {
    let mut holders = locked(stores).filter(|store| store.enrolment().is_some());
    holders.try_for_each(|store| match penalised(store, prompt) {
        Err(StoreError::Cancelled) => Ok(()),
        result => result,
    })
}

fn penalised(store: &dyn Store, prompt: &mut dyn Prompt) -> Result<(), StoreError> {
    let result = store.unlock(prompt);
    if let Err(StoreError::WrongPassphrase) = result {
        log::line(format_args!(
            "refused: unlocking the {} store: wrong passphrase",
            store.name()
        ));
        std::thread::sleep(PENALTY);
    }
    result
}

/// Asks the client at the other end of the socket.
struct Remote {
    tell: mpsc::UnboundedSender<Event>,
    hear: Receiver<Zeroizing<String>>,
    turn: Holder,
}

impl Remote {
    fn ask(&mut self, question: Question, text: &str) -> Option<Zeroizing<String>> {
        self.turn.give();
        self.tell.send(Event::Ask(question, text.to_owned())).ok()?;
        let answer = self.hear.recv_timeout(PATIENCE).ok();
        self.turn.take();
        answer
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
        self.ask(Question::Public, text)
            .map(|answer| (*answer).clone())
    }

    fn confirm(&mut self, text: &str) -> Option<bool> {
        self.ask(Question::Confirm, text)
            .map(|answer| *answer == "y")
    }
}

/// Answers the first secret with a passphrase, and nothing else.
struct Fixed(Option<Zeroizing<String>>);

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
