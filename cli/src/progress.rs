//! A bar on the terminal while many things are made.

use std::io::{IsTerminal, Write, stderr};

/// Characters of the bar.
const WIDTH: usize = 30;

/// How far a long command is. It is seen on a terminal only.
pub struct Progress {
    total: usize,
    shown: bool,
}

impl Progress {
    /// A bar of `total` things; what ends at once needs none.
    pub fn new(total: usize, at_once: usize) -> Progress {
        let shown = total > at_once && stderr().is_terminal();
        let progress = Progress { total, shown };
        progress.at(0);
        progress
    }

    /// `done` things are done.
    pub fn at(&self, done: usize) {
        if self.shown {
            let full = WIDTH * done.min(self.total) / self.total.max(1);
            let bar = format!("{:WIDTH$}", "#".repeat(full));
            let _ = write!(stderr(), "\r[{bar}] {done} of {}", self.total);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
