//! What a test wants the card to do.

use std::path::PathBuf;

/// A file with one word.
#[derive(Clone)]
pub struct Orders(PathBuf);

impl Orders {
    pub fn new(path: &str) -> Orders {
        Orders(path.into())
    }

    pub fn word(&self) -> String {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        text.trim().to_owned()
    }
}
