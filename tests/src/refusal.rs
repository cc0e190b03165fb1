//! What the agent refuses.

use nkey_agent::client::Error;
use nkey_agent::message::Status;

/// The agent's reason; anything else fails the test.
#[track_caller]
pub fn refusal<T>(result: Result<T, Error>) -> (Status, String) {
    match result.map(|_| ()) {
        Err(Error::Refused { status, reason }) => (status, reason),
        other => panic!("{other:?}"),
    }
}
