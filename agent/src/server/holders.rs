//! The stores and the slots of key holders, and enrolling their keys.

use super::connection::Connection;
use super::reply::{done, key_answer, refused};
use super::{Agent, log};
use crate::message::{Name, Refusal, Status, condition, flag, mark};
use crate::store::enrolled::{Condition, Enrolled, Wanted};
use crate::store::{Person, State, Store, StoreError};
use crate::wire::Writer;
use nkey_core::nkey::{Kind, PublicKey};
use std::str::FromStr;
use std::sync::Arc;

/// Most bytes of an answer; a holder with more slots names them by its own means.
const MAX_BYTES: usize = 256 * 1024;

pub fn stores(agent: &Agent, output: &mut Writer) {
    let mut rows = Writer::new();
    let listed = agent.listed();
    for lasting in &listed {
        let store = &lasting.store;
        let (state, why, serial, policy, marks) = match store.enrolment() {
            Some(enrolled) => {
                let about = enrolled.about();
                let (state, why) = match about.condition {
                    Condition::Ready => (condition::READY, String::new()),
                    Condition::Locked => (condition::LOCKED, String::new()),
                    Condition::Absent(why) => (condition::ABSENT, why),
                };
                let shared = if about.shared { mark::SHARED } else { 0 };
                (
                    state,
                    why,
                    about.serial,
                    about.policy,
                    shared | mark::ENROLS,
                )
            }
            None => {
                let state = match store.state() {
                    State::Locked => condition::LOCKED,
                    State::Unlocked => condition::READY,
                };
                (state, String::new(), String::new(), String::new(), 0)
            }
        };
        // One that does not answer is not asked again.
        let limit = match state {
            condition::ABSENT => 0,
            _ => store.max_message(),
        };
        rows.string(store.name().as_bytes())
            .string(lasting.place().as_bytes())
            .byte(state)
            .string(why.as_bytes())
            .string(serial.as_bytes())
            .uint32(u32::try_from(limit).unwrap_or(u32::MAX))
            .string(policy.as_bytes())
            .uint32(marks)
            .uint32(u32::try_from(store.keys().len()).unwrap_or(u32::MAX));
        let pinned = store.enrolment().and_then(|store| store.devices().pop());
        rows.string(pinned.as_ref().map_or(&[], |key| &key[..]));
    }
    done(output, Name::Stores, |body| {
        body.uint32(u32::try_from(listed.len()).unwrap_or(u32::MAX))
            .raw(rows.as_bytes());
    });
}

pub fn slots(agent: &Agent, store: &str, output: &mut Writer) {
    let listed = named(agent, store).and_then(|store| {
        let enrolled = enrolment(store)?;
        Ok((enrolled, enrolled.holder().slots()?))
    });
    let (enrolled, slots) = match listed {
        Ok(listed) => listed,
        Err(refusal) => return refused(output, Name::Slots, &refusal),
    };
    let (mut rows, mut count) = (Writer::new(), 0);
    for slot in &slots {
        if rows.as_bytes().len() > MAX_BYTES {
            break;
        }
        let pinned = enrolled.enrolled(slot).map(|key| key.to_string());
        rows.string(slot.id.as_bytes())
            .string(slot.label.as_bytes())
            .string(slot.key.as_ref().map_or(&[][..], |key| &key[..]))
            .string(slot.trouble.as_deref().unwrap_or_default().as_bytes())
            .string(pinned.unwrap_or_default().as_bytes());
        count += 1;
    }
    done(output, Name::Slots, |body| {
        body.uint32(count).raw(rows.as_bytes());
    });
}

/// What `enrol-v1` asks for; `flags` and `key` are as on the wire.
pub struct Enrolment<'a> {
    pub store: &'a str,
    pub wanted: Wanted<'a>,
    pub flags: u32,
    pub key: &'a str,
}

pub fn enrol(agent: &Agent, connection: &Connection, asked: Enrolment<'_>, output: &mut Writer) {
    let pid = connection.pid;
    let store = asked.store;
    let result = enrol_key(agent, connection.person.as_ref(), asked);
    match &result {
        Ok(key) => log::line(format_args!(
            "enrolled: {key} from {store} for process {}",
            pid.unwrap_or(0)
        )),
        Err(refusal) => log::refused("enrol-v1", None, pid, refusal),
    }
    key_answer(output, Name::Enrol, result);
}

