//! Random choices that a seed repeats.

use std::time::{SystemTime, UNIX_EPOCH};

/// splitmix64.
pub struct Random(u64);

impl Random {
    /// By `NKEY_SEED`, or a fresh one; printed, so that a failure can be repeated.
    pub fn from_environment() -> Random {
        let fresh = || {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            now.map_or(1, |since| u64::from(since.subsec_nanos()))
        };
        let given = std::env::var("NKEY_SEED").ok();
        let seed = given.map_or_else(fresh, |text| text.parse().expect("NKEY_SEED is a number"));
        eprintln!("NKEY_SEED={seed}");
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Another source, for one account.
    pub fn fork(&mut self) -> Random {
        Random(self.next())
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A number from `start` up to `end`.
    pub fn between(&mut self, start: i64, end: i64) -> i64 {
        start + self.below((end - start + 1) as usize) as i64
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}
