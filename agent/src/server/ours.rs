//! Answers to our own extensions.

use super::answer::{Outcome, Work, gate, sign};
use super::connection::Connection;
use super::holders::{self, Enrolment};
use super::keys::{add, check_name, generate};
use super::list::{list_page, status};
use super::reply::{done, key_answer, refused, unit_answer};
use super::unlock::Session;
use super::{Agent, later, log, now};
use crate::message::{Name, Ours, Refusal, Status, flag};
use crate::store::enrolled::Wanted;
use crate::store::{Store, StoreError};
use crate::wire::Writer;
use nkey_core::nkey::{PublicKey, Seed};
use std::str::FromStr;
use std::sync::Arc;
use tokio::task::block_in_place;
use zeroize::Zeroize;

pub fn ours(
    agent: &Arc<Agent>,
    connection: &mut Connection,
    request: Ours<'_>,
    output: &mut Writer,
) -> Outcome {
    let handles_a_seed = matches!(
        request,
        Ours::Add { .. } | Ours::Generate { .. } | Ours::GenerateIn { .. } | Ours::Export { .. }
    );
    let outcome = carry_out(agent, connection, request, output);
    if handles_a_seed {
        wipe_stack();
    }
    outcome
}

/// Wipes what calls from here have left on the stack: seeds are handed from one to another by
/// value, and a locked agent must not keep them.
#[inline(never)]
pub fn wipe_stack() {
    let mut room = [0u64; 8 * 1024];
    room.zeroize();
    std::hint::black_box(&room);
}

#[inline(never)]
fn carry_out(
    agent: &Arc<Agent>,
    connection: &mut Connection,
    request: Ours<'_>,
    output: &mut Writer,
) -> Outcome {
    if connection.bindings > 0
        && let Some(name) = at_home(&request)
    {
        let refusal = Refusal::new(
            Status::Refused,
            "this connection is forwarded from another machine, where keys may be used and not changed or \
             taken: do this on the agent's own machine",
        );
        log::refused(name.as_str(), None, connection.pid, &refusal);
        refused(output, name, &refusal);
        return Outcome::Done;
    }
    match request {
        Ours::Sign { key, data } => match sign(agent, connection, "sign-v1", key, data) {
            Ok(signature) => done(output, Name::Sign, |body| {
                body.string(signature.as_bytes());
            }),
            Err(refusal) => refused(output, Name::Sign, &refusal),
        },
        Ours::Issue {
            key,
            claims,
            iat,
            after,
        } => {
            let gate = gate(agent, connection);
            match gate.issue(key, claims, iat, after, now()) {
                Ok(token) => done(output, Name::Issue, |body| {
                    body.string(token.as_bytes());
                }),
                Err(refusal) => {
                    let key = gate.by_bytes(key).ok().map(|(_, key)| key);
                    log::refused("issue-v1", key.as_ref(), connection.pid, &refusal);
                    refused(output, Name::Issue, &refusal);
                }
            }
        }
        Ours::List { offset, limit } => list_page(agent, connection, offset, limit, output),
        Ours::Status => status(agent, connection, Name::Status, output),
        Ours::Unlock { answer } => return unlocking(agent, connection, None, answer, output),
        Ours::UnlockIn { store, answer } => {
            return unlocking(agent, connection, Some(store), answer, output);
        }
        Ours::LockIn { store } => {
            let locked = holders::named(agent, store).map(|store| block_in_place(|| store.lock()));
            unit_answer(output, Name::LockIn, locked);
        }
        Ours::Token { store, command } => {
            holders::pass(agent, connection, store, command, output);
        }
        Ours::Stores => holders::stores(agent, output),
        Ours::Slots { store } => holders::slots(agent, store, output),
        Ours::Enrol {
            store,
            slot,
            kind,
            name,
            flags,
            key,
        } => {
            let wanted = Wanted {
                slot,
                kind,
                name,
                key: None,
                any_iat: false,
            };
            let asked = Enrolment {
                store,
                wanted,
                flags,
                key,
            };
            holders::enrol(agent, connection, asked, output);
        }
        Ours::Add { seed, name, flags } => {
            let added = Seed::from_str(seed)
                .map_err(|error| Refusal::from(StoreError::Seed(error)))
                .and_then(|seed| add(agent, connection, &seed, name, flags));
            key_answer(output, Name::Add, added);
        }
        Ours::Generate {
            kind,
            name,
            flags,
            later,
        } => {
            let made = if later {
                later::generate(agent, connection, kind, name, flags)
            } else {
                generate(agent, connection, kind, name, flags)
            };
            key_answer(output, Name::Generate, made);
        }
        Ours::Flush => match connection.adding.take() {
            Some(adding) => return Outcome::Wait(Work::Adding(adding)),
            None => unit_answer(output, Name::Flush, Ok(())),
        },
        Ours::GenerateIn {
            store,
            kind,
            name,
            flags,
        } => {
            let first = agent.fixed.first();
            let made = if first.is_some_and(|first| first.store.name() == store) {
                generate(agent, connection, kind, name, flags)
            } else {
                holders::generate(agent, connection.person.as_ref(), store, kind, name, flags)
            };
            key_answer(output, Name::GenerateIn, made);
        }
        Ours::Export { key } => {
            let exported = with_key(agent, connection, key, |store, key| store.export(key));
            match exported {
                Ok(seed) => {
                    // Said before it leaves: from here on somebody else may have the key.
                    log::done("exported", key, connection.pid);
                    done(output, Name::Export, |body| {
                        body.string(seed.reveal().as_bytes());
                    });
                }
                Err(refusal) => {
                    let key = PublicKey::from_str(key).ok();
                    log::refused("export-v1", key.as_ref(), connection.pid, &refusal);
                    refused(output, Name::Export, &refusal);
                }
            }
        }
        Ours::Remove { key } => {
            let removed = with_key(agent, connection, key, |store, key| store.remove(key));
            if removed.is_ok() {
                log::done("removed", key, connection.pid);
            }
            unit_answer(output, Name::Remove, removed);
        }
        Ours::Rename { key, name } => {
            let renamed = check_name(name).map_err(Refusal::from).and_then(|()| {
                with_key(agent, connection, key, |store, key| store.rename(key, name))
            });
            unit_answer(output, Name::Rename, renamed);
        }
    }
    Outcome::Done
}

