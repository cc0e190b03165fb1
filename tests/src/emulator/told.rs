//! What the emulator told, and who waits for it.

use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Default)]
pub(super) struct State {
    /// Answers that nobody took yet.
    pub answers: HashMap<u64, Value>,
    /// The device that the host enumerated, while it is plugged in.
    pub device: Option<Value>,
    /// How often a device came.
    pub arrivals: u64,
    /// The terminal is there.
    pub linked: bool,
    /// How often the power was cut by an order.
    pub cuts: u32,
    /// The boot ROM waits for an image.
    pub bootsel: bool,
    /// The emulator ended.
    pub ended: Option<String>,
}

#[derive(Default)]
pub(super) struct Told {
    state: Mutex<State>,
    news: Condvar,
}

impl Told {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A test that failed while it waited is dropped with what it holds.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something and says so.
    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.news.notify_all();
    }

    /// Takes in a line of the emulator.
    pub(super) fn hear(&self, line: &str) {
        let Ok(told) = serde_json::from_str::<Value>(line) else {
            return;
        };
        self.change(|state| match told["event"].as_str() {
            None => {
                if let Some(id) = told["id"].as_u64() {
                    state.answers.insert(id, told);
                }
            }
            Some("attached") => {
                state.device = Some(told["device"].clone());
                state.arrivals += 1;
                state.bootsel = false;
            }
            Some("detached") => {
                state.device = None;
            }
            Some("cut") => state.cuts += 1,
            Some("bootsel") => state.bootsel = true,
            Some("failed") => state.ended = Some(told["error"].to_string()),
            Some(_) => {}
        });
    }

    /// Waits until `look` finds something.
    #[track_caller]
    pub(super) fn wait<T>(&self, what: &str, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.state();
        loop {
            if let Some(found) = look(&mut state) {
                return found;
            }
            if let Some(why) = &state.ended {
                panic!("the emulator ended while the test waited for {what}: {why}");
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what} did not come");
            state = self
                .news
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}
