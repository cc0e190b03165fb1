//! Answers that bring keys into the agent.

use super::Agent;
use super::connection::Connection;
use super::ours::wipe_stack;
use super::reply::key_answer;
use crate::message::{MAX_NAME, Name, Ours, Refusal, Request, Status, flag, parse};
use crate::store::volatile::Volatile;
use crate::store::{Flags, Store, StoreError};
use crate::wire::Writer;
use nkey_core::nkey::{Kind, PublicKey, Seed};
use std::sync::{Arc, MutexGuard, Weak};
use tokio::task::block_in_place;

/// Whether a frame asks for a new key that stays: such keys are made many at once.
pub fn makes_key(frame: &[u8]) -> bool {
    matches!(
        parse(frame),
        Ok(Request::Ours(Ours::Generate { flags, later: false, .. }))
            if flags & flag::VOLATILE == 0
    )
}

/// Answers frames that ask for new keys with the same marks, all of them at once.
pub fn make_keys<'a>(agent: &Agent, frames: impl Iterator<Item = &'a [u8]>, output: &mut Writer) {
    let mut made = Vec::new();
    let mut keys = Vec::new();
    let mut bits = 0;
    for frame in frames {
        if let Ok(Request::Ours(Ours::Generate {
            kind, name, flags, ..
        })) = parse(frame)
        {
            bits = flags;
            let seed = Seed::generate(kind, getrandom::fill)
                .map_err(|error| Refusal::new(Status::StoreFailed, error))
                .and_then(|seed| Ok(check_name(name).map(|()| seed)?));
            made.push(seed.map(|seed| keys.push((seed, name))));
        }
    }
    let added = block_in_place(|| {
        // As in `add`: two connections must not add the same bytes at once.
        let volatiles = agent.volatiles();
        let held =
            |(seed, _): &(Seed, &str)| agent.holder(seed.public_key().as_bytes(), &volatiles);
        match (agent.fixed.first(), keys.iter().find_map(held)) {
            (_, Some(held)) => Err(StoreError::Exists(held)),
            (None, _) => Err(StoreError::Unsupported("take new keys")),
            (Some(first), None) => Ok(first.store.add_many(&keys, marks(bits))),
        }
    });
    let mut added = match added {
        Ok(added) => added
            .into_iter()
            .map(|key| key.map_err(Refusal::from))
            .collect(),
        Err(error) => {
            let refusal = Refusal::from(error);
            vec![Err(refusal); keys.len()]
        }
    }
    .into_iter();
    for seed in made {
        let answer = seed.and_then(|()| {
            added
                .next()
                .unwrap_or_else(|| Err(Refusal::new(Status::StoreFailed, "no key was made")))
        });
        key_answer(output, Name::Generate, answer);
    }
    drop(keys);
    wipe_stack();
}

/// Whether two frames ask for keys with the same marks.
pub fn same_marks(one: &[u8], other: &[u8]) -> bool {
    let bits = |frame| match parse(frame) {
        Ok(Request::Ours(Ours::Generate { flags, .. })) => Some(flags),
        _ => None,
    };
    bits(one) == bits(other)
}

pub fn check_name(name: &str) -> Result<(), StoreError> {
    if name.len() > MAX_NAME {
        Err(StoreError::Name("is longer than 255 bytes"))
    } else if name.chars().any(char::is_control) {
        Err(StoreError::Name("has control characters"))
    } else {
        Ok(())
    }
}

fn marks(bits: u32) -> Flags {
    Flags {
        exportable: bits & flag::EXPORTABLE != 0,
        volatile: bits & flag::VOLATILE != 0,
        any_iat: bits & flag::ANY_IAT != 0,
        is_virtual: false,
    }
}

pub fn generate(
    agent: &Agent,
    connection: &Connection,
    kind: Kind,
    name: &str,
    flags: u32,
) -> Result<PublicKey, Refusal> {
    let seed = Seed::generate(kind, getrandom::fill)
        .map_err(|error| Refusal::new(Status::StoreFailed, error))?;
    add(agent, connection, &seed, name, flags)
}

pub fn add(
    agent: &Agent,
    connection: &Connection,
    seed: &Seed,
    name: &str,
    flags: u32,
) -> Result<PublicKey, Refusal> {
    check_name(name)?;
    block_in_place(|| {
        if flags & flag::VOLATILE == 0 {
            return Ok(add_lasting(agent, seed, name, flags)?);
        }
        let mut volatiles = free(agent, seed)?;
        let own = Arc::downgrade(&connection.volatile);
        volatiles.retain(|store| store.strong_count() > 0 && !store.ptr_eq(&own));
        volatiles.push(own);
        Ok(connection.volatile.add(seed, name, marks(flags))?)
    })
}

/// Adds a key to the store that takes new ones; returns when it is on disk.
pub fn add_lasting(
    agent: &Agent,
    seed: &Seed,
    name: &str,
    flags: u32,
) -> Result<PublicKey, StoreError> {
    let _volatiles = free(agent, seed)?;
    let first = agent.fixed.first();
    let first = first.ok_or(StoreError::Unsupported("take new keys"))?;
    first.store.add(seed, name, marks(flags))
}

/// Refuses bytes that any store holds: one key must not speak two languages, not even on
/// another connection. What is returned is held until the key is in.
fn free<'a>(
    agent: &'a Agent,
    seed: &Seed,
) -> Result<MutexGuard<'a, Vec<Weak<Volatile>>>, StoreError> {
    let volatiles = agent.volatiles();
    match agent.holder(seed.public_key().as_bytes(), &volatiles) {
        Some(held) => Err(StoreError::Exists(held)),
        None => Ok(volatiles),
    }
}
