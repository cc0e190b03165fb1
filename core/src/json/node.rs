//! A JSON document as a tree that keeps order and repeated keys, for the tolerant reader.

use super::{Write, Writer};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value. Objects keep their members in order, repeated ones too.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Node {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Flag(bool),
    /// A whole number below zero.
    Int(i64),
    /// A whole number from zero.
    Uint(u64),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Node>),
    /// An object: members in the order of the text.
    Map(Vec<(String, Node)>),
}

/// Why a text is not JSON: serde_json's reason with line and column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeError(String);

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not JSON: {}", self.0)
    }
}

impl core::error::Error for NodeError {}

impl Node {
    /// Reads one JSON document; at most 128 levels deep.
    ///
    /// # Errors
    /// [`NodeError`] says where the text stops being JSON. A lone surrogate is
    /// refused, where Go would read U+FFFD.
    pub fn parse(text: &[u8]) -> Result<Node, NodeError> {
        serde_json::from_slice(text).map_err(|error| NodeError(error.to_string()))
    }

    /// The last member with exactly this key, if this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Node::Map(members) => members
                .iter()
                .rev()
                .find(|(name, _)| name == key)
                .map(|(_, node)| node),
            _ => None,
        }
    }

    /// The text, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The same value with the members of every object sorted by key, as Go writes maps.
    pub fn sorted(self) -> Node {
        match self {
            Node::List(items) => Node::List(items.into_iter().map(Node::sorted).collect()),
            Node::Map(members) => {
                let mut members: Vec<_> = members
                    .into_iter()
                    .map(|(key, value)| (key, value.sorted()))
                    .collect();
                members.sort_by(|(a, _), (b, _)| a.cmp(b));
                Node::Map(members)
            }
            other => other,
        }
    }

    /// What kind of JSON value this is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Node::Null => "null",
            Node::Flag(_) => "a boolean",
            Node::Int(_) | Node::Uint(_) | Node::Float(_) => "a number",
            Node::Text(_) => "a string",
            Node::List(_) => "an array",
            Node::Map(_) => "an object",
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(u64::try_from(value).map_or(Node::Int(value), Node::Uint))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Uint(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            members.push(entry);
        }
        Ok(Node::Map(members))
    }
}

impl Write for Node {
    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Node::Null => writer.raw(b"null"),
            Node::Flag(value) => value.write(writer),
            Node::Int(value) => value.write(writer),
            Node::Uint(value) => value.write(writer),
            Node::Float(value) => writer.raw(super::go_float(*value).as_bytes()),
            Node::Text(text) => writer.text(text),
            Node::List(items) => items.write(writer),
            Node::Map(members) => {
                let mut first = writer.open(b'{');
                for (key, value) in members {
                    writer.key(&mut first, key);
                    value.write(writer);
                }
                writer.close(first, b'}');
            }
        }
    }

    fn is_absent(&self) -> bool {
        false
    }
}
