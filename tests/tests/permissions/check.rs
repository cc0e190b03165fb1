//! Connects the users of an account and compares whom the server lets in with the model.

use crate::accounts::{Account, Case};
use crate::model;
use crate::rights::Rights;
use crate::world::{login, now};
use nkey_core::claims::owned::{Claims, Operator};
use nkey_core::tolerant::AnyClaims;
use nkey_tests::nats::{Nats, PATIENCE};

/// A user that is connected.
pub struct Session {
    /// Its place in the account's users.
    pub user: usize,
    /// Its connection.
    pub nats: Nats,
    /// What the model says that it may do.
    pub rights: Rights,
}

/// Differences between the server and the model, and how much was compared.
#[derive(Default)]
pub struct Findings {
    /// The differences.
    pub differences: Vec<String>,
    /// Users that were let in.
    pub connected: usize,
    /// Users that were refused, by reason.
    pub refused: Vec<&'static str>,
    /// What the server allowed and denied.
    pub probes: [usize; 2],
}

impl Findings {
    /// Both agree or the difference is noted.
    pub fn compare(&mut self, who: &str, what: &str, expected: bool, found: bool) {
        self.probes[usize::from(!found)] += 1;
        if expected != found {
            let word = |allowed| if allowed { "allows" } else { "denies" };
            self.differences.push(format!(
                "{who}: {what}: the model {} it, the server {} it",
                word(expected),
                word(found)
            ));
        }
    }
}

/// Names a user and shows what decides about it.
pub fn describe(account: &Account, user: usize) -> String {
    let user = &account.users[user];
    format!(
        "\n{}\n{}\n{:?}",
        AnyClaims::Account(account.claims.clone()).to_json(),
        AnyClaims::User(user.claims.clone()).to_json(),
        user.login
    )
}

/// Connects all users of an account, the driver first. They stay connected.
pub fn connect_all(
    operator: &Claims<Operator>,
    account: &mut Account,
    port: u16,
    findings: &mut Findings,
) -> (Option<Nats>, Vec<Session>) {
    let limits = account.claims.nats.limits.as_ref();
    let most = limits.map_or(-1, |limits| limits.account.conn);
    let mut open = 0;
    let mut sessions = Vec::new();
    let mut driving = None;
    let driver = account.driver.take();
    let count = account.users.len();
    for at in std::iter::once(None).chain((0..count).map(Some)) {
        let Some(user) = at.map_or(driver.as_ref(), |at| account.users.get(at)) else {
            continue;
        };
        let mut expected =
            model::connect(operator, &account.claims, &user.claims, user.login, now());
        if account.case == Case::Kept {
            expected = Err("not pushed");
        }
        if expected.is_ok() && most >= 0 && open >= most {
            expected = Err("connections");
        }
        let (mut nats, result) = login(&mut account.agent, user, port);
        let told = result.as_ref().err().cloned().unwrap_or_default();
        let dropped = expected.as_ref().is_ok_and(|rights| rights.subs == Some(0));
        let found = if dropped {
            // The server lets it in first.
            result.is_ok() && nats.wait_closed(PATIENCE).is_none()
        } else {
            result.is_ok()
        };
        match &expected {
            _ if at.is_none() => {}
            Ok(_) if dropped => findings.refused.push("no subscriptions"),
            Ok(_) => findings.connected += 1,
            Err(why) => findings.refused.push(why),
        }
        let reason = expected.as_ref().err().copied().unwrap_or_default();
        let expects = expected.is_ok() && !dropped;
        if expects != found {
            let who = at.map_or("the driver".to_owned(), |at| describe(account, at));
            let what = format!("to connect ({reason}, {told})");
            findings.compare(&who, &what, expects, found);
        }
        if reason == "connections" && !told.contains("maximum account active connections") {
            findings.differences.push(format!("connections: {told}"));
        }
        if let (Ok(rights), true) = (expected, found) {
            open += 1;
            match at {
                None => driving = Some(nats),
                Some(user) => sessions.push(Session { user, nats, rights }),
            }
        }
    }
    account.driver = driver;
    (driving, sessions)
}
