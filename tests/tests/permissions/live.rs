//! Accounts that change while their users are connected.

use crate::accounts::Account;
use crate::check::{Findings, PATIENCE, Session, describe, publish};
use crate::model;
use crate::random::Random;
use crate::subjects::{Style, permissions};
use crate::users::bare;
use crate::world::{World, now};
use nkey_core::claims::owned::{Claims, Operator, OperatorLimits, SigningKey};
use nkey_tests::nats::Nats;
use std::sync::Mutex;

/// Where accounts are changed.
pub struct Arena<'a> {
    /// Signs and pushes.
    pub world: &'a Mutex<World>,
    /// The operator.
    pub operator: &'a Claims<Operator>,
}

impl Arena<'_> {
    /// Changes an account at random, pushes it, and compares who stays and what they may do.
    pub fn change(
        &self,
        account: &mut Account,
        driver: Option<Nats>,
        sessions: Vec<Session>,
        random: &mut Random,
        findings: &mut Findings,
    ) {
        if sessions.is_empty() {
            return;
        }
        let before = account.claims.clone();
        let what = change(account, &sessions, random);
        {
            let mut world = self.world.lock().expect("the world");
            world.issue(account, before.standard.iat + 1);
            world.push(&account.token).expect("to push again");
        }
        // The server counts connections from the oldest.
        let limits = account.claims.nats.limits.clone().unwrap_or_default();
        let (most, mut open) = (limits.account.conn, i64::from(driver.is_some()));
        for mut session in sessions {
            let who = format!("{} after {what}", describe(account, session.user));
            let stays = self.stays(&before, account, &session);
            let counted = most < 0 || open < most;
            open += 1;
            let expected = stays.is_ok() && counted;
            let found = match expected {
                true => session.nats.is_open(),
                false => session.nats.wait_closed(PATIENCE).is_none(),
            };
            findings.compare(&who, &format!("to stay ({stays:?})"), expected, found);
            if let (true, Ok(by_default)) = (found, stays) {
                let user = &account.users[session.user];
                let rights = model::connect(
                    self.operator,
                    &account.claims,
                    &user.claims,
                    user.login,
                    now(),
                );
                // Only default permissions reach those who are connected.
                if by_default && let Ok(rights) = rights {
                    session.rights = rights;
                }
                publish(&mut session, &who, random, findings);
            }
        }
    }

    /// Whether a connected user stays, and then whether its permissions are the default ones.
    fn stays(
        &self,
        before: &Claims<nkey_core::claims::owned::Account>,
        account: &Account,
        session: &Session,
    ) -> Result<bool, &'static str> {
        let user = &account.users[session.user];
        let standard = user.claims.standard.as_borrowed();
        let revocations = &account.claims.nats.revocations;
        if nkey_core::revocation::is_claim_revoked(revocations, &standard) {
            return Err("revoked");
        }
        let forbids = |claims: &Claims<nkey_core::claims::owned::Account>| {
            let limits = claims.nats.limits.as_ref();
            limits.is_some_and(|limits| limits.account.disallow_bearer)
        };
        // What the token itself says counts here, not its scope's template.
        if user.claims.nats.permissions.bearer_token && forbids(&account.claims) {
            return Err("bearer");
        }
        let find = |keys: &[SigningKey]| {
            let mut keys = keys.iter();
            keys.find(|key| key.key() == standard.iss).cloned()
        };
        let listed = find(&account.claims.nats.signing_keys);
        if !user.claims.nats.issuer_account.is_empty()
            && standard.iss != account.claims.standard.sub
            && listed != find(&before.nats.signing_keys)
        {
            return Err("its signing key changed");
        }
        Ok(session.rights.by_default)
    }
}

fn limits(account: &mut Account) -> &mut OperatorLimits {
    account.claims.nats.limits.get_or_insert_default()
}

/// Changes the claims; what was changed.
fn change(account: &mut Account, sessions: &[Session], random: &mut Random) -> &'static str {
    let user = random.below(sessions.len());
    let user = &account.users[sessions[user].user].claims.standard;
    let (sub, iat) = (user.sub.clone(), user.iat);
    match random.below(9) {
        0 | 1 => {
            let at = iat + random.between(-1, 1);
            account.claims.nats.revocations.insert(sub, at);
            "a revocation"
        }
        2 => {
            let at = iat + random.between(-1, 1);
            account.claims.nats.revocations.insert("*".to_owned(), at);
            "a revocation of all"
        }
        3 => {
            limits(account).account.disallow_bearer = true;
            "bearer users were forbidden"
        }
        4 => {
            let keys = &mut account.claims.nats.signing_keys;
            keys.remove(random.below(keys.len()));
            "a signing key went"
        }
        5 => {
            let template = account.template(random, now());
            for key in &mut account.claims.nats.signing_keys {
                if let SigningKey::Scoped(scope) = key {
                    scope.template = Some(template);
                    break;
                }
            }
            "a scope changed"
        }
        6 | 7 => {
            let default = match random.chance(80) {
                true => permissions(random, Style::Plain),
                false => bare().permissions,
            };
            account.claims.nats.default_permissions = Some(default);
            "other default permissions"
        }
        _ => {
            limits(account).account.conn = random.between(0, 4);
            "fewer connections"
        }
    }
}
