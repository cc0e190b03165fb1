//! From a request to its answer.

use super::connection::Connection;
use super::holders::{self, Enrolment};
use super::slow::{Running, Slow};
use super::unlock::{self, Session, Step};
use super::{Agent, log, now};
use crate::gate::Gate;
use crate::message::{
    MAX_NAME, Name, Ours, QUERY, Question, Refusal, Request, SESSION_BIND, Status, Unreadable,
    flag, number, parse,
};
use crate::store::enrolled::Wanted;
use crate::store::{Flags, KeyInfo, State, Store, StoreError};
use crate::wire::{ED25519, Malformed, Writer, key_blob};
use nkey_core::Signature;
use nkey_core::nkey::{Kind, PublicKey, Seed};
use std::str::FromStr;
use std::sync::Arc;
use tokio::task::block_in_place;
use zeroize::{Zeroize, Zeroizing};

/// What the standard list holds at most: stock clients fail on more.
const LIST_KEYS: usize = 1500;
const LIST_BYTES: usize = 200 * 1024;

/// Bytes of one `list-v1` answer; the client asks for the next page.
const PAGE_BYTES: usize = 64 * 1024;

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
}

/// Answers a frame into `output`.
pub fn answer(
    agent: &Agent,
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
    agent: &Agent,
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

/// Whether a frame asks for a new key that stays: such keys are made many at once.
pub fn makes_key(frame: &[u8]) -> bool {
    matches!(
        parse(frame),
        Ok(Request::Ours(Ours::Generate { flags, .. })) if flags & flag::VOLATILE == 0
    )
}

/// Answers frames that ask for new keys with the same marks, all of them at once.
pub fn make_keys<'a>(agent: &Agent, frames: impl Iterator<Item = &'a [u8]>, output: &mut Writer) {
    let mut made = Vec::new();
    let mut keys = Vec::new();
    let mut bits = 0;
    for frame in frames {
        if let Ok(Request::Ours(Ours::Generate { kind, name, flags })) = parse(frame) {
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

fn sign(
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

fn gate<'a>(agent: &'a Agent, connection: &'a Connection) -> Gate<'a> {
    let own: &dyn Store = connection.volatile.as_ref();
    let lasting = agent.stores().map(|store| store.as_ref() as &dyn Store);
    Gate::new(
        std::iter::once(own).chain(lasting).collect(),
        connection.person.as_ref(),
    )
}

/// An answer without data.
fn short(output: &mut Writer, kind: u8) {
    output.uint32(1).byte(kind);
}

/// An answer to an extension of ours.
fn extended(
    output: &mut Writer,
    name: Name,
    status: Status,
    reason: &str,
    body: impl FnOnce(&mut Writer),
) {
    let frame = output.begin_frame();
    output
        .byte(number::EXTENSION_RESPONSE)
        .string(name.as_str().as_bytes());
    output.byte(status as u8).string(reason.as_bytes());
    body(output);
    output.end_frame(frame);
}

pub fn done(output: &mut Writer, name: Name, body: impl FnOnce(&mut Writer)) {
    extended(output, name, Status::Ok, "", body);
}

pub fn refused(output: &mut Writer, name: Name, refusal: &Refusal) {
    extended(output, name, refusal.status, &refusal.reason, |_| {});
}

/// Tells the client's person something, while the request goes on.
pub fn notice(output: &mut Writer, name: Name, text: &str) {
    prompt(output, name, Question::Message, text);
}

fn prompt(output: &mut Writer, name: Name, question: Question, text: &str) {
    extended(output, name, Status::Prompt, "", |body| {
        body.byte(question as u8).string(text.as_bytes());
    });
}

fn query(output: &mut Writer) {
    let frame = output.begin_frame();
    output
        .byte(number::EXTENSION_RESPONSE)
        .string(QUERY.as_bytes());
    output
        .string(QUERY.as_bytes())
        .string(SESSION_BIND.as_bytes());
    for name in Name::ALL {
        output.string(name.as_str().as_bytes());
    }
    output.end_frame(frame);
}

/// Every key that the connection may use, with its store's name.
fn rows<'a>(agent: &'a Agent, connection: &'a Connection) -> Vec<(KeyInfo, &'a str)> {
    let own: &dyn Store = connection.volatile.as_ref();
    let lasting = agent.stores().map(|store| store.as_ref() as &dyn Store);
    std::iter::once(own)
        .chain(lasting)
        .flat_map(|store| store.keys().into_iter().map(|info| (info, store.name())))
        .collect()
}

/// The order of a list: the few keys that sign for others first.
fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Operator => 0,
        Kind::Account => 1,
        Kind::User => 2,
        _ => 3,
    }
}

fn list(agent: &Agent, connection: &Connection, output: &mut Writer) {
    let mut rows = rows(agent, connection);
    rows.retain(|(info, _)| matches!(info.key.kind(), Kind::Operator | Kind::Account | Kind::User));
    rows.sort_by_key(|(info, _)| (rank(info.key.kind()), info.key));
    let mut body = Writer::new();
    let mut count = 0u32;
    for (info, _) in rows.iter().take(LIST_KEYS) {
        let comment = format!("{} {}", info.key, info.name);
        if body.as_bytes().len() + key_blob(&info.key).len() + comment.len() + 8 > LIST_BYTES {
            break;
        }
        body.key_blob(&info.key)
            .string(comment.trim_end().as_bytes());
        count += 1;
    }
    let frame = output.begin_frame();
    output
        .byte(number::IDENTITIES_ANSWER)
        .uint32(count)
        .raw(body.as_bytes());
    output.end_frame(frame);
}

fn list_page(agent: &Agent, connection: &Connection, offset: u32, limit: u32, output: &mut Writer) {
    let mut rows = rows(agent, connection);
    rows.sort_by_key(|(info, _)| (rank(info.key.kind()), info.key));
    let total = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let mut body = Writer::new();
    for (info, store) in rows.iter().skip(offset as usize).take(limit as usize) {
        if body.as_bytes().len() > PAGE_BYTES {
            break;
        }
        body.string(info.key.encode().as_bytes())
            .string(info.key.kind().name().as_bytes())
            .string(info.name.as_bytes())
            .string(store.as_bytes())
            .uint32(bits(info.flags));
    }
    done(output, Name::List, |answer| {
        answer.uint32(total).raw(body.as_bytes());
    });
}

fn bits(flags: Flags) -> u32 {
    [
        (flags.exportable, flag::EXPORTABLE),
        (flags.volatile, flag::VOLATILE),
        (flags.any_iat, flag::ANY_IAT),
        (flags.is_virtual, flag::VIRTUAL),
    ]
    .into_iter()
    .filter_map(|(set, bit)| set.then_some(bit))
    .sum()
}

fn status(agent: &Agent, connection: &Connection, name: Name, output: &mut Writer) {
    done(output, name, |body| {
        body.string(env!("CARGO_PKG_VERSION").as_bytes());
        body.uint32(std::process::id());
        let listed = agent.listed();
        body.uint32(u32::try_from(listed.len()).unwrap_or(0));
        for lasting in listed {
            let store = &lasting.store;
            body.string(store.name().as_bytes())
                .string(lasting.place().as_bytes());
            body.byte(u8::from(store.state() == State::Locked));
            body.uint32(u32::try_from(store.keys().len()).unwrap_or(u32::MAX));
        }
        let mut warnings = (agent.warnings)();
        if connection.bindings > 0 {
            warnings.push("this connection is forwarded from another machine".to_owned());
        }
        body.uint32(u32::try_from(warnings.len()).unwrap_or(0));
        for warning in warnings {
            body.string(warning.as_bytes());
        }
    });
}

fn ours(
    agent: &Agent,
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
    let mut room = [0u8; 64 * 1024];
    room.zeroize();
    std::hint::black_box(&room);
}

#[inline(never)]
fn carry_out(
    agent: &Agent,
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
        Ours::Generate { kind, name, flags } => {
            let made = generate(agent, connection, kind, name, flags);
            key_answer(output, Name::Generate, made);
        }
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
                Ok(seed) => done(output, Name::Export, |body| {
                    body.string(seed.reveal().as_bytes());
                }),
                Err(refusal) => {
                    let key = PublicKey::from_str(key).ok();
                    log::refused("export-v1", key.as_ref(), connection.pid, &refusal);
                    refused(output, Name::Export, &refusal);
                }
            }
        }
        Ours::Remove { key } => {
            let removed = with_key(agent, connection, key, |store, key| store.remove(key));
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

pub fn key_answer(output: &mut Writer, name: Name, result: Result<PublicKey, Refusal>) {
    match result {
        Ok(key) => done(output, name, |body| {
            body.string(key.encode().as_bytes());
        }),
        Err(refusal) => refused(output, name, &refusal),
    }
}

fn unit_answer(output: &mut Writer, name: Name, result: Result<(), Refusal>) {
    match result {
        Ok(()) => done(output, name, |_| {}),
        Err(refusal) => refused(output, name, &refusal),
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

fn check_name(name: &str) -> Result<(), StoreError> {
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

fn generate(
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

fn add(
    agent: &Agent,
    connection: &Connection,
    seed: &Seed,
    name: &str,
    flags: u32,
) -> Result<PublicKey, Refusal> {
    check_name(name)?;
    let flags = marks(flags);
    let key = seed.public_key();
    // Held until the key is in, so that two connections do not add the same bytes at once.
    block_in_place(|| {
        let mut volatiles = agent.volatiles();
        // One key must not speak two languages, so not even another connection may hold its bytes.
        if let Some(held) = agent.holder(key.as_bytes(), &volatiles) {
            return Err(StoreError::Exists(held).into());
        }
        if !flags.volatile {
            let first = agent.fixed.first();
            let first = first.ok_or(StoreError::Unsupported("take new keys"))?;
            return Ok(first.store.add(seed, name, flags)?);
        }
        let own = Arc::downgrade(&connection.volatile);
        volatiles.retain(|store| store.strong_count() > 0 && !store.ptr_eq(&own));
        volatiles.push(own);
        Ok(connection.volatile.add(seed, name, flags)?)
    })
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
