//! Keys that are answered before they are on disk, so that their client can go on meanwhile.

use super::Agent;
use super::connection::Connection;
use super::keys::{self, add_lasting, check_name};
use super::ours::wipe_stack;
use crate::message::{Refusal, Status};
use crate::store::{State, StoreError};
use nkey_core::nkey::{Kind, PublicKey, Seed};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinHandle;

/// Keys on their way at once, of all connections; further ones are made as without the flag.
const MOST: usize = 16;

/// A key that is being added. Dropped, it is added all the same.
pub struct Adding(JoinHandle<Result<PublicKey, StoreError>>);

/// Makes a key and begins to add it, unless so many are on their way that it is better to wait.
pub fn generate(
    agent: &Arc<Agent>,
    connection: &mut Connection,
    kind: Kind,
    name: &str,
    flags: u32,
) -> Result<PublicKey, Refusal> {
    check_name(name)?;
    if connection.adding.is_some() {
        return Err(Refusal::new(
            Status::Malformed,
            "a key of this connection is on its way to the disk: wait for it by flush-v1",
        ));
    }
    // Said before a token is asked for, and not after.
    if let Some(first) = agent.fixed.first()
        && first.store.state() == State::Locked
    {
        return Err(first.store.locked().into());
    }
    if agent.adding.load(Ordering::SeqCst) >= MOST {
        return keys::generate(agent, connection, kind, name, flags);
    }
    let adding = Counting::new(agent, |agent| &agent.adding);
    // On the heap, so that handing it to the thread leaves no copies.
    let seed = Seed::generate(kind, getrandom::fill)
        .map(Box::new)
        .map_err(|error| Refusal::new(Status::StoreFailed, error))?;
    let key = seed.public_key();
    let name = name.to_owned();
    // Counted from here on: a signal waits for it.
    let under_way = Counting::new(agent, |agent| &agent.under_way);
    let agent = Arc::clone(agent);
    connection.adding = Some(Adding(tokio::task::spawn_blocking(move || {
        let _counted = (adding, under_way);
        let added = add_lasting(&agent, &seed, &name, flags);
        drop(seed);
        wipe_stack();
        added
    })));
    Ok(key)
}

/// Counts something of the agent while it lives, also on another thread.
struct Counting(Arc<Agent>, fn(&Agent) -> &AtomicUsize);

impl Counting {
    fn new(agent: &Arc<Agent>, counter: fn(&Agent) -> &AtomicUsize) -> Counting {
        counter(agent).fetch_add(1, Ordering::SeqCst);
        Counting(Arc::clone(agent), counter)
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        (self.1)(&self.0).fetch_sub(1, Ordering::SeqCst);
    }
}

impl Adding {
    /// Waits until the key is on disk.
    pub async fn finish(self) -> Result<(), Refusal> {
        match self.0.await {
            Ok(added) => Ok(added.map(|_| ())?),
            Err(_) => Err(Refusal::new(Status::StoreFailed, "the key was not added")),
        }
    }
}
