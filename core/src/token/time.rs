//! Time, for a device without a clock.
//!
//! The host states the time once after power-up; from then on the token counts itself. A
//! date in the future would let a claim escape revocations, so time does not move far
//! without a press, and never further than a press is worth.

use super::{Counters, LEAP, SKEW};

/// What is kept over power cuts, in Unix seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Times {
    /// The highest time of the device.
    pub(super) latest: u64,
    /// The time of the device at the last press.
    pub(super) witnessed: u64,
}

/// What a stated time needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Nothing,
    Press,
    Refused,
}

impl Times {
    /// The highest time that one press can lead to. A device that ran for years without a press
    /// is not sent back by it.
    fn most(&self) -> u64 {
        self.witnessed.saturating_add(LEAP).max(self.latest)
    }

    /// What the first time stated after power-up needs; `drift` is how far it may run ahead of
    /// the last press, `doubtful` says that a newer record than this was lost.
    pub(super) fn need(&self, stated: u64, drift: u64, doubtful: bool) -> Need {
        let back = stated.saturating_add(SKEW) < self.latest;
        let ahead = stated > self.witnessed.saturating_add(drift);
        if stated > self.most() || stated.saturating_add(LEAP) < self.latest {
            Need::Refused
        } else if back || ahead || doubtful {
            Need::Press
        } else {
            Need::Nothing
        }
    }
}

/// The time nearest to `wanted` that a token with these counters takes, with a press.
pub fn nearest(wanted: u64, counters: &Counters) -> u64 {
    let times = Times {
        latest: counters.latest,
        witnessed: counters.witnessed,
    };
    wanted.clamp(times.latest.saturating_sub(LEAP), times.most())
}

/// The device's time since the host stated it.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    stated: u64,
    at: u64,
}

impl Clock {
    pub(super) fn new(stated: u64, ticks: u64) -> Clock {
        Clock { stated, at: ticks }
    }

    pub(super) fn now(&self, ticks: u64) -> u64 {
        self.stated
            .saturating_add(ticks.saturating_sub(self.at) / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_does_not_move_far_without_a_press() {
        let day = 86_400;
        let times = Times {
            latest: 1_000 * day,
            witnessed: 990 * day,
        };
        let need = |stated| times.need(stated, 30 * day, false);
        assert_eq!(need(1_000 * day), Need::Nothing);
        assert_eq!(need(1_000 * day - 300), Need::Nothing);
        assert_eq!(need(1_000 * day - 301), Need::Press);
        assert_eq!(need(600 * day), Need::Press);
        assert_eq!(need(600 * day - 1), Need::Refused);
        assert_eq!(need(1_020 * day), Need::Nothing);
        assert_eq!(need(1_020 * day + 1), Need::Press);
        assert_eq!(need(1_390 * day), Need::Press);
        assert_eq!(need(1_390 * day + 1), Need::Refused);
        assert_eq!(need(u64::MAX), Need::Refused);
        assert_eq!(need(0), Need::Refused);
        assert_eq!(times.need(1_000 * day, 30 * day, true), Need::Press);
    }

    #[test]
    fn every_time_is_reached_by_presses() {
        let day = 86_400;
        for latest in [1, 500, 1_000, 20_000, 40_000] {
            for behind in [0, 30, 399, 400, 401, 900, 10_000] {
                for wanted in [1, 700, 20_500, 30_000] {
                    let mut times = Times {
                        latest: latest * day,
                        witnessed: u64::saturating_sub(latest, behind) * day,
                    };
                    let mut presses = 0;
                    while times.latest != wanted * day {
                        let counters = Counters {
                            signatures: 0,
                            latest: times.latest,
                            witnessed: times.witnessed,
                        };
                        let stated = nearest(wanted * day, &counters);
                        assert_ne!(times.need(stated, 0, true), Need::Refused, "{times:?}");
                        times = Times {
                            latest: stated,
                            witnessed: stated,
                        };
                        presses += 1;
                        assert!(presses < 120, "{times:?} {wanted}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_clock_counts_seconds() {
        let clock = Clock::new(100, 5_000);
        assert_eq!(
            (clock.now(5_999), clock.now(6_000), clock.now(0)),
            (100, 101, 100)
        );
    }
}
