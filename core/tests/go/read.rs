//! What Go made, we read.

use crate::{TYPES, is_zone, peer, rows};
use nkey_core::canonical;
use nkey_core::jwt::{self, Parts};
use nkey_core::language::{self, Denial, Language, Permit};
use nkey_core::nkey::Kind;
use nkey_core::tolerant::decode;
use nkey_core::validate::validate;
use std::collections::BTreeSet;

/// Every claim: read, written again, accepted, signed again, validated.
fn check(made: &peer::Made, seen: &mut BTreeSet<&'static str>) {
    let token = &made.token;
    let parts = Parts::new(token).unwrap();
    let mut scratch = vec![0; token.len()];
    let payload = parts.decode_payload(&mut scratch).unwrap();
    let shown = String::from_utf8_lossy(payload).into_owned();

    let decoded = decode(token).unwrap_or_else(|error| panic!("{error}: {shown}"));
    assert!(decoded.notes.is_empty(), "{:?}: {shown}", decoded.notes);
    assert_eq!(decoded.claims.to_json(), shown);
    let effective = decoded.claims.effective();
    assert_eq!(effective.to_json(), made.again);

    let reading =
        canonical::read(payload, &mut ()).unwrap_or_else(|refusal| panic!("{refusal}: {shown}"));
    let pair = peer::pair(&made.seed);
    assert_eq!(reading.iss, pair.public_key());
    let permit = language::permit(
        &reading.iss,
        parts.input.as_bytes(),
        &mut vec![0; token.len()],
        &mut (),
    )
    .map(|permit| matches!(permit, Permit::Jwt(_)));
    // A server's key signs nothing here.
    let wanted = match reading.iss.kind() {
        Kind::Server => Err(Denial::Language {
            kind: Kind::Server,
            language: Language::Jwt,
        }),
        _ => Ok(true),
    };
    assert_eq!(permit, wanted);

    let (mut buf, input) = decoded.claims.prepare(&reading.iss, reading.iat).unwrap();
    let signature = pair.sign(&buf[..input]);
    assert_eq!(
        jwt::finish(input, &signature, &mut buf).unwrap(),
        token,
        "{shown}"
    );
    let mut scratch = vec![0; token.len()];
    assert_eq!(
        jwt::verify(token, &mut scratch).map(|verified| verified.claim_type),
        Ok(reading.claim_type)
    );

    for (claims, go) in [(&decoded.claims, &made.made), (&effective, &made.read)] {
        let found = validate(claims, reading.iat, &is_zone);
        let wanted = rows::go(go);
        assert_eq!(
            rows::ours(&found),
            wanted,
            "\nours: {found:#?}\nGo's: {go:#?}\n{shown}"
        );
        seen.extend(wanted.iter().map(|row| row.1));
    }
}

#[test]
fn every_token_that_go_makes_is_the_same_to_us() {
    let mut seen = BTreeSet::new();
    for kind in TYPES {
        for made in peer::claims(kind) {
            check(made, &mut seen);
        }
    }
    // Go does not sign these; tricks.rs has them.
    let elsewhere = [
        "error parsing account server url: {}",
        "account server url {} requires a protocol",
        "sampling percentage needs to be between 1-100",
    ];
    if peer::count() >= 2000 {
        assert_eq!(rows::unseen(seen.into_iter().chain(elsewhere)), [""; 0]);
    }
}
