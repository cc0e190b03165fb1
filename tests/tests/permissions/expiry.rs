//! Connections that end by themselves.

use crate::accounts::{Account, Case};
use crate::random::Random;
use crate::users::{bare, unlimited};
use crate::world::{World, now};
use nkey_agent::message::flag;
use nkey_core::claims::owned::{Claims, GenericFields, Standard, TimeRange, User};
use nkey_core::nkey::Kind;
use nkey_core::tolerant::AnyClaims;
use nkey_tests::nats::{Nats, PATIENCE};
use nkey_tests::skipped;

#[test]
fn a_connection_ends_with_its_token_its_hours_and_its_account() {
    if skipped("nats-server") {
        return;
    }
    let mut random = Random::from_environment();
    let mut world = World::new(&mut random);
    let port = world.server.port();
    let mut account = Account::new(world.client(), &mut random, Case::Ordinary, 0, now());
    account.claims.nats.revocations.clear();
    let limits = account.claims.nats.limits.get_or_insert_default();
    limits.nats = unlimited();
    world.issue(&mut account, now());
    world.push(&account.token).expect("to push");

    let mut connect = |change: &dyn Fn(&mut Claims<User>)| {
        let agent = &mut account.agent;
        let key = agent
            .generate(Kind::User, "", flag::VOLATILE)
            .expect("a key");
        let mut claims = Claims {
            standard: Standard {
                sub: key.to_string(),
                ..Standard::default()
            },
            nats: User {
                permissions: bare(),
                issuer_account: account.key.to_string(),
            },
            generic: GenericFields {
                kind: "user".to_owned(),
                version: 2,
                ..GenericFields::default()
            },
        };
        claims.nats.permissions.limits = unlimited();
        change(&mut claims);
        let json = AnyClaims::User(claims).to_json();
        let token = agent.issue(&account.plain, &json, 0, 0).expect(&json);
        Nats::sign_in(port, &token, agent).unwrap_or_else(|said| panic!("{said}: {json}"))
    };
    let mut stays = connect(&|_| {});
    let mut expires = connect(&|claims| claims.standard.exp = now() + 3);
    let mut goes_home = connect(&|claims| {
        let hour = |at: i64| {
            let second = at.rem_euclid(86_400);
            format!(
                "{:02}:{:02}:{:02}",
                second / 3600,
                second / 60 % 60,
                second % 60
            )
        };
        let own = &mut claims.nats.permissions.user;
        "UTC".clone_into(&mut own.times_location);
        own.times = vec![TimeRange {
            start: hour(now() - 3600),
            end: hour(now() + 3),
        }];
    });
    for connection in [&mut expires, &mut goes_home] {
        let said = connection.wait_closed(PATIENCE).expect("the end");
        assert_eq!(said, ["User Authentication Expired"]);
    }
    assert!(stays.is_open());

    let before = account.claims.standard.iat;
    account.claims.standard.exp = now() + 2;
    world.issue(&mut account, before + 1);
    world.push(&account.token).expect("to push");
    assert!(stays.is_open());
    let said = stays.wait_closed(PATIENCE).expect("the end");
    assert_eq!(said, ["Account Authentication Expired"]);
}
