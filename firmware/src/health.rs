//! The two continuous tests of a noise source (NIST SP 800-90B, 4.4) over its raw bits.
//!
//! The cutoffs are for an eighth of a bit of entropy in each, and a false alarm in 2^30.

/// So many equal bits in a row are a failure.
const REPEATED: u32 = 241;
/// Bits of a window.
pub const WINDOW: u32 = 1024;
/// So many bits of a window equal to its first are a failure.
const SAME: u32 = 988;

/// Watches raw bits. A failure stays one.
pub struct Health {
    last: Option<bool>,
    run: u32,
    first: bool,
    at: u32,
    same: u32,
    failed: bool,
}

impl Health {
    /// Has seen nothing.
    pub const fn new() -> Health {
        Health {
            last: None,
            run: 0,
            first: false,
            at: 0,
            same: 0,
            failed: false,
        }
    }

    /// Looks at the next bit.
    pub fn look(&mut self, bit: bool) {
        self.run = if self.last == Some(bit) {
            self.run + 1
        } else {
            1
        };
        self.last = Some(bit);
        if self.at == 0 {
            (self.first, self.same) = (bit, 0);
        }
        self.same += u32::from(bit == self.first);
        self.at = (self.at + 1) % WINDOW;
        self.failed |= self.run >= REPEATED || self.same >= SAME;
    }

    /// Whether every bit so far passed.
    pub fn is_good(&self) -> bool {
        !self.failed
    }
}

impl Default for Health {
    fn default() -> Health {
        Health::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(bits: impl IntoIterator<Item = bool>) -> bool {
        let mut health = Health::new();
        bits.into_iter().for_each(|bit| health.look(bit));
        health.is_good()
    }

    #[test]
    fn a_stuck_source_fails_at_the_cutoff() {
        let stuck = |bits| (0..bits).map(|_| true);
        assert!(good(stuck(240)));
        assert!(!good(stuck(241)));
        // Good bits afterwards do not mend it.
        assert!(!good(stuck(241).chain((0..10_000).map(|at| at % 3 == 0))));
    }

    #[test]
    fn a_biased_source_fails_in_its_window() {
        // Never 241 in a row: every 100th bit, then also every 25th, is the other one.
        let biased = |every: u32| (0..2 * WINDOW).map(move |at| at % every == every - 1);
        assert!(!good(biased(100)));
        assert!(good(biased(25)));
    }

    #[test]
    fn fair_bits_pass() {
        let mut state = 1u64;
        let fair = (0..4_000_000).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state & 1 == 1
        });
        assert!(good(fair));
    }
}
