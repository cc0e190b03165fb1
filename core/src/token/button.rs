//! The button: a press answers one request, and only if it began after the request came.

use super::message::Press;

/// How long a short press takes, so that a spark does not count.
const SHORT_MS: u64 = 30;
/// How long the button is held for a change.
const HELD_MS: u64 = 3_000;
/// A longer pause between two looks proves nothing about what lay between them.
const BLIND_MS: u64 = 250;

/// Watches the button for one request.
#[derive(Clone, Copy)]
pub(super) struct Button {
    wanted: Press,
    released: bool,
    down: Option<u64>,
    seen: u64,
}

impl Button {
    pub(super) fn new(wanted: Press, now: u64) -> Button {
        Button {
            wanted,
            released: false,
            down: None,
            seen: now,
        }
    }

    pub(super) fn wanted(&self) -> Press {
        self.wanted
    }

    /// One look at the button; whether the press is complete.
    pub(super) fn look(&mut self, pressed: bool, now: u64) -> bool {
        let blind = now.saturating_sub(self.seen) > BLIND_MS;
        self.seen = now;
        if !pressed {
            self.released = true;
            self.down = None;
            return false;
        }
        if !self.released {
            return false;
        }
        if blind {
            self.down = None;
        }
        let since = *self.down.get_or_insert(now);
        let long = match self.wanted {
            Press::Short => SHORT_MS,
            Press::Held => HELD_MS,
        };
        now.saturating_sub(since) >= long
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(wanted: Press, looks: &[(u64, bool)]) -> Option<u64> {
        let mut button = Button::new(wanted, 0);
        looks
            .iter()
            .find_map(|&(now, pressed)| button.look(pressed, now).then_some(now))
    }

    #[test]
    fn a_press_counts_only_after_a_release() {
        let held_before = [(10, true), (100, true), (200, true)];
        assert_eq!(run(Press::Short, &held_before), None);
        let fresh = [(10, false), (20, true), (40, true), (60, true)];
        assert_eq!(run(Press::Short, &fresh), Some(60));
        let spark = [(10, false), (20, true), (30, false), (45, true), (60, true)];
        assert_eq!(run(Press::Short, &spark), None);
    }

    #[test]
    fn a_change_is_held() {
        let mut looks: std::vec::Vec<(u64, bool)> = std::vec![(0, false)];
        looks.extend((1..=40).map(|step| (step * 100, true)));
        assert_eq!(run(Press::Held, &looks), Some(3_100));
        looks[20].1 = false;
        assert_eq!(run(Press::Held, &looks), None);
        // Nobody looked in between.
        assert_eq!(
            run(Press::Held, &[(0, false), (100, true), (3_200, true)]),
            None
        );
    }
}
