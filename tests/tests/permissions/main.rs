//! What a real server allows and denies, against our own model of permissions.
//!
//! Accounts and users are generated; all of them are signed by a real agent over its socket.
//! `NKEY_SEED` repeats a run.

mod accounts;
mod check;
mod expiry;
mod live;
mod model;
mod probe;
mod random;
mod rights;
mod subjects;
mod users;
mod world;

use accounts::{Account, Case};
use check::{Findings, connect_all, describe};
use nkey_tests::skipped;
use probe::{payload, probe};
use random::Random;
use std::sync::Mutex;
use world::{World, now};

const ACCOUNTS: usize = 40;

#[test]
fn a_server_allows_what_the_model_predicts() {
    if skipped("nats-server") {
        return;
    }
    let mut random = Random::from_environment();
    let mut world = World::new(&mut random);
    let mut accounts = Vec::new();
    let mut differences = Vec::new();
    for number in 0..ACCOUNTS {
        let case = Case::ODD.get(number).copied().unwrap_or(Case::Ordinary);
        let mut account = Account::new(world.client(), &mut random, case, number, now());
        world.issue(&mut account, now() - 100);
        if case != Case::Kept {
            let expected = model::push(&world.operator, &account.claims, now());
            let found = world.push(&account.token);
            if expected.is_ok() != found.is_ok() {
                differences.push(format!("push of {case:?}: {expected:?}, {found:?}"));
            }
        }
        accounts.push((account, random.fork()));
    }
    let users: usize = accounts
        .iter()
        .map(|(account, _)| account.users.len())
        .sum();
    assert!(users >= 200, "{users} users");

    let (operator, port) = (world.operator.clone(), world.server.port());
    let world = Mutex::new(world);
    let (left, all) = (Mutex::new(accounts), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut findings = Findings::default();
                while let Some((mut account, mut random)) = next(&left) {
                    let (mut driver, mut sessions) =
                        connect_all(&operator, &mut account, port, &mut findings);
                    for session in &mut sessions {
                        let driver = driver.as_mut();
                        probe(&account, session, driver, &mut random, &mut findings);
                    }
                    for _ in 0..3 {
                        let (driver, random) = (&mut driver, &mut random);
                        sessions = live::change(
                            &world,
                            &mut account,
                            driver,
                            sessions,
                            random,
                            &mut findings,
                        );
                    }
                    for session in &mut sessions {
                        let who = describe(&account, session.user);
                        payload(session, &who, &mut findings);
                    }
                }
                all.lock().expect("the findings").push(findings);
            });
        }
    });
    let mut refused = std::collections::BTreeMap::new();
    let (mut connected, mut probes) = (0, [0, 0]);
    for findings in all.into_inner().expect("the findings") {
        differences.extend(findings.differences);
        connected += findings.connected;
        probes = [0, 1].map(|at| probes[at] + findings.probes[at]);
        for why in findings.refused {
            *refused.entry(why).or_insert(0) += 1;
        }
    }
    println!(
        "{users} users, {connected} connected, refused: {refused:?}, allowed and denied: {probes:?}"
    );
    differences.sort();
    let shown = differences.iter().take(5).cloned().collect::<Vec<_>>();
    assert!(
        differences.is_empty(),
        "{} differences\n{}",
        differences.len(),
        shown.join("\n")
    );
    // The choices must not have become one-sided.
    assert!(
        connected >= 50 && refused.len() >= 10,
        "{connected} {refused:?}"
    );
    assert!(probes.iter().all(|count| *count >= 500), "{probes:?}");
}

fn next(left: &Mutex<Vec<(Account, Random)>>) -> Option<(Account, Random)> {
    left.lock().expect("the accounts").pop()
}
