//! The shape of an object, as data: what the strict reader follows.

use crate::json::{Map, Write, Writer};

/// An object of known members, in Go's order.
#[derive(Debug)]
pub struct Shape {
    /// The name for messages.
    pub name: &'static str,
    /// Its members in the order in which Go writes them.
    pub members: &'static [Member],
}

/// One member of a [`Shape`].
#[derive(Debug)]
pub struct Member {
    /// The key; empty for members that are written in place ([`Ty::Flat`]).
    pub key: &'static str,
    /// What the value is.
    pub ty: Ty,
    /// Whether Go writes the member also when it is zero (no `omitempty`, or a struct).
    pub always: bool,
}

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub enum Ty {
    /// A string.
    Text,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A whole number from `min` to `max`.
    Int {
        /// The smallest.
        min: i64,
        /// The largest.
        max: u64,
    },
    /// `true` or `false`.
    Flag,
    /// `"headers"` or a percentage from 1 to 100.
    Sampling,
    /// An array.
    List(&'static Ty),
    /// An object with free keys, which ascend.
    Map(&'static Ty),
    /// An object of known members.
    Object(&'static Shape),
    /// Members of another object, written in place.
    Flat(&'static Shape),
    /// An account's signing keys: strings or scopes, ascending by key.
    SigningKeys(&'static Shape),
    /// Any JSON value: generic claims.
    Any,
}

/// A Rust type that stands for a [`Ty`].
pub trait Typed {
    /// What the value is in JSON.
    const TY: Ty;
}

/// A struct that stands for a [`Shape`].
pub trait Object {
    /// Its members.
    const SHAPE: &'static Shape;

    /// Writes the members that are not absent into an object that is open.
    fn write_members(&self, writer: &mut Writer<'_>, first: &mut bool);
}

/// Writes an object with its brackets.
pub(crate) fn write_object<T: Object>(object: &T, writer: &mut Writer<'_>) {
    let mut first = writer.open(b'{');
    object.write_members(writer, &mut first);
    writer.close(first, b'}');
}

/// Writes one member, if it is not absent.
pub(crate) fn write_member<T: Write>(
    key: &'static str,
    value: &T,
    writer: &mut Writer<'_>,
    first: &mut bool,
) {
    if !value.is_absent() {
        writer.key(first, key);
        value.write(writer);
    }
}

impl Typed for &str {
    const TY: Ty = Ty::Text;
}
impl Typed for i64 {
    const TY: Ty = Ty::Int {
        min: i64::MIN,
        max: i64::MAX as u64,
    };
}
impl Typed for u64 {
    const TY: Ty = Ty::Int {
        min: 0,
        max: u64::MAX,
    };
}
impl Typed for u8 {
    const TY: Ty = Ty::Int { min: 0, max: 255 };
}
impl Typed for bool {
    const TY: Ty = Ty::Flag;
}
impl<T: Typed> Typed for Option<T> {
    const TY: Ty = T::TY;
}
impl<T: Typed> Typed for &[T] {
    const TY: Ty = Ty::List(&T::TY);
}
impl<V: Typed> Typed for Map<'_, V> {
    const TY: Ty = Ty::Map(&V::TY);
}
