//! From a tree to the typed claims, as Go's encoding/json decodes into a struct.

use crate::canonical::{fold, same_fold};
use crate::claims::{ExportType, Sampling, ScopeType};
use crate::json::{Node, go_float};
use alloc::borrow::{Cow, ToOwned};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A value that does not fit its member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The member, as keys divided by dots.
    pub path: String,
    /// What was wanted.
    pub wanted: &'static str,
    /// What was found.
    pub found: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str("the claims")?,
            path => write!(f, "`{path}`")?,
        }
        write!(f, " must be {}, not {}", self.wanted, self.found)
    }
}

impl core::error::Error for ReadError {}

/// What the tolerant reader passed over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// Members that no claim has, with their values.
    pub unknown: Vec<(String, Node)>,
    /// Members whose key is known in another letter case.
    pub spelled: Vec<String>,
    /// Members that stand more than once; the last was read.
    pub repeated: Vec<String>,
}

impl Notes {
    /// Whether nothing was passed over.
    pub fn is_empty(&self) -> bool {
        self.unknown.is_empty() && self.spelled.is_empty() && self.repeated.is_empty()
    }

    /// One sentence for the first thing passed over, if there is one.
    pub fn first(&self) -> Option<String> {
        if let Some((path, _)) = self.unknown.first() {
            return Some(format!("`{path}` is not a member of these claims"));
        }
        if let Some(path) = self.spelled.first() {
            return Some(format!("`{path}` is written in another letter case"));
        }
        let path = self.repeated.first()?;
        Some(format!("`{path}` stands more than once"))
    }
}

/// Where reading is, and what was passed over.
#[derive(Debug, Default)]
pub struct Context {
    /// Keys divided by dots.
    path: String,
    /// What was passed over so far.
    pub notes: Notes,
}

/// Most characters of a free key in a path.
const MAX_KEY: usize = 64;

/// A value that is read from a tree, onto what it holds already.
pub trait ReadNode: Default {
    /// Whether a list that stands again is added to the first, and not read in its place.
    const APPENDS: bool = false;

    /// Whether `null` leaves the member as it is. Go asks a type with a reader of its own.
    const PASSES_NULL: bool = true;

    /// Reads the value.
    ///
    /// # Errors
    /// [`ReadError`] if the node is of another kind.
    fn read(&mut self, node: Node, cx: &mut Context) -> Result<(), ReadError>;
}

/// A struct whose members are read one by one.
pub trait ReadMembers {
    /// Reads the member `name`, or gives the node back if there is no such member.
    ///
    /// # Errors
    /// [`ReadError`] if the node does not fit the member.
    fn read_member(
        &mut self,
        name: &str,
        node: Node,
        cx: &mut Context,
    ) -> Result<Option<Node>, ReadError>;
}

impl Context {
    /// Whether Go takes `name` for the member `key`; another letter case is noted.
    pub fn is_member(&mut self, name: &str, key: &'static str) -> bool {
        if name == key {
            return true;
        }
        let same = same_fold(name, key);
        if same {
            let path = self.path_of(name);
            self.notes.spelled.push(path);
        }
        same
    }

    /// Reads one member.
    ///
    /// # Errors
    /// As [`ReadNode::read`].
    pub fn member<T: ReadNode>(
        &mut self,
        key: &str,
        value: &mut T,
        node: Node,
    ) -> Result<(), ReadError> {
        let node = if key == "src" { networks(node) } else { node };
        self.within(key, |cx| value.read(node, cx))
    }

