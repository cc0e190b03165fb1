//! What a policy sees of a claim while it is read.

use crate::json::Decoded;

/// A value that was read.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// A string between its quotes, still in Go's escapes; [`Decoded`] gives its bytes.
    Text(&'a str),
    /// A whole number: sign and magnitude.
    Number {
        /// Whether it is below zero.
        negative: bool,
        /// Its magnitude.
        magnitude: u64,
    },
    /// `true` (Go never writes `false` in a claim).
    Flag,
}

impl<'a> Value<'a> {
    /// Whether this is the text `wanted`.
    pub fn is_text(&self, wanted: &str) -> bool {
        matches!(self, Value::Text(raw) if Decoded::new(raw).eq(wanted.bytes()))
    }

    /// The number, if it is one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Value::Number {
                negative,
                magnitude,
            } => {
                let value = if negative {
                    -i128::from(magnitude)
                } else {
                    i128::from(magnitude)
                };
                i64::try_from(value).ok()
            }
            _ => None,
        }
    }
}

/// Sees every text, number and flag of a claim in the order of the payload.
///
/// The path is the keys from the top, `*` for an entry of a list or of a map with
/// free keys: `["nats", "pub", "allow", "*"]`. Nothing may be concluded before
/// [`super::read`] has accepted the whole payload.
pub trait Visit {
    /// One value.
    fn value(&mut self, path: &[&'static str], value: Value<'_>);
}

/// Sees nothing.
impl Visit for () {
    fn value(&mut self, _path: &[&'static str], _value: Value<'_>) {}
}
