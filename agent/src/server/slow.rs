//! Requests that take long: each waits for its holder's turn and then has a thread, so that
//! nobody who uses another key waits with it.

use super::Agent;
use super::answer::{self, Outcome};
use super::connection::Connection;
use crate::message::{Ours, Request, number, parse};
use crate::store::Store;
use crate::wire::Writer;
use nkey_core::nkey::{Kind, PublicKey};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;

/// Most holders that are asked for their state at once.
const INQUIRIES: usize = 4;

/// How often it is looked whether the client has gone.
const PAUSE: Duration = Duration::from_millis(250);

/// The turns at each store whose signatures take long.
pub struct Lanes {
    stores: Vec<Option<Arc<Semaphore>>>,
    inquiries: Arc<Semaphore>,
}

/// A request that waits for its turn.
pub struct Slow {
    lane: Arc<Semaphore>,
    frame: Vec<u8>,
}

impl Lanes {
    pub fn new(stores: &[Arc<dyn Store>]) -> Lanes {
        let lane = |store: &Arc<dyn Store>| {
            let width = store.lanes()?;
            Some(Arc::new(Semaphore::new(width.max(1))))
        };
        Lanes {
            stores: stores.iter().map(lane).collect(),
            inquiries: Arc::new(Semaphore::new(INQUIRIES)),
        }
    }
}

impl Agent {
    /// The turns at the store that is wanted, if it takes long.
    fn lane(&self, wanted: impl Fn(&dyn Store) -> bool) -> Option<&Arc<Semaphore>> {
        let mut lanes = self.stores.iter().zip(&self.lanes.stores);
        lanes.find_map(|(store, lane)| lane.as_ref().filter(|_| wanted(store.as_ref())))
    }
}

impl Slow {
    /// The wait of a request, if it takes long.
    pub fn of(agent: &Agent, request: &Request<'_>, frame: &[u8]) -> Option<Slow> {
        let lane = match request {
            Request::Sign { key, .. }
            | Request::Ours(Ours::Sign { key, .. } | Ours::Issue { key, .. }) => {
                agent.lane(|store| holds(store, *key))
            }
            Request::Ours(Ours::Slots { store } | Ours::Enrol { store, .. }) => {
                agent.lane(|found| found.name() == *store)
            }
            Request::Ours(Ours::Stores) => Some(&agent.lanes.inquiries),
            _ => None,
        }?;
        Some(Slow {
            lane: Arc::clone(lane),
            frame: frame.to_vec(),
        })
    }

    /// Waits for the turn, then answers on a thread. Dropped, it gives the turn up; a holder
    /// that is asked already goes on until it answers.
    pub async fn answer(self, agent: &Arc<Agent>, connection: &Connection, output: &mut Writer) {
        let Ok(turn) = self.lane.acquire_owned().await else {
            return;
        };
        let agent = Arc::clone(agent);
        let mut connection = connection.for_thread();
        let frame = self.frame;
        let answering = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut answer = Writer::new();
            match answer::respond(&agent, &mut connection, parse(&frame), &mut answer) {
                Outcome::Done => Some(answer),
                Outcome::Wait(_) => None,
            }
        });
        match answering.await {
            Ok(Some(answer)) => output.raw(answer.as_bytes()),
            _ => output.uint32(1).byte(number::FAILURE),
        };
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