    /// Reads something inside the member `key`.
    ///
    /// # Errors
    /// What `read` returns.
    pub fn within<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Context) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let before = self.path.len();
        if before > 0 {
            self.path.push('.');
        }
        self.path.push_str(key);
        let value = read(self)?;
        self.path.truncate(before);
        Ok(value)
    }

    /// Reads an object member by member; `null` changes nothing.
    ///
    /// # Errors
    /// [`ReadError`] if the node is no object or a member does not fit.
    pub fn object<T: ReadMembers>(&mut self, target: &mut T, node: Node) -> Result<(), ReadError> {
        let members = match node {
            Node::Map(members) => members,
            Node::Null => return Ok(()),
            other => return Err(self.wrong("an object", &other)),
        };
        let mut seen = BTreeSet::new();
        for (name, node) in members {
            if !seen.insert(name.chars().map(fold).collect::<String>()) {
                let path = self.path_of(&name);
                self.notes.repeated.push(path);
            }
            if let Some(node) = target.read_member(&name, node, self)? {
                let path = self.path_of(&name);
                self.notes.unknown.push((path, node));
            }
        }
        Ok(())
    }

    /// The same value as it is after Go's maps: every key once in an object, the last, and
    /// ascending; others are noted. A number is whole if its value is.
    pub(crate) fn unique(&mut self, node: Node) -> Node {
        match node {
            Node::List(items) => {
                Node::List(items.into_iter().map(|item| self.unique(item)).collect())
            }
            Node::Map(members) => {
                let mut unique = BTreeMap::new();
                for (name, node) in members {
                    let node = self.unique(node);
                    if unique.contains_key(&name) {
                        let path = self.path_of(&name);
                        self.notes.repeated.push(path);
                    }
                    unique.insert(name, node);
                }
                Node::Map(unique.into_iter().collect())
            }
            Node::Float(value) => match go_float(value).parse() {
                Ok(whole) => u64::try_from(whole).map_or(Node::Int(whole), Node::Uint),
                Err(_) => Node::Float(value),
            },
            other => other,
        }
    }

    fn path_of(&self, name: &str) -> String {
        let mut path = self.path.clone();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(shortened(name).as_ref());
        path
    }

    pub(super) fn wrong(&self, wanted: &'static str, found: &Node) -> ReadError {
        ReadError {
            path: self.path.clone(),
            wanted,
            found: match found {
                Node::Text(text) => format!(
                    "\"{}\"",
                    text.chars().take(40).collect::<String>().escape_debug()
                ),
                Node::Float(value) => format!("{value}"),
                Node::Int(value) => format!("{value}"),
                Node::Uint(value) => format!("{value}"),
                other => other.kind().to_owned(),
            },
        }
    }
}

/// A key for a path. Cut, since a long key would stand in the path of everything below it.
pub(crate) fn shortened(key: &str) -> Cow<'_, str> {
    if key.len() <= MAX_KEY {
        return Cow::Borrowed(key);
    }
    match key.char_indices().nth(MAX_KEY) {
        Some((end, _)) => Cow::Owned(format!("{}…", &key[..end])),
        None => Cow::Borrowed(key),
    }
}

/// A user's networks, which may also be one text divided by commas (`CIDRList.UnmarshalJSON`).
fn networks(node: Node) -> Node {
    let Node::Text(text) = node else {
        return node;
    };
    let mut seen = BTreeSet::from([String::new()]);
    let list = text.split(',').map(|network| network.trim().to_lowercase());
    Node::List(
        list.filter(|network| seen.insert(network.clone()))
            .map(Node::Text)
            .collect(),
    )
}

impl ReadNode for String {
    fn read(&mut self, node: Node, cx: &mut Context) -> Result<(), ReadError> {
        match node {
            Node::Text(text) => *self = text,
            Node::Null => {}
            other => return Err(cx.wrong("a string", &other)),
        }
        Ok(())
    }
}

impl ReadNode for bool {
    fn read(&mut self, node: Node, cx: &mut Context) -> Result<(), ReadError> {
        match node {
            Node::Flag(value) => *self = value,
            Node::Null => {}
            other => return Err(cx.wrong("true or false", &other)),
        }
        Ok(())
    }
}

