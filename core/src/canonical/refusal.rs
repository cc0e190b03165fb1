//! Why a payload was refused, and where.

use crate::claims::ClaimType;
use crate::nkey::{Error, Kind};
use core::fmt;

/// A refused payload: where reading stopped and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Byte of the payload at which reading stopped.
    pub offset: usize,
    /// The member that was being read, if its key is known.
    pub member: Option<&'static str>,
    /// The reason.
    pub why: Why,
}

/// The reason of a [`Refusal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// Not UTF-8.
    Utf8,
    /// The payload ends too early.
    Ends,
    /// Bytes follow the claim.
    Trailing,
    /// This byte cannot stand here.
    Wanted(&'static str),
    /// White space between values.
    Space,
    /// A key that this object does not have. Go reads keys in any letter case.
    UnknownKey(&'static str),
    /// A key that only letter case tells from a known one: Go takes it for that one.
    Case(&'static str),
    /// A key that stood before, or out of Go's order.
    Order(&'static str),
    /// A map's keys or a list's signing keys do not ascend.
    Ascending,
    /// Go leaves this member out when it is zero or empty.
    Zero,
    /// A text with another spelling than Go's.
    Escape,
    /// A number with another spelling than Go's, or out of range.
    Number,
    /// None of the texts that may stand here.
    OneOf(&'static [&'static str]),
    /// `null` is never written.
    Null,
    /// A member that must be there.
    Missing(&'static str),
    /// `nats.version` is not 2.
    Version,
    /// A claim type that is not signed here.
    Type(ClaimType),
    /// A generic claim's member that Go would take for `type`, `tags` or `version`.
    Reserved,
    /// `iss` or `sub` is no public key.
    Key(Error),
    /// A key of this kind may not issue this claim.
    Issuer {
        /// The type of the claim.
        claim: ClaimType,
        /// The kind of the issuer.
        issuer: Kind,
    },
    /// The subject of this claim must be a key of this kind.
    Subject {
        /// The type of the claim.
        claim: ClaimType,
        /// The kind wanted.
        wanted: Kind,
    },
    /// `jti` is not the hash of the registered claims.
    Jti,
    /// More levels than [`super::MAX_DEPTH`].
    Depth,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.why)?;
        match self.member {
            Some(member) => write!(f, " (at `{member}`, byte {})", self.offset),
            None => write!(f, " (at byte {})", self.offset),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Utf8 => f.write_str("the claims are not UTF-8"),
            Why::Ends => f.write_str("the claims end too early"),
            Why::Trailing => f.write_str("there are bytes after the claims"),
            Why::Wanted(what) => write!(f, "{what} was expected"),
            Why::Space => f.write_str("there is white space between values"),
            Why::UnknownKey(object) => write!(f, "a key that {object} does not have"),
            Why::Case(key) => write!(f, "a key that Go reads as `{key}` in another letter case"),
            Why::Order(key) => write!(f, "`{key}` is repeated or out of order"),
            Why::Ascending => f.write_str("the keys do not ascend, or one is repeated"),
            Why::Zero => f.write_str("a member is zero or empty, where Go leaves it out"),
            Why::Escape => f.write_str("a text is not spelled as Go spells it"),
            Why::Number => f.write_str("a number is out of range or not spelled as Go spells it"),
            Why::OneOf(texts) => {
                f.write_str("the value must be one of")?;
                texts.iter().try_for_each(|text| write!(f, " `{text}`"))
            }
            Why::Null => f.write_str("null is never written"),
            Why::Missing(key) => write!(f, "`{key}` is missing"),
            Why::Version => f.write_str("nats.version must be 2"),
            Why::Type(claim) => write!(f, "claims of type {claim} are not signed here"),
            Why::Reserved => f.write_str("a generic claim's key reads as type, tags or version"),
            Why::Key(error) => write!(f, "not a public key: {error}"),
            Why::Issuer { claim, issuer } => {
                write!(
                    f,
                    "a key of kind {issuer} may not issue a claim of type {claim}"
                )
            }
            Why::Subject { claim, wanted } => {
                write!(
                    f,
                    "the subject of a claim of type {claim} must be a key of kind {wanted}"
                )
            }
            Why::Jti => f.write_str("jti is not the hash of the registered claims"),
            Why::Depth => f.write_str("the claims are nested too deep"),
        }
    }
}

impl core::error::Error for Refusal {}
