//! A person who gives one PIN.

use nkey_agent::client::Prompt;
use zeroize::Zeroizing;

/// Gives a PIN, and keeps what was said and asked.
pub struct Pin(pub &'static str, pub Vec<String>);

impl Prompt for Pin {
    fn message(&mut self, text: &str) {
        self.1.push(text.to_owned());
    }

    fn secret(&mut self, text: &str) -> Option<Zeroizing<String>> {
        self.1.push(text.to_owned());
        Some(Zeroizing::new(self.0.to_owned()))
    }

    fn public(&mut self, _text: &str) -> Option<String> {
        None
    }

    fn confirm(&mut self, text: &str) -> Option<bool> {
        self.1.push(text.to_owned());
        Some(true)
    }
}