/// What a forwarded connection may not ask for: whoever is root on the other machine would take
/// the seeds that may leave, and destroy the others. Volatile keys are the connection's own.
fn at_home(request: &Ours<'_>) -> Option<Name> {
    match request {
        Ours::Add { flags, .. } if flags & flag::VOLATILE == 0 => Some(Name::Add),
        Ours::Generate { flags, .. } if flags & flag::VOLATILE == 0 => Some(Name::Generate),
        Ours::Export { .. } => Some(Name::Export),
        Ours::Remove { .. } => Some(Name::Remove),
        Ours::Rename { .. } => Some(Name::Rename),
        Ours::Enrol { .. } => Some(Name::Enrol),
        Ours::GenerateIn { .. } => Some(Name::GenerateIn),
        Ours::Token { .. } => Some(Name::Token),
        _ => None,
    }
}

fn with_key<T>(
    agent: &Agent,
    connection: &Connection,
    key: &str,
    work: impl FnOnce(&dyn Store, &PublicKey) -> Result<T, StoreError>,
) -> Result<T, Refusal> {
    let key = PublicKey::from_str(key).map_err(|error| Refusal::new(Status::Malformed, error))?;
    let (store, _) = gate(agent, connection)
        .find(&key)
        .ok_or(StoreError::Unknown(key))?;
    // Files are synced to the disk, which must not hold up other connections.
    Ok(block_in_place(|| work(store, &key))?)
}

fn unlocking(
    agent: &Agent,
    connection: &mut Connection,
    store: Option<&str>,
    answer: &str,
    output: &mut Writer,
) -> Outcome {
    let name = match store {
        Some(_) => Name::UnlockIn,
        None => Name::Unlock,
    };
    // Another one that was begun is given up.
    if let Some(session) = connection.session.take()
        && session.is_of(store)
    {
        session.answer(answer);
        return Outcome::Wait(Work::Unlock(session));
    }
    if !answer.is_empty() {
        let refusal = Refusal::new(
            Status::Malformed,
            "there is no question to answer: begin with an empty answer",
        );
        refused(output, name, &refusal);
        return Outcome::Done;
    }
    match Session::start(agent, store) {
        Ok(Some(session)) => return Outcome::Wait(Work::Unlock(session)),
        Ok(None) => status(agent, connection, name, output),
        Err(refusal) => refused(output, name, &refusal),
    }
    Outcome::Done
}
