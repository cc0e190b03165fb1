//! What a client is told while it waits.

use nkey_agent::client::Client;
use std::sync::{Arc, Mutex, PoisonError};

/// What was said to a client, as it comes.
#[derive(Clone, Default)]
pub struct Notices(Arc<Mutex<Vec<String>>>);

impl Notices {
    /// Those of this client.
    pub fn of(client: &mut Client) -> Notices {
        let notices = Notices::default();
        let heard = notices.clone();
        client.on_notice(move |text| {
            let mut all = heard.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(text.to_owned());
        });
        notices
    }

    /// What came so far, which is forgotten.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
