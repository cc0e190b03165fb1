//! Sets of claim types and of kinds of key, one bit for each.

use crate::claims::ClaimType;
use crate::nkey::Kind;
use serde::{Deserialize, Serialize};

/// What a key can be asked to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signable {
    /// An operator's claim.
    Operator,
    /// An account's claim.
    Account,
    /// A user's claim.
    User,
    /// Leave to import.
    Activation,
    /// The answer of an authorization service.
    AuthorizationResponse,
    /// A claim without a type of its own.
    Generic,
    /// A server's nonce.
    Nonce,
}

impl Signable {
    /// All of them, in the order of their bits.
    pub const ALL: [Signable; 7] = [
        Signable::Operator,
        Signable::Account,
        Signable::User,
        Signable::Activation,
        Signable::AuthorizationResponse,
        Signable::Generic,
        Signable::Nonce,
    ];

    /// The one for a type of claim; authorization requests are signed by servers only.
    pub const fn of(claim: ClaimType) -> Option<Signable> {
        match claim {
            ClaimType::Operator => Some(Signable::Operator),
            ClaimType::Account => Some(Signable::Account),
            ClaimType::User => Some(Signable::User),
            ClaimType::Activation => Some(Signable::Activation),
            ClaimType::AuthorizationResponse => Some(Signable::AuthorizationResponse),
            ClaimType::Generic => Some(Signable::Generic),
            ClaimType::AuthorizationRequest => None,
        }
    }

    /// Its name: that of the claim's type, or `nonce`.
    pub const fn name(self) -> &'static str {
        match self {
            Signable::Operator => ClaimType::Operator.name(),
            Signable::Account => ClaimType::Account.name(),
            Signable::User => ClaimType::User.name(),
            Signable::Activation => ClaimType::Activation.name(),
            Signable::AuthorizationResponse => ClaimType::AuthorizationResponse.name(),
            Signable::Generic => ClaimType::Generic.name(),
            Signable::Nonce => "nonce",
        }
    }
}

/// A set of [`Signable`]s; bit n is the n-th of [`Signable::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims(pub u8);

impl Claims {
    /// The empty set.
    pub const NONE: Claims = Claims(0);

    /// The set of these.
    pub fn of(members: &[Signable]) -> Claims {
        Claims(members.iter().fold(0, |bits, &one| bits | 1 << one as u8))
    }

    /// Whether `one` is in it.
    pub const fn has(self, one: Signable) -> bool {
        self.0 & (1 << one as u8) != 0
    }

    /// Whether all of it is in `other`.
    pub const fn is_subset(self, other: Claims) -> bool {
        self.0 & !other.0 == 0
    }

    pub(super) const fn is_valid(self) -> bool {
        self.0 >> Signable::ALL.len() == 0
    }
}

/// A set of kinds of key; bit n is the n-th of [`Kind::ALL`], bit 6 any text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kinds(pub u8);

impl Kinds {
    /// The empty set.
    pub const NONE: Kinds = Kinds(0);
    /// Texts that are no key, which generic claims may have as their subject.
    pub const OTHER: Kinds = Kinds(1 << Kind::ALL.len());

    /// The set of these.
    pub fn of(members: &[Kind]) -> Kinds {
        Kinds(
            members
                .iter()
                .fold(0, |bits, &kind| bits | Kinds::bit(kind)),
        )
    }

    fn bit(kind: Kind) -> u8 {
        Kind::ALL
            .iter()
            .position(|known| *known == kind)
            .map_or(0, |at| 1 << at)
    }

    /// Whether `kind` is in it; none: a text that is no key.
    pub fn has(self, kind: Option<Kind>) -> bool {
        self.0 & kind.map_or(Kinds::OTHER.0, Kinds::bit) != 0
    }

    /// Whether all of it is in `other`.
    pub const fn is_subset(self, other: Kinds) -> bool {
        self.0 & !other.0 == 0
    }

    pub(super) const fn is_valid(self) -> bool {
        self.0 >> (Kind::ALL.len() + 1) == 0
    }
}