macro_rules! read_number {
    ($( $number:ty: $wanted:literal ),*) => { $(
        impl ReadNode for $number {
            fn read(&mut self, node: Node, cx: &mut Context) -> Result<(), ReadError> {
                let value = match node {
                    Node::Int(value) => <$number>::try_from(value).ok(),
                    Node::Uint(value) => <$number>::try_from(value).ok(),
                    // -0, which serde_json calls a float, and Go 0 where there are signs.
                    Node::Float(value) if value == 0.0 && value.is_sign_negative() => {
                        (<$number>::MIN != 0).then_some(0)
                    }
                    Node::Null => return Ok(()),
                    _ => None,
                };
                *self = value.ok_or_else(|| cx.wrong($wanted, &node))?;
                Ok(())
            }
        }
    )* };
}
read_number!(i64: "a whole number of 64 bits", u64: "a whole number from 0", u8: "a whole number from 0 to 255");

impl<T: ReadNode> ReadNode for Option<T> {
    fn read(&mut self, node: Node, cx: &mut Context) -> Result<(), ReadError> {
        if node == Node::Null && T::PASSES_NULL {
            return Ok(());
        }
        self.get_or_insert_default().read(node, cx)
    }
}

impl<T: ReadNode> ReadNode for Vec<T> {
    fn read(&mut self, node: Node, cx: &mut Context) -> Result<(), ReadError> {
        let items = match node {
            Node::List(items) => items,
            Node::Null => {
                self.clear();
                return Ok(());
            }
            other => return Err(cx.wrong("an array", &other)),
        };
        let before = if T::APPENDS {
            Vec::new()
        } else {
            core::mem::take(self)
        };
        let mut before = before.into_iter();
        for (index, item) in items.into_iter().enumerate() {
            // Go reads a list that stands again onto the items of the first.
            let mut value = before.next().unwrap_or_default();
            cx.within(&format!("{index}"), |cx| value.read(item, cx))?;
            self.push(value);
        }
        Ok(())
    }
}

impl<V: ReadNode> ReadNode for BTreeMap<String, V> {
    fn read(&mut self, node: Node, cx: &mut Context) -> Result<(), ReadError> {
        let members = match node {
            Node::Map(members) => members,
            Node::Null => {
                self.clear();
                return Ok(());
            }
            other => return Err(cx.wrong("an object", &other)),
        };
        let mut entries = Vec::with_capacity(members.len());
        for (name, node) in members {
            let mut value = V::default();
            cx.within(shortened(&name).as_ref(), |cx| value.read(node, cx))?;
            entries.push((name, value));
        }
        // Made at once of keys that ascend, as Go writes them, a map is made much faster.
        if self.is_empty() && entries.is_sorted_by(|(a, _), (b, _)| a < b) {
            *self = entries.into_iter().collect();
            return Ok(());
        }
        for (name, value) in entries {
            if self.contains_key(&name) {
                let path = cx.path_of(&name);
                cx.notes.repeated.push(path);
            }
            self.insert(name, value);
        }
        Ok(())
    }
}

impl ReadNode for Sampling {
    fn read(&mut self, node: Node, cx: &mut Context) -> Result<(), ReadError> {
        match &node {
            Node::Text(text) if text.eq_ignore_ascii_case("headers") => self.0 = 0,
            Node::Null => {}
            Node::Int(_) | Node::Uint(_) => return self.0.read(node, cx),
            _ => return Err(cx.wrong("\"headers\" or a number from 1 to 100", &node)),
        }
        Ok(())
    }
}

// Options of enums have no default to read onto, so they are read whole.
macro_rules! read_enum {
    ($( $name:ident, $default:ident, $wanted:literal );*) => { $(
        impl ReadNode for $name {
            const PASSES_NULL: bool = false;

            fn read(&mut self, node: Node, cx: &mut Context) -> Result<(), ReadError> {
                *self = node
                    .as_text()
                    .and_then($name::from_name)
                    .ok_or_else(|| cx.wrong($wanted, &node))?;
                Ok(())
            }
        }

        impl Default for $name {
            fn default() -> $name {
                $name::$default
            }
        }
    )* };
}
read_enum!(ExportType, Stream, "\"stream\" or \"service\""; ScopeType, UserScope, "\"user_scope\"");
