//! The bytes of a policy, whose hash is in statements.

use crate::page;
use nkey_core::nkey::Kind;
use nkey_core::policy::{Claims, Kinds, Policy, Presence, Signable, Subjects};
use nkey_core::token::policy_hash;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_page_says_what_is_hashed() {
    let policy = Policy {
        claims: Claims::of(&[Signable::User, Signable::Activation]),
        kinds: Kinds::of(&[Kind::User]),
        bearer: false,
        life: Some(86_400),
        within: Some(Subjects("orders.> _INBOX.>")),
        presence: Presence::Cached(60),
        budget: None,
    };
    let mut bytes = [0; 64];
    let bytes = postcard::to_slice(&policy, &mut bytes).expect("its bytes");
    let text = page::text();
    for line in [
        format!("= {}\n", hex(bytes)),
        format!("# {}\n", hex(&policy_hash(&policy))),
    ] {
        assert!(text.contains(&line), "the page has no line {line}");
    }
}
