//! Flags that several commands have: kinds of keys, and the marks of a key in the agent.

use nkey_agent::message::flag;
use nkey_core::nkey::Kind;

/// Kinds of keys; nsc's flags.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Kinds {
    /// Operator keys
    #[arg(short, long)]
    pub operator: bool,
    /// Account keys
    #[arg(short, long, visible_alias = "accounts")]
    pub account: bool,
    /// User keys
    #[arg(short, long, visible_alias = "users")]
    pub user: bool,
    /// Curve keys (X25519)
    #[arg(short = 'x', long)]
    pub curve: bool,
}

impl Kinds {
    /// Those asked for.
    pub fn chosen(&self) -> Vec<Kind> {
        [
            (self.operator, Kind::Operator),
            (self.account, Kind::Account),
            (self.user, Kind::User),
            (self.curve, Kind::Curve),
        ]
        .into_iter()
        .filter_map(|(chosen, kind)| chosen.then_some(kind))
        .collect()
    }
}

/// The marks of a new key.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct KeyFlags {
    /// Let the agent give the seed away later; user keys always may
    #[arg(long)]
    pub exportable: bool,
    /// Sign claims whatever their time of issue; otherwise it must be within 5 minutes of the clock
    #[arg(long)]
    pub any_iat: bool,
}

impl KeyFlags {
    /// Whether one is given.
    pub const fn any(self) -> bool {
        self.exportable || self.any_iat
    }

    /// The agent's bits for a key of this kind.
    pub fn bits(self, kind: Kind) -> u32 {
        let mut bits = 0;
        if self.exportable || kind == Kind::User {
            bits |= flag::EXPORTABLE;
        }
        if self.any_iat {
            bits |= flag::ANY_IAT;
        }
        bits
    }
}

/// A key's marks in words.
pub fn marks(flags: u32) -> String {
    let words = [
        (flag::EXPORTABLE, "exportable"),
        (flag::VOLATILE, "volatile"),
        (flag::ANY_IAT, "any-iat"),
        (flag::VIRTUAL, "VIRTUAL"),
    ];
    let set: Vec<&str> = words
        .iter()
        .filter(|(bit, _)| flags & bit != 0)
        .map(|(_, word)| *word)
        .collect();
    set.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_user_keys_are_exportable_unasked() {
        let none = KeyFlags::default();
        assert_eq!(none.bits(Kind::User), flag::EXPORTABLE);
        for kind in [Kind::Operator, Kind::Account, Kind::Curve] {
            assert_eq!(none.bits(kind), 0, "{kind}");
        }
        let all = KeyFlags {
            exportable: true,
            any_iat: true,
        };
        assert_eq!(marks(all.bits(Kind::Account)), "exportable,any-iat");
    }
}
