//! Accounts that change while their users are connected.

use crate::accounts::Account;
use crate::check::{Findings, Session, describe};
use crate::model;
use crate::probe::publish;
use crate::random::Random;
use crate::rights::Rights;
use crate::subjects::{Style, permissions};
use crate::users::{User, bare};
use crate::world::{World, now};
use nkey_core::claims::owned::{
    Account as AccountNats, Claims, OperatorLimits, SigningKey, User as UserNats,
};
use nkey_core::revocation::is_claim_revoked;
use nkey_tests::nats::{Nats, PATIENCE};
use std::sync::Mutex;

/// Changes an account at random, pushes it, and compares who stays and what they may do.
/// The sessions that stayed.
pub fn change(
    world: &Mutex<World>,
    account: &mut Account,
    driver: &mut Option<Nats>,
    sessions: Vec<Session>,
    random: &mut Random,
    findings: &mut Findings,
) -> Vec<Session> {
    if sessions.is_empty() {
        return sessions;
    }
    let before = account.claims.clone();
    let what = alter(account, &sessions, random);
    {
        let mut world = world.lock().expect("the world");
        world.issue(account, before.standard.iat + 1);
        world.push(&account.token).expect("to push again");
    }
    let drives = |user: &User| stays(&before, account, &user.claims).is_ok();
    if driver.is_some() && !account.driver.as_ref().is_some_and(drives) {
        *driver = None;
    }
    // The server counts connections from the oldest.
    let limits = account.claims.nats.limits.clone().unwrap_or_default();
    let (most, mut open) = (limits.account.conn, i64::from(driver.is_some()));
    let mut stayed = Vec::new();
    for mut session in sessions {
        let who = format!("{} after {what}", describe(account, session.user));
        let user = &account.users[session.user];
        let stays = stays(&before, account, &user.claims);
        let counted = most < 0 || open < most;
        open += 1;
        let expected = stays.is_ok() && counted;
        let found = match expected {
            true => session.nats.is_open(),
            false => session.nats.wait_closed(PATIENCE).is_none(),
        };
        findings.compare(&who, &format!("to stay ({stays:?})"), expected, found);
        if !found {
            continue;
        }
        // Of the permissions only default ones reach those who are connected.
        if session.rights.by_default {
            session.rights = Rights {
                payload: session.rights.payload,
                subs: session.rights.subs,
                ..model::default_rights(&account.claims)
            };
        }
        publish(&mut session, &who, random, findings);
        stayed.push(session);
    }
    stayed
}

/// Whether a connected user stays when its account changes.
fn stays(
    before: &Claims<AccountNats>,
    account: &Account,
    user: &Claims<UserNats>,
) -> Result<(), &'static str> {
    let standard = user.standard.as_borrowed();
    let after = &account.claims.nats;
    if is_claim_revoked(&after.revocations, &standard) {
        return Err("revoked");
    }
    let limits = after.limits.as_ref();
    let forbids = limits.is_some_and(|limits| limits.account.disallow_bearer);
    // What the token itself says counts here, not its scope's template.
    if user.nats.permissions.bearer_token && forbids {
        return Err("bearer");
    }
    let find = |nats: &AccountNats| {
        let mut keys = nats.signing_keys.iter();
        keys.find(|key| key.key() == standard.iss).cloned()
    };
    let by_signing_key = standard.iss != account.claims.standard.sub;
    if by_signing_key && find(after) != find(&before.nats) {
        return Err("its signing key changed");
    }
    Ok(())
}

fn limits(account: &mut Account) -> &mut OperatorLimits {
    account.claims.nats.limits.get_or_insert_default()
}

/// Changes the claims; what was changed.
fn alter(account: &mut Account, sessions: &[Session], random: &mut Random) -> &'static str {
    let user = random.below(sessions.len());
    let user = &account.users[sessions[user].user].claims.standard;
    let (sub, iat) = (user.sub.clone(), user.iat);
    match random.below(10) {
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
            if !keys.is_empty() {
                keys.remove(random.below(keys.len()));
            }
            "a signing key went"
        }
        5 | 6 => {
            let template = account.template(random, now());
            // Another may stay as it is.
            let mut keys = account.claims.nats.signing_keys.iter_mut();
            if let Some(SigningKey::Scoped(scope)) =
                keys.find(|key| matches!(key, SigningKey::Scoped(_)))
            {
                scope.template = Some(template);
            }
            "a scope changed"
        }
        7 | 8 => {
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
