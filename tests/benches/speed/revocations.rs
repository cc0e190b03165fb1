//! An account that revokes 10,000 users, against nats-io/jwt.

use super::Row;
use nkey_core::claims::owned::{Account, Claims, GenericFields, OperatorLimits, Standard};
use nkey_core::nkey::{KeyPair, Kind, Seed};
use nkey_core::tolerant::{self, AnyClaims};
use nkey_core::{creds, jwt};
use std::hint::black_box;
use std::time::{Duration, Instant};

const USERS: u32 = 10_000;
const SPAN: Duration = Duration::from_secs(2);
const NOW: i64 = 1_678_973_945;

/// Milliseconds that `work` takes.
fn millis(mut work: impl FnMut()) -> f64 {
    (0..8).for_each(|_| work());
    let (started, mut count) = (Instant::now(), 0u32);
    while started.elapsed() < SPAN {
        (0..2).for_each(|_| work());
        count += 2;
    }
    started.elapsed().as_secs_f64() * 1e3 / f64::from(count)
}

/// Rows; `go` are Go's microseconds for decoding and encoding.
pub fn rows(go: &[f64]) -> Vec<Row> {
    let operator = KeyPair::from_seed(&Seed::from_bytes(Kind::Operator, [1; 32])).expect("a pair");
    let account = Seed::from_bytes(Kind::Account, [2; 32]).public_key();
    let revocations = (0..USERS).map(|number| {
        let mut bytes = [3; 32];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        let user = Seed::from_bytes(Kind::User, bytes).public_key();
        (user.to_string(), NOW)
    });
    let claims = AnyClaims::Account(Claims {
        standard: Standard {
            sub: account.to_string(),
            ..Standard::default()
        },
        nats: Account {
            limits: Some(OperatorLimits::default()),
            revocations: revocations.collect(),
            default_permissions: Some(Default::default()),
            authorization: Some(Default::default()),
            ..Account::default()
        },
        generic: GenericFields::default(),
    });
    let mut buf = vec![0; jwt::MAX_TOKEN + 4096];
    let token = jwt::sign(&claims, &operator, NOW, &mut buf).expect("a token");
    let token = creds::parse_token(token).to_owned();
    let encode = millis(|| {
        black_box(jwt::sign(&claims, &operator, NOW, &mut buf)).expect("a token");
    });
    let decode = millis(|| {
        black_box(tolerant::decode(&token)).expect("claims");
    });
    let against = |ours: f64, go: f64| {
        let go = go / 1e3;
        format!("{:.1}x ({ours:.2} ms, Go {go:.2} ms)", go / ours)
    };
    vec![
        Row::new(
            "decode and verify an account of 10,000 revocations, against nats-io/jwt",
            "3x",
            against(decode, go[0]),
        ),
        Row::new(
            "encode and sign it, against nats-io/jwt",
            "3x",
            against(encode, go[1]),
        ),
    ]
}
