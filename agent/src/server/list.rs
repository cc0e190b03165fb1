//! Answers that list keys and stores.

use super::Agent;
use super::connection::Connection;
use super::reply::done;
use crate::message::{Name, flag, number};
use crate::store::{Flags, KeyInfo, State, Store};
use crate::wire::{Writer, key_blob};
use nkey_core::nkey::Kind;

/// What the standard list holds at most: stock clients fail on more.
const LIST_KEYS: usize = 1500;
pub const LIST_BYTES: usize = 200 * 1024;

/// Bytes of one `list-v1` answer; the client asks for the next page.
pub const PAGE_BYTES: usize = 64 * 1024;

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

pub fn list(agent: &Agent, connection: &Connection, output: &mut Writer) {
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

pub fn list_page(
    agent: &Agent,
    connection: &Connection,
    offset: u32,
    limit: u32,
    output: &mut Writer,
) {
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

pub fn status(agent: &Agent, connection: &Connection, name: Name, output: &mut Writer) {
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
