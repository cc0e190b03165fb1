//! Whose hand is on the button: a client that signs, or one that unlocks.

use super::line::Line;
use crate::store::{Person, Prompt};
use crate::token::Hand;
use nkey_core::token::Press;

impl Line {
    /// Tells a person when the button is wanted, and takes the request back when it is gone.
    pub(super) fn hand<'a>(&'a self, person: &'a dyn Person) -> impl Hand + 'a {
        Waits { line: self, person }
    }

    fn press(&self, press: Press) -> String {
        match press {
            Press::Short => format!("press the button on {}", self.shown()),
            Press::Held => format!("hold the button on {} for 3 s", self.shown()),
        }
    }
}

struct Waits<'a> {
    line: &'a Line,
    person: &'a dyn Person,
}

impl Hand for Waits<'_> {
    fn wanted(&mut self, press: Press) {
        self.person.say(&self.line.press(press));
    }

    fn is_cancelled(&mut self) -> bool {
        self.person.is_gone() || self.line.is_to_stop()
    }
}

/// As [`Waits`], while unlocking.
pub(super) struct Asked<'a> {
    pub(super) line: &'a Line,
    pub(super) prompt: &'a mut dyn Prompt,
}

impl Hand for Asked<'_> {
    fn wanted(&mut self, press: Press) {
        let text = format!(
            "{}: the time it is told is too far from the last time its button was pressed",
            self.line.press(press)
        );
        self.prompt.message(&text);
    }

    fn is_cancelled(&mut self) -> bool {
        self.prompt.is_gone() || self.line.is_to_stop()
    }
}
