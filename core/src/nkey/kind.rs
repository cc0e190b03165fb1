//! The kinds of NKey and their prefix bytes.

use super::Error;

/// What an NKey identifies. Source: nats-io/nkeys `strkey.go`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `O`: an operator, or an operator's signing key.
    Operator,
    /// `A`: an account, or an account's signing key.
    Account,
    /// `U`: a user.
    User,
    /// `N`: a server.
    Server,
    /// `C`: a cluster.
    Cluster,
    /// `X`: an X25519 key for sealed boxes; it cannot sign.
    Curve,
}

impl Kind {
    /// Every kind, in the order operator, account, user, server, cluster, curve.
    pub const ALL: [Kind; 6] = [
        Kind::Operator,
        Kind::Account,
        Kind::User,
        Kind::Server,
        Kind::Cluster,
        Kind::Curve,
    ];

    /// The prefix byte: the letter's base32 value in the upper five bits.
    pub const fn prefix(self) -> u8 {
        match self {
            Kind::Operator => 14 << 3,
            Kind::Account => 0,
            Kind::User => 20 << 3,
            Kind::Server => 13 << 3,
            Kind::Cluster => 2 << 3,
            Kind::Curve => 23 << 3,
        }
    }

    /// The first letter of a public key of this kind; a seed is `S` and this letter.
    pub const fn letter(self) -> char {
        match self {
            Kind::Operator => 'O',
            Kind::Account => 'A',
            Kind::User => 'U',
            Kind::Server => 'N',
            Kind::Cluster => 'C',
            Kind::Curve => 'X',
        }
    }

    /// The field's name for this kind, lower case: `operator`, `account`, `user`, …
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Operator => "operator",
            Kind::Account => "account",
            Kind::User => "user",
            Kind::Server => "server",
            Kind::Cluster => "cluster",
            Kind::Curve => "curve",
        }
    }

    /// The kind whose prefix byte this is.
    ///
    /// # Errors
    /// [`Error::UnknownPrefix`] for any other byte.
    pub fn from_prefix(byte: u8) -> Result<Kind, Error> {
        Kind::ALL
            .into_iter()
            .find(|kind| kind.prefix() == byte)
            .ok_or(Error::UnknownPrefix(byte))
    }

    /// The kind written as this letter (upper case) or name (lower case).
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| {
            kind.name() == name || {
                let mut letters = name.chars();
                letters.next() == Some(kind.letter()) && letters.next().is_none()
            }
        })
    }

    /// Whether keys of this kind are Ed25519 keys; curve keys only seal and open.
    pub const fn can_sign(self) -> bool {
        !matches!(self, Kind::Curve)
    }
}

impl core::fmt::Display for Kind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}
