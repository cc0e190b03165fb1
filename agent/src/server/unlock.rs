//! Unlocking over the socket: a thread runs the store, questions go to the client.

use super::{Agent, holders as named, log};
use crate::message::{Name, Question, Refusal, Status};
use crate::store::enrolled::Enrolled;
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
    left: bool,
}

impl Holder {
    fn new(turn: &Arc<Turn>) -> Holder {
        let mut holder = Holder {
            turn: Arc::clone(turn),
            holds: false,
            left: false,
        };
        holder.take();
        holder
    }

    /// Gives the turn for good.
    fn leave(&mut self) {
        self.give();
        self.left = true;
    }

    fn take(&mut self) {
        if self.left {
            return;
        }
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
    /// The only store that is unlocked, as the client named it.
    only: Option<String>,
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
    /// Starts to unlock every store that is locked, or the only one that is wanted; none if there
    /// is none.
    pub fn start(agent: &Agent, only: Option<&str>) -> Result<Option<Session>, Refusal> {
        let stores: Vec<Arc<dyn Store>> = match only {
            Some(name) => vec![Arc::clone(named::named(agent, name)?)],
            None => {
                let listed = agent.listed().into_iter();
                listed.map(|found| Arc::clone(&found.store)).collect()
            }
        };
        // A token ends its session by itself, which is seen only when it is asked.
        let is_open = |store: &Arc<dyn Store>| {
            store.state() == State::Unlocked && !(only.is_some() && store.enrolment().is_some())
        };
        if stores.iter().all(is_open) {
            return Ok(None);
        }
        let place = agent.unlocking.enter()?;
        let one = only.is_some();
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
                let result = unlock_own(&stores, &mut prompt).and_then(|()| {
                    // A slow device must not keep others from the vault.
                    prompt.turn.leave();
                    check(&stores);
                    match one {
                        true => {
                            holders(&stores).try_for_each(|store| penalised(store, &mut prompt))
                        }
                        false => unlock_holders(&stores, &mut prompt),
                    }
                });
                drop(place);
                let _ = prompt.tell.send(Event::Done(result));
            })
            .map_err(|error| {
                Refusal::new(
                    Status::StoreFailed,
                    format_args!("no thread to unlock: {error}"),
                )
            })?;
        Ok(Some(Session {
            only: only.map(str::to_owned),
            events,
            answers,
        }))
    }

    /// The extension that began it.
    pub fn name(&self) -> Name {
        match self.only {
            Some(_) => Name::UnlockIn,
            None => Name::Unlock,
        }
    }

    /// Whether it unlocks this store, or all.
    pub fn is_of(&self, store: Option<&str>) -> bool {
        self.only.as_deref() == store
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
    let stores: Vec<Arc<dyn Store>> = agent.stores().cloned().collect();
    unlock_own(&stores, &mut prompt)?;
    // The passphrase is no PIN: as one it would cost a try.
    let mut ready = holders(&stores).filter(|enrolled| !enrolled.holder().is_locked());
    Ok(ready.try_for_each(|enrolled| enrolled.unlock(&mut prompt))?)
}

fn locked(stores: &[Arc<dyn Store>]) -> impl Iterator<Item = &dyn Store> {
    let stores = stores.iter().map(|store| store.as_ref() as &dyn Store);
    stores.filter(|store| store.state() == State::Locked)
}

fn holders(stores: &[Arc<dyn Store>]) -> impl Iterator<Item = &Enrolled> {
    locked(stores).filter_map(|store| store.enrolment())
}

/// Has the holders notice what locked itself.
fn check(stores: &[Arc<dyn Store>]) {
    let enrolled = stores.iter().filter_map(|store| store.enrolment());
    enrolled.for_each(|enrolled| enrolled.holder().check());
}

fn unlock_own(stores: &[Arc<dyn Store>], prompt: &mut dyn Prompt) -> Result<(), StoreError> {
    let mut own = locked(stores).filter(|store| store.enrolment().is_none());
    own.try_for_each(|store| penalised(store, prompt))
}

/// Only once the vault is open. A holder that is absent or whose PIN is not given stays locked,
/// and others go on.
fn unlock_holders(stores: &[Arc<dyn Store>], prompt: &mut dyn Prompt) -> Result<(), StoreError> {
    holders(stores).try_for_each(|enrolled| match penalised(enrolled, prompt) {
        Err(StoreError::Cancelled) => Ok(()),
        Err(error @ (StoreError::Holder(..) | StoreError::Declined(..))) => {
            prompt.message(&format!("stays locked: {error}"));
            Ok(())
        }
        result => result,
    })
}

fn penalised(store: &dyn Store, prompt: &mut dyn Prompt) -> Result<(), StoreError> {
    let result = store.unlock(prompt);
    if let Err(StoreError::WrongPassphrase | StoreError::WrongPin(..)) = result {
        log::line(format_args!(
            "refused: unlocking the {} store: wrong passphrase or PIN",
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

    fn is_gone(&mut self) -> bool {
        self.tell.is_closed()
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
