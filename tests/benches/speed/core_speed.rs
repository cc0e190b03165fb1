//! Tokens in bulk on one thread, against nats-io/jwt in Go.

use super::Row;
use nkey_core::claims::owned;
use nkey_core::claims::{
    Claims, NatsLimits, Permission, Permissions, Standard, User, UserPermissionLimits,
};
use nkey_core::nkey::{KeyPair, Kind, Seed};
use nkey_core::tolerant::{self, AnyClaims};
use nkey_core::{Signature, creds, jwt};
use nkey_tests::{command, run, tool};
use std::hint::black_box;
use std::time::{Duration, Instant};

const SPAN: Duration = Duration::from_secs(2);
const NOW: i64 = 1_678_973_945;

/// The user of the seed example.
pub fn user(public: &str) -> Claims<'_, User<'_>> {
    let allow = |allow| Some(Permission { allow, deny: &[] });
    Claims {
        standard: Standard {
            name: "my-user",
            sub: public,
            ..Standard::default()
        },
        nats: User {
            permissions: UserPermissionLimits {
                permissions: Permissions {
                    publish: allow(&["foo.>", "bar.>"]),
                    subscribe: allow(&["_INBOX.>"]),
                    resp: None,
                },
                limits: NatsLimits {
                    subs: -1,
                    data: 1 << 30,
                    payload: -1,
                },
                ..UserPermissionLimits::default()
            },
            issuer_account: "",
        },
        ..Claims::default()
    }
}

/// Microseconds that `work` takes.
pub fn micros(mut work: impl FnMut()) -> f64 {
    (0..10).for_each(|_| work());
    let (started, mut count) = (Instant::now(), 0u32);
    while started.elapsed() < SPAN {
        (0..10).for_each(|_| work());
        count += 10;
    }
    started.elapsed().as_secs_f64() * 1e6 / f64::from(count)
}

fn pair(kind: Kind, byte: u8) -> (Seed, KeyPair) {
    let seed = Seed::from_bytes(kind, [byte; 32]);
    let pair = KeyPair::from_seed(&seed).expect("a pair");
    (seed, pair)
}

/// An account with revocations.
fn revoked(account: &KeyPair, count: u64) -> AnyClaims {
    let mut claims = owned::Claims::<owned::Account>::default();
    claims.standard.sub = account.public_key().to_string();
    for user in 0..count {
        let mut bytes = [7u8; 32];
        bytes[..8].copy_from_slice(&user.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
        let key = Seed::from_bytes(Kind::User, bytes).public_key();
        claims.nats.revocations.insert(key.to_string(), NOW);
    }
    AnyClaims::Account(claims)
}

pub fn rows() -> Vec<Row> {
    let (_, account) = pair(Kind::Account, 1);
    let (_, user_pair) = pair(Kind::User, 2);
    let public = user_pair.public_key().encode();
    let mut buf = [0u8; 2048];
    let sign = micros(|| {
        black_box(jwt::sign(&user(&public), &account, NOW, &mut buf)).expect("a token");
    });
    let checked = micros(|| {
        black_box(jwt::sign_checked(&user(&public), &account, NOW, &mut buf)).expect("a token");
    });
    let token = jwt::sign(&user(&public), &account, NOW, &mut buf)
        .expect("a token")
        .to_owned();
    let decode = micros(|| {
        black_box(tolerant::decode(&token)).expect("claims");
    });
    let mut counter = 0u64;
    let all = micros(|| {
        counter += 1;
        let mut bytes = [7u8; 32];
        bytes[..8].copy_from_slice(&counter.to_le_bytes());
        let seed = Seed::from_bytes(Kind::User, bytes);
        let public = seed.public_key().encode();
        let token = jwt::sign(&user(&public), &account, NOW, &mut buf).expect("a token");
        let mut text = [0u8; 2048];
        black_box(creds::write(token, &seed, &mut text)).expect("creds");
    });
    let large = revoked(&account, 10_000);
    let encode = |sign: &dyn Fn(&[u8]) -> Signature| {
        let key = account.public_key();
        let (mut buf, input) = large.prepare(&key, NOW).expect("a signing input");
        let signature = sign(&buf[..input]);
        let length = jwt::finish(input, &signature, &mut buf)
            .expect("a token")
            .len();
        buf.truncate(length);
        String::from_utf8(buf).expect("a token")
    };
    let signed = |input: &[u8]| account.sign(input);
    let large_token = encode(&signed);
    let none = account.sign(b"");
    let encode_large = micros(|| drop(black_box(encode(&|_| none))));
    let sign_large = micros(|| drop(black_box(encode(&signed))));
    let decode_large = micros(|| drop(black_box(tolerant::decode(&large_token))));
    let go = run(command(tool("bench")).arg(SPAN.as_secs().to_string()), "").ok();
    let go: Vec<f64> = go
        .split_whitespace()
        .map(|micros| micros.parse().expect("a number"))
        .collect();
    let against = |ours: f64, go: f64| format!("{:.1}x ({ours:.1} us, Go {go:.1} us)", go / ours);
    vec![
        Row::new(
            "`jwt::sign` of a user, one thread, against nats-io/jwt",
            "2.5x",
            against(sign, go[0]),
        ),
        Row::new(
            "the same with `jwt::sign_checked`",
            "recorded",
            against(checked, go[0]),
        ),
        Row::new(
            "decode and verify, against nats-io/jwt",
            "1.2x",
            against(decode, go[1]),
        ),
        Row::new(
            "key, token and creds, against Go",
            "recorded",
            against(all, go[2]),
        ),
        Row::new(
            "an account with 10,000 revocations: encode, against nats-io/jwt",
            "3x",
            against(encode_large, go[5]),
        ),
        Row::new(
            "the same: encode and sign",
            "recorded",
            against(sign_large, go[3]),
        ),
        Row::new(
            "the same: decode and verify",
            "3x",
            against(decode_large, go[4]),
        ),
    ]
}
