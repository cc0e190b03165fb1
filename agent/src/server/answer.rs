//! From a request to its answer.

use super::connection::Connection;
use super::later::Adding;
use super::list::{LIST_BYTES, PAGE_BYTES, list, status};
use super::ours::ours;
use super::reply::{prompt, query, refused, short, unit_answer};
use super::slow::{Running, Slow};
use super::unlock::{self, Session, Step};
use super::{Agent, log, now};
use crate::gate::Gate;
use crate::message::{Name, Ours, Refusal, Request, Status, Unreadable, number, parse};
use crate::store::Store;
use crate::wire::{ED25519, Malformed, Writer};
use nkey_core::Signature;
use std::sync::Arc;
use tokio::task::block_in_place;
use zeroize::Zeroizing;

/// As OpenSSH: most bindings of one connection.
const MAX_BINDINGS: usize = 16;

/// Whether the answer is written.
pub enum Outcome {
    /// It is.
    Done,
    /// The client's person, or a thread, has to do something first.
    Wait(Work),
}

/// What an answer waits for.
pub enum Work {
    /// Request 23.
    Passphrase(Zeroizing<Vec<u8>>),
    /// The next event of unlocking.
    Unlock(Session),
    /// The turn at a holder that takes long.
    Slow(Slow),
    /// Such a holder.
    Running(Running),
    /// A key that is on its way to the disk.
    Adding(Adding),
}

/// Answers a frame into `output`.
pub fn answer(
    agent: &Arc<Agent>,
    connection: &mut Connection,
    frame: &[u8],
    output: &mut Writer,
) -> Outcome {
    let request = parse(frame);
    if request.as_ref().is_ok_and(means_stores) {
        agent.look();
    }
    let slow = request.as_ref().ok();
    match slow.and_then(|request| Slow::of(agent, request, frame)) {
        Some(slow) => Outcome::Wait(Work::Slow(slow)),
        None => respond(agent, connection, request, output),
    }
}

/// Whether a request lists or names stores, of which some may just have come.
fn means_stores(request: &Request<'_>) -> bool {
    matches!(
        request,
        Request::Ours(
            Ours::Status
                | Ours::Stores
                | Ours::Slots { .. }
                | Ours::Enrol { .. }
                | Ours::GenerateIn { .. }
                | Ours::Unlock { .. }
                | Ours::UnlockIn { .. }
                | Ours::LockIn { .. }
                | Ours::Token { .. }
        )
    )
}

/// Answers a request, however long it takes.
pub fn respond(
    agent: &Arc<Agent>,
    connection: &mut Connection,
    request: Result<Request<'_>, Unreadable>,
    output: &mut Writer,
) -> Outcome {
    match request {
        Ok(Request::List) => list(agent, connection, output),
        Ok(Request::Sign { key, data }) => match sign(agent, connection, "sign", key, data) {
            Ok(signature) => {
                let frame = output.begin_frame();
                // string of: string "ssh-ed25519", string signature
                output.byte(number::SIGN_RESPONSE).uint32(4 + 11 + 4 + 64);
                output.string(ED25519).string(signature.as_bytes());
                output.end_frame(frame);
            }
            Err(_) => short(output, number::FAILURE),
        },
        Ok(Request::Lock) => {
            block_in_place(|| agent.lock());
            short(output, number::SUCCESS);
        }
        Ok(Request::Unlock { passphrase }) => {
            return Outcome::Wait(Work::Passphrase(Zeroizing::new(passphrase.to_vec())));
        }
        Ok(Request::Query) => query(output),
        Ok(Request::SessionBind) => {
            connection.bindings += 1;
            let fits = connection.bindings <= MAX_BINDINGS;
            short(
                output,
                if fits {
                    number::SUCCESS
                } else {
                    number::FAILURE
                },
            );
        }
        Ok(Request::Ours(request)) => return ours(agent, connection, request, output),
        Err(Unreadable::Failure) => short(output, number::FAILURE),
        Err(Unreadable::Ours(name, Malformed(why))) => {
            refused(output, name, &Refusal::new(Status::Malformed, why));
        }
    }
    Outcome::Done
}

/// Goes on after waiting.
pub async fn resume(
    agent: &Arc<Agent>,
    connection: &mut Connection,
    work: Work,
    output: &mut Writer,
) -> Outcome {
    match work {
        Work::Passphrase(passphrase) => {
            let done = std::str::from_utf8(&passphrase)
                .is_ok_and(|text| block_in_place(|| unlock::with_passphrase(agent, text)).is_ok());
            short(
                output,
                if done {
                    number::SUCCESS
                } else {
                    number::FAILURE
                },
            );
        }
        Work::Unlock(session) => {
            let name = session.name();
            match session.step().await {
                Step::Ask(session, question, text) => {
                    connection.session = Some(session);
                    prompt(output, name, question, &text);
                }
                Step::Done(Ok(())) => status(agent, connection, name, output),
                Step::Done(Err(refusal)) => refused(output, name, &refusal),
            }
        }
        Work::Slow(slow) => match slow.start(agent, connection).await {
            Some(running) => return Outcome::Wait(Work::Running(running)),
            None => short(output, number::FAILURE),
        },
        Work::Adding(adding) => unit_answer(output, Name::Flush, adding.finish().await),
        Work::Running(mut running) => {
            if !running.step(output).await {
                return Outcome::Wait(Work::Running(running));
            }
        }
    }
    Outcome::Done
}

/// Most bytes of the answer to a frame, if it may be large though the frame is small.
pub fn room(frame: &[u8]) -> usize {
    match parse(frame) {
        Ok(Request::List) => LIST_BYTES,
        Ok(Request::Ours(Ours::List { .. })) => 2 * PAGE_BYTES,
        _ => 0,
    }
}

pub fn sign(
    agent: &Agent,
    connection: &Connection,
    what: &str,
    key: [u8; 32],
    data: &[u8],
) -> Result<Signature, Refusal> {
    let gate = gate(agent, connection);
    let found = gate.by_bytes(key);
    let key = found.as_ref().ok().map(|(_, key)| *key);
    found
        .and_then(|(store, key)| gate.sign(store, &key, data, now()))
        .inspect_err(|refusal| log::refused(what, key.as_ref(), connection.pid, refusal))
}

pub fn gate<'a>(agent: &'a Agent, connection: &'a Connection) -> Gate<'a> {
    let own: &dyn Store = connection.volatile.as_ref();
    let lasting = agent.stores().map(|store| store.as_ref() as &dyn Store);
    Gate::new(
        std::iter::once(own).chain(lasting).collect(),
        connection.person.as_ref(),
    )
}
