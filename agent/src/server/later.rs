//! Keys that are answered before they are on disk, so that their client can go on meanwhile.

use super::connection::Connection;
use super::keys::{add_lasting, check_name};
use super::ours::wipe_stack;
use super::{Agent, Counted};
use crate::message::{Refusal, Status};
use crate::store::StoreError;
use nkey_core::nkey::{Kind, PublicKey, Seed};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::task::JoinHandle;

/// A key that is being added. Dropped, it is added all the same.
pub struct Adding(JoinHandle<Result<PublicKey, StoreError>>);

/// Makes a key and begins to add it.
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
    // On the heap, so that handing it to the thread leaves no copies.
    let seed = Seed::generate(kind, getrandom::fill)
        .map(Box::new)
        .map_err(|error| Refusal::new(Status::StoreFailed, error))?;
    let key = seed.public_key();
    let name = name.to_owned();
    // Counted from here on: a signal waits for it.
    agent.under_way.fetch_add(1, Ordering::SeqCst);
    let agent = Arc::clone(agent);
    connection.adding = Some(Adding(tokio::task::spawn_blocking(move || {
        let _under_way = Counted(&agent.under_way);
        let added = add_lasting(&agent, &seed, &name, flags);
        drop(seed);
        wipe_stack();
        added
    })));
    Ok(key)
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
