//! What a key may sign, beyond its language: rules over what the strict reader read.
//!
//! A [`Policy`] belongs to one key. [`Judge`] watches the claim while [`crate::canonical`]
//! reads it, and gives the verdict afterwards. [`Policy::narrower`] says whether one policy
//! allows nothing that another does not.

mod judge;
mod narrow;
mod sets;
mod within;

#[cfg(test)]
mod tests;

pub use judge::{Judge, Violation};
pub use sets::{Claims, Kinds, Signable};
pub use within::{Subjects, is_within};

use crate::nkey::Kind;
use serde::{Deserialize, Serialize};

/// Most subjects of one policy.
pub const MAX_SUBJECTS: usize = 16;
/// Most bytes of all subjects of one policy, with the spaces between them.
pub const MAX_SUBJECTS_LEN: usize = 960;
/// The longest time that one press may count for, in seconds: a day.
pub const MAX_CACHED: u32 = 86_400;

/// Whether somebody must press the button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Presence {
    /// For each signature.
    Always,
    /// Once in so many seconds for one key and one type of claim.
    Cached(u32),
    /// Not at all.
    Never,
}

/// What one key may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy<'a> {
    /// The types of claim.
    pub claims: Claims,
    /// The kinds of key that `sub` may be.
    pub kinds: Kinds,
    /// Whether users may be bearers, in their own claims and in scopes.
    pub bearer: bool,
    /// The longest life in seconds. If it is set, a claim must expire.
    pub life: Option<u32>,
    /// The subjects within which all permissions must lie.
    #[serde(borrow)]
    pub within: Option<Subjects<'a>>,
    /// Whether somebody must press the button.
    pub presence: Presence,
    /// Most signatures between one unlocking and the next.
    pub budget: Option<u32>,
}

impl Policy<'static> {
    /// The policy of a new key: operators sign accounts, accounts users, users nonces; no
    /// bearers, and a press for each signature.
    pub fn new(kind: Kind) -> Policy<'static> {
        let (claims, kinds) = match kind {
            Kind::Operator => (
                Claims::of(&[Signable::Account]),
                Kinds::of(&[Kind::Account]),
            ),
            Kind::Account => (Claims::of(&[Signable::User]), Kinds::of(&[Kind::User])),
            Kind::User => (Claims::of(&[Signable::Nonce]), Kinds::NONE),
            _ => (Claims::NONE, Kinds::NONE),
        };
        Policy {
            claims,
            kinds,
            bearer: false,
            life: None,
            within: None,
            presence: Presence::Always,
            budget: None,
        }
    }
}

impl Policy<'_> {
    /// Whether every part has a meaning: known types and kinds, sound subjects, sizes in bounds.
    pub fn is_valid(&self) -> bool {
        self.claims.is_valid()
            && self.kinds.is_valid()
            && self.within.is_none_or(|subjects| subjects.is_valid())
            && match self.presence {
                Presence::Cached(seconds) => (1..=MAX_CACHED).contains(&seconds),
                Presence::Always | Presence::Never => true,
            }
    }
}
