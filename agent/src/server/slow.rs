//! Requests that take long: each waits for its holder's turn and then has a thread, so that
//! nobody who uses another key waits with it.

use super::Agent;
use super::answer::{self, Outcome};
use super::connection::Connection;
use super::reply::notice;
use crate::message::{Name, Ours, Request, number, parse};
use crate::store::{Person, Store};
use crate::wire::Writer;
use nkey_core::nkey::{Kind, PublicKey};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// Most holders that are asked for their state at once.
pub const INQUIRIES: usize = 4;

/// How often it is looked whether the client has gone.
const PAUSE: Duration = Duration::from_millis(250);

/// A request that waits for its turn.
pub struct Slow {
    lane: Arc<Semaphore>,
    /// The extension that is answered; none for a standard request, whose client hears nothing
    /// but the answer.
    name: Option<Name>,
    /// Wiped: a token's command may hold a PIN.
    frame: Zeroizing<Vec<u8>>,
}

/// A request that is worked on, on a thread. Dropped, it lets the thread know that nobody waits.
pub struct Running {
    name: Option<Name>,
    notices: mpsc::UnboundedReceiver<String>,
    answering: JoinHandle<Option<Writer>>,
    gone: Arc<AtomicBool>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
    }
}

/// Tells the client of a request that is worked on.
struct Remote {
    tell: mpsc::UnboundedSender<String>,
    gone: Arc<AtomicBool>,
}

impl Person for Remote {
    fn say(&self, text: &str) {
        let _ = self.tell.send(text.to_owned());
    }

    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }
}

impl Agent {
    /// The turns at the store that is wanted, if it takes long.
    fn lane(&self, wanted: impl Fn(&dyn Store) -> bool) -> Option<&Arc<Semaphore>> {
        self.lasting()
            .filter(|lasting| lasting.lane.is_some())
            .find(|lasting| wanted(lasting.store.as_ref()))
            .and_then(|lasting| lasting.lane.as_ref())
    }
}

impl Slow {
    /// The wait of a request, if it takes long.
    pub fn of(agent: &Agent, request: &Request<'_>, frame: &[u8]) -> Option<Slow> {
        let named = |name: &str| agent.lane(|store| store.answers_to(name));
        let held = |key| agent.lane(|store| holds(store, key));
        let (lane, name) = match request {
            Request::Sign { key, .. } => (held(*key), None),
            Request::Ours(Ours::Sign { key, .. }) => (held(*key), Some(Name::Sign)),
            Request::Ours(Ours::Issue { key, .. }) => (held(*key), Some(Name::Issue)),
            Request::Ours(Ours::Slots { store }) => (named(store), Some(Name::Slots)),
            Request::Ours(Ours::Enrol { store, .. }) => (named(store), Some(Name::Enrol)),
            Request::Ours(Ours::GenerateIn { store, .. }) => (named(store), Some(Name::GenerateIn)),
            Request::Ours(Ours::Token { store, .. }) => (named(store), Some(Name::Token)),
            Request::Ours(Ours::Stores) => (Some(&agent.inquiries), Some(Name::Stores)),
            _ => return None,
        };
        Some(Slow {
            lane: Arc::clone(lane?),
            name,
            frame: frame.to_vec().into(),
        })
    }

    /// Waits for the turn, then answers on a thread. Dropped meanwhile, it gives the turn up; a
    /// holder that is asked already goes on until it answers.
    pub async fn start(self, agent: &Arc<Agent>, connection: &Connection) -> Option<Running> {
        let turn = self.lane.acquire_owned().await.ok()?;
        let (tell, notices) = mpsc::unbounded_channel();
        let gone = Arc::new(AtomicBool::new(false));
        let person = Remote {
            tell,
            gone: Arc::clone(&gone),
        };
        let agent = Arc::clone(agent);
        let mut connection = connection.for_thread(Box::new(person));
        let frame = self.frame;
        let answering = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut answer = Writer::new();
            match answer::respond(&agent, &mut connection, parse(&frame), &mut answer) {
                Outcome::Done => Some(answer),
                Outcome::Wait(_) => None,
            }
        });
        Some(Running {
            name: self.name,
            notices,
            answering,
            gone,
        })
    }
}

impl Running {
    /// The next message to the client's person, or the answer; whether it was the answer.
    pub async fn step(&mut self, output: &mut Writer) -> bool {
        loop {
            let answered = tokio::select! {
                biased;
                Some(text) = self.notices.recv() => match self.name {
                    Some(name) => {
                        notice(output, name, &text);
                        return false;
                    }
                    None => continue,
                },
                answered = &mut self.answering => answered,
            };
            match answered {
                Ok(Some(answer)) => output.raw(answer.as_bytes()),
                _ => output.uint32(1).byte(number::FAILURE),
            };
            return true;
        }
    }
}

fn holds(store: &dyn Store, key: [u8; 32]) -> bool {
    [Kind::User, Kind::Account, Kind::Operator]
        .into_iter()
        .any(|kind| store.find(&PublicKey::from_bytes(kind, key)).is_some())
}

/// Returns when the client has closed its socket.
pub async fn gone(stream: &UnixStream) {
    loop {
        tokio::time::sleep(PAUSE).await;
        match stream.ready(Interest::WRITABLE).await {
            Ok(ready) if !ready.is_write_closed() => {}
            _ => return,
        }
    }
}
