//! The longest message that a holder signs.

use crate::{Agent, refusal};
use nkey_agent::message::Status;
use nkey_core::nkey::{Kind, PublicKey};

/// Claims with a name of so many bytes.
pub fn claims_of(size: usize, user: &PublicKey) -> String {
    format!(
        r#"{{"sub":"{user}","name":"{}","nats":{{"type":"user"}}}}"#,
        "x".repeat(size)
    )
}

/// Has the longest token issued that `limit` allows, and is refused one that is a little longer:
/// the reason.
#[track_caller]
pub fn limit_is_exact(agent: &Agent, account: &PublicKey, limit: usize) -> String {
    let mut client = agent.client();
    // Whose token it is does not matter.
    let user = PublicKey::from_bytes(Kind::User, *account.as_bytes());
    let mut issue = |size| client.issue(account, &claims_of(size, &user), 0, 0);
    // Three bytes of claims are four of the signing input.
    let first = issue(100).expect("a token");
    let around = first.rfind('.').expect("its signature") - 100 * 4 / 3;
    let fits = (limit - around) * 3 / 4 - 4;
    let token = issue(fits).expect("a token of the longest size");
    let length = token.rfind('.').expect("its signature");
    assert!((limit - 8..=limit).contains(&length), "{length} of {limit}");
    let (status, reason) = refusal(issue(fits + 12));
    assert_eq!(status, Status::TooLarge, "{reason}");
    reason
}
