//! Many signatures: the counter never misses one, and the logs turn over.

use crate::host::*;
use nkey_core::nkey::Kind;
use nkey_core::policy::{Policy, Presence};
use nkey_core::token::*;

#[test]
fn a_hundred_thousand_signatures_are_counted() {
    let (mut token, session) = ready();
    let policy = Policy {
        presence: Presence::Never,
        ..Policy::new(Kind::User)
    };
    token
        .call(Some(session), Command::Loosen { slot: 1, policy })
        .ok();
    let updates = 100_000;
    for update in 1..=updates {
        token.app.board().ticks += 10;
        token
            .ask(
                Some(session),
                Command::Sign {
                    slot: 1,
                    message: NONCE,
                },
            )
            .signature();
        if update % 9_999 == 0 {
            let reply = token.ask(None, Command::Counters);
            assert!(
                matches!(reply.answer(), Answer::Counters(counters) if counters.signatures == update)
            );
        }
    }
    let mut token = token.reboot();
    let reply = token.ask(None, Command::Counters);
    let Answer::Counters(counters) = reply.answer() else {
        panic!()
    };
    assert_eq!(counters.signatures, updates);
    assert!(counters.latest >= NOW + updates / 100);
}
