//! What verifying has to know of a payload, read without alloc.

use crate::canonical::same_fold;
use crate::json::has_go_escapes;
use core::fmt;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

/// Deeper payloads than this are no claims: those of known types need 7 levels.
const MAX_DEPTH: usize = 32;

/// Whether brackets outside strings nest at most `limit` deep.
fn depth_within(json: &[u8], limit: usize) -> bool {
    let (mut depth, mut text, mut escaped) = (0usize, false, false);
    json.iter().all(|&byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            b'[' | b'{' if !text => depth += 1,
            b']' | b'}' if !text => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth <= limit
    })
}

/// The few members that verifying needs.
pub(super) struct Peek<'a> {
    pub(super) iss: &'a str,
    /// A type at the top level: version 1.
    pub(super) old_type: Option<&'a str>,
    pub(super) nats: Nats<'a>,
}

/// What stands in `nats`.
#[derive(Default)]
pub(super) struct Nats<'a> {
    claim_type: &'a str,
    pub(super) version: i64,
}

impl<'a> Peek<'a> {
    /// Reads a payload, unless it repeats one of these members or spells one otherwise.
    pub(super) fn read(payload: &'a [u8]) -> Option<Peek<'a>> {
        // serde-json-core passes over unknown values recursively, without a limit of its own.
        if !depth_within(payload, MAX_DEPTH) {
            return None;
        }
        let (peek, read) = serde_json_core::from_slice::<Peek<'_>>(payload).ok()?;
        // A type with an escape, whose letters are not seen here, would pass for a generic one.
        let known = has_go_escapes(peek.name()) && !matches!(peek.name(), "cluster" | "server");
        (read == payload.len() && known).then_some(peek)
    }

    /// The name of the claim's type.
    pub(super) fn name(&self) -> &'a str {
        self.old_type.unwrap_or(self.nats.claim_type)
    }
}

/// Where `key` stands in `known`. One that Go would take for a known one is an error: in another
/// letter case, or with an escape, whose letters are not seen here.
fn known_key<E: de::Error>(key: &str, known: &[&'static str]) -> Result<Option<usize>, E> {
    let place = known.iter().position(|known| *known == key);
    if place.is_none() && (!has_go_escapes(key) || known.iter().any(|known| same_fold(key, known)))
    {
        return Err(E::custom("key"));
    }
    Ok(place)
}

/// Reads `value` into a member that has not been read before.
fn once<'de, T: Deserialize<'de>, M: MapAccess<'de>>(
    map: &mut M,
    seen: &mut Option<T>,
) -> Result<(), M::Error> {
    match seen.replace(map.next_value()?) {
        Some(_) => Err(de::Error::custom("repeated")),
        None => Ok(()),
    }
}

struct PeekVisitor;
struct NatsVisitor;

impl<'de> Visitor<'de> for PeekVisitor {
    type Value = Peek<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claim")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Peek<'de>, M::Error> {
        let (mut iss, mut old_type, mut nats) = (None, None, None);
        while let Some(key) = map.next_key::<&str>()? {
            match known_key(key, &["iss", "type", "nats"])? {
                Some(0) => once(&mut map, &mut iss)?,
                Some(1) => once(&mut map, &mut old_type)?,
                Some(_) => once(&mut map, &mut nats)?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Peek {
            iss: iss.unwrap_or_default(),
            old_type: old_type.filter(|name: &&str| !name.is_empty()),
            nats: nats.unwrap_or_default(),
        })
    }
}

impl<'de> Visitor<'de> for NatsVisitor {
    type Value = Nats<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Nats<'de>, M::Error> {
        let (mut claim_type, mut version) = (None, None);
        while let Some(key) = map.next_key::<&str>()? {
            match known_key(key, &["type", "version"])? {
                Some(0) => once(&mut map, &mut claim_type)?,
                Some(_) => once(&mut map, &mut version)?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Nats {
            claim_type: claim_type.unwrap_or_default(),
            version: version.unwrap_or_default(),
        })
    }
}

impl<'de> Deserialize<'de> for Peek<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Peek<'de>, D::Error> {
        deserializer.deserialize_map(PeekVisitor)
    }
}

impl<'de> Deserialize<'de> for Nats<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Nats<'de>, D::Error> {
        deserializer.deserialize_map(NatsVisitor)
    }
}
