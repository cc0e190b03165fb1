//! Why a template gives a user nothing.

use super::{MAX_EXPANSIONS, MAX_WORK};
use alloc::string::String;
use core::fmt;

/// Why a template gives a user nothing: nats-server refuses the connection then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Another key than the scope's issued the user.
    Issuer,
    /// The user's claims hold permissions or limits; those of a scoped user are the scope's.
    Permissions,
    /// There is no such operation.
    Operation {
        /// The entry of the template.
        entry: String,
        /// What stands between the braces.
        operation: String,
    },
    /// A denied entry needs a tag that the user or account does not have.
    Tag {
        /// The entry of the template.
        entry: String,
        /// The tag's name.
        tag: String,
    },
    /// A denied entry comes out as no subject.
    Subject {
        /// The entry of the template.
        entry: String,
    },
    /// The tags make more than [`MAX_EXPANSIONS`] entries.
    Expansions {
        /// The entry of the template.
        entry: String,
    },
    /// The entries come out longer than [`MAX_WORK`].
    Work,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Issuer => f.write_str("the scope's key did not issue this user"),
            Error::Permissions => f.write_str(
                "the user has permissions or limits of its own: a scoped user must have none",
            ),
            Error::Operation { entry, operation } => {
                write!(f, "{entry:?} in the template: there is no {operation:?}")
            }
            Error::Tag { entry, tag } => write!(
                f,
                "{entry:?} in the template is denied, but there is no tag {tag:?} to fill in"
            ),
            Error::Subject { entry } => {
                write!(
                    f,
                    "{entry:?} in the template is denied, but comes out as no subject"
                )
            }
            Error::Expansions { entry } => write!(
                f,
                "{entry:?} in the template makes the list longer than {MAX_EXPANSIONS} entries"
            ),
            Error::Work => write!(f, "the template comes out longer than {MAX_WORK} bytes"),
        }
    }
}

impl core::error::Error for Error {}
