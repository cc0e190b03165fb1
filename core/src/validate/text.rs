//! Values in findings.

use core::fmt::{self, Write as _};

/// Most characters of a value that a finding quotes.
const MAX_QUOTED: usize = 120;

/// A value in quotes, with control characters and quotes escaped, cut when it is long.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for letter in self.0.chars().take(MAX_QUOTED) {
            write!(f, "{}", letter.escape_debug())?;
        }
        let cut = self.0.chars().nth(MAX_QUOTED).is_some();
        f.write_str(if cut { "…\"" } else { "\"" })
    }
}
