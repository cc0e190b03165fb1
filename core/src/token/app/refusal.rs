//! Why a request is not answered with what it wants.

use crate::token::code::{Code, Fault};
use crate::token::message::Press;
use core::fmt::{Display, Write};

/// The reason in words, cut off where it is longer.
pub(super) type Reason = heapless::String<192>;

pub(super) enum Refusal {
    /// Not before the button was pressed; then the request is carried out from its beginning.
    Press(Press),
    /// Not at all.
    No(Code, Reason),
    /// Something broke.
    Broken(Fault),
}

impl Refusal {
    pub(super) fn because(code: Code, why: impl Display) -> Refusal {
        let mut reason = Reason::new();
        // What does not fit is left out.
        let _ = write!(Cut(&mut reason), "{why}");
        Refusal::No(code, reason)
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Refusal {
        Refusal::No(code, Reason::new())
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        Refusal::Broken(fault)
    }
}

/// Writes as much as fits.
struct Cut<'a>(&'a mut Reason);

impl Write for Cut<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        for letter in text.chars() {
            self.0.push(letter).map_err(|_| core::fmt::Error)?;
        }
        Ok(())
    }
}