fn enrol_key(
    agent: &Agent,
    person: &dyn Person,
    asked: Enrolment<'_>,
) -> Result<PublicKey, Refusal> {
    let malformed = |error| Refusal::new(Status::Malformed, error);
    let key = match asked.key {
        "" => None,
        text => Some(PublicKey::from_str(text).map_err(malformed)?),
    };
    let any_iat = any_iat(asked.flags)?;
    let enrolled = enrolment(named(agent, asked.store)?)?;
    let wanted = Wanted {
        key,
        any_iat,
        ..asked.wanted
    };
    pin(agent, enrolled, &wanted, person)
}

/// Makes a key in a holder and enrols it.
pub fn generate(
    agent: &Agent,
    person: &dyn Person,
    store: &str,
    kind: Kind,
    name: &str,
    flags: u32,
) -> Result<PublicKey, Refusal> {
    let flags = match kind {
        // Users' keys are made exportable unasked; here there is nothing to export.
        Kind::User => flags & !flag::EXPORTABLE,
        Kind::Operator | Kind::Account => flags,
        kind => return Err(StoreError::Kind(kind).into()),
    };
    let any_iat = any_iat(flags)?;
    let enrolled = enrolment(named(agent, store)?)?;
    let slot = enrolled.generate(name, kind)?;
    let wanted = Wanted {
        slot: &slot.id,
        kind,
        key: None,
        name,
        any_iat,
    };
    pin(agent, enrolled, &wanted, person).map_err(|refusal| {
        Refusal::new(
            refusal.status,
            format_args!(
                "a key was made in slot {} of {store}, but is not enrolled: {}",
                slot.id, refusal.reason
            ),
        )
    })
}

fn any_iat(flags: u32) -> Result<bool, Refusal> {
    if flags & !flag::ANY_IAT == 0 {
        Ok(flags & flag::ANY_IAT != 0)
    } else {
        Err(Refusal::new(
            Status::Malformed,
            "the only mark of an enrolled key is any iat",
        ))
    }
}

fn pin(
    agent: &Agent,
    enrolled: &Enrolled,
    wanted: &Wanted<'_>,
    person: &dyn Person,
) -> Result<PublicKey, Refusal> {
    let record = enrolled.prove(wanted, person)?;
    // Held until the key is in, so that two connections do not add the same bytes at once.
    let volatiles = agent.volatiles();
    if let Some(held) = agent.holder(record.key.as_bytes(), &volatiles) {
        return Err(StoreError::Exists(held).into());
    }
    Ok(enrolled.pin(record)?)
}

/// Passes a command on to a token.
pub fn pass(
    agent: &Agent,
    connection: &Connection,
    store: &str,
    command: &[u8],
    output: &mut Writer,
) {
    let passed = named(agent, store).and_then(|store| {
        let Some(enrolled) = store.enrolment() else {
            return Err(StoreError::Unsupported("take commands: it is no token").into());
        };
        Ok(enrolled
            .holder()
            .pass(command, connection.person.as_ref())?)
    });
    match passed {
        Ok(answer) => done(output, Name::Token, |body| {
            body.string(&answer);
        }),
        Err(refusal) => {
            log::refused("token-v1", None, connection.pid, &refusal);
            refused(output, Name::Token, &refusal);
        }
    }
}

/// The store of a name.
pub fn named<'a>(agent: &'a Agent, name: &str) -> Result<&'a Arc<dyn Store>, Refusal> {
    let found = agent.stores().find(|store| store.answers_to(name));
    found.ok_or_else(|| {
        let listed = agent.listed();
        let names: Vec<&str> = listed.iter().map(|found| found.store.name()).collect();
        Refusal::new(
            Status::Refused,
            format_args!("there is no store {name}, but {}", names.join(", ")),
        )
    })
}

fn enrolment(store: &Arc<dyn Store>) -> Result<&Enrolled, Refusal> {
    store.enrolment().ok_or_else(|| {
        Refusal::new(
            Status::Refused,
            format_args!(
                "the {} store enrols no keys: it makes them (`nkey generate nkey --store`) or imports seeds",
                store.name()
            ),
        )
    })
}
