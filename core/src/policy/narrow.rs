//! Whether a policy allows nothing that another does not.

use super::{Policy, Presence};

impl Policy<'_> {
    /// Whether every part of this policy is provably no wider than that of `old`: sets by
    /// inclusion, subjects by containment, an absent limit is the widest.
    pub fn narrower(&self, old: &Policy<'_>) -> bool {
        let subjects = match (self.within, old.within) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(new), Some(old)) => new.iter().all(|subject| old.contain(subject)),
        };
        self.claims.is_subset(old.claims)
            && self.kinds.is_subset(old.kinds)
            && self.bearer <= old.bearer
            && at_most(self.life, old.life)
            && subjects
            && seconds(self.presence) <= seconds(old.presence)
            && at_most(self.budget, old.budget)
    }
}

fn at_most(new: Option<u32>, old: Option<u32>) -> bool {
    match (new, old) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(new), Some(old)) => new <= old,
    }
}

/// For how long a press counts; without one, for ever.
fn seconds(presence: Presence) -> u64 {
    match presence {
        Presence::Always => 0,
        Presence::Cached(seconds) => u64::from(seconds),
        Presence::Never => u64::MAX,
    }
}
