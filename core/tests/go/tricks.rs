//! What Go reads in what we refuse.

use crate::mutate::{self, Kind};
use crate::peer::{self, Checked};
use crate::random::Random;
use crate::table::{ACCOUNT, GENERIC, Go, TRICKS};
use crate::{TYPES, rows};
use nkey_core::canonical;
use nkey_core::claims::{Claim, ClaimType};
use nkey_core::nkey::{KeyPair, Kind as KeyKind, Seed};
use nkey_core::tolerant::{decode, read_claims};
use nkey_core::validate::validate;
use std::collections::BTreeMap;

const IAT: i64 = 1_700_000_000;

fn operator() -> KeyPair {
    KeyPair::from_seed(&Seed::from_bytes(KeyKind::Operator, [1; 32])).expect("a pair")
}

/// The payload that is signed for these claims.
fn canonical_payload(claims: &str) -> String {
    let (claims, _) = read_claims(claims.as_bytes()).expect("claims");
    let key = operator().public_key();
    let (buf, input) = claims.prepare(&key, IAT).expect("a signing input");
    let input = std::str::from_utf8(&buf[..input]).expect("a text");
    String::from_utf8(peer::payload(&format!("{input}."))).expect("a text")
}

#[test]
fn go_reads_something_else_or_the_same_in_every_trick() {
    let sign = |payload: &str| peer::signed(payload.as_bytes(), &operator());
    let bases = [ACCOUNT, GENERIC].map(canonical_payload);
    let base = |claims: &str| usize::from(claims == GENERIC);
    let changed = TRICKS.iter().map(|trick| {
        let payload = bases[base(trick.base)].replace(trick.from, trick.to);
        assert!(canonical::read(payload.as_bytes(), &mut ()).is_err());
        sign(&payload)
    });
    let tokens: Vec<_> = bases.iter().map(|base| sign(base)).chain(changed).collect();
    let checked = peer::claimscheck(&tokens);
    let (plain, tricked) = checked.split_at(bases.len());
    assert!(plain.iter().all(|checked| checked.error.is_none()));
    let wrong: Vec<_> = TRICKS
        .iter()
        .zip(tricked)
        .filter(|(trick, Checked { error, again, .. })| {
            let same = *again == plain[base(trick.base)].again;
            !match trick.go {
                Go::Same => error.is_none() && same,
                Go::Reads(text) => error.is_none() && !same && again.contains(text),
                Go::Refuses => error.is_some(),
            }
        })
        .map(|(trick, Checked { error, again, .. })| (trick.to, trick.go, error, again))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn bytes_that_are_no_text_are_others_to_go() {
    let mut payload = canonical_payload(ACCOUNT).into_bytes();
    let at = payload.windows(4).position(|bytes| bytes == b"\\n/\"");
    payload[at.expect("the name's end") + 2] = 0xFF;
    assert!(canonical::read(&payload, &mut ()).is_err());
    let checked = &peer::claimscheck(&[peer::signed(&payload, &operator())])[0];
    assert!(checked.again.contains("a\\u003cb\\n\u{fffd}\""));
}

/// What our readers make of a changed payload, and Go.
fn compare(payload: &[u8], token: &str, checked: &Checked) -> Result<(), String> {
    let shown = String::from_utf8_lossy(payload);
    let ours = decode(token);
    if canonical::read(payload, &mut ()).is_ok() {
        // Whatever it is now: it is said in the one spelling, and Go reads just that.
        let ours = ours.as_ref().map_err(|error| format!("{error}: {shown}"))?;
        let again = ours.claims.to_json();
        if again.as_bytes() != payload || !ours.notes.is_empty() {
            return Err(format!("{again}\nis not what was accepted\n{shown}"));
        }
        if checked.error.is_some() {
            return Err(format!("accepted, but Go: {:?}\n{shown}", checked.error));
        }
    }
    match (ours, &checked.error) {
        (Ok(ours), None) => checked
            .agrees(&ours.claims.effective())
            .map_err(|why| format!("{why}\nof   {shown}")),
        // Go reads half of a surrogate pair, and bytes that are no text, as U+FFFD.
        (Err(error), None) if error.to_string().starts_with("not JSON: ") => Ok(()),
        // It reads -0 as 0; serde_json does not tell it from -0.0, which is no whole number to Go.
        (Err(error), None)
            if error
                .to_string()
                .ends_with("a whole number of 64 bits, not -0") =>
        {
            Ok(())
        }
        (Err(error), None) => Err(format!("{error}, but Go reads\n{shown}")),
        // Go's Decode takes a generic claim for one of version 1; we read it as DecodeGeneric does.
        (Ok(ours), Some(error))
            if ours.claims.claim_type() == ClaimType::Generic && error.contains("V1 signature") =>
        {
            Ok(())
        }
        // It reads numbers of a sampling that it does not write.
        (Ok(_), Some(error)) if error.starts_with("encoding again: ") => Ok(()),
        (Ok(_), Some(error)) => Err(format!("Go: {error}, but we read\n{shown}")),
        (Err(_), Some(_)) => Ok(()),
    }
}

#[test]
fn no_change_to_a_payload_is_accepted_and_read_otherwise() {
    let mut random = Random::new(1);
    // How often Go took what we refuse.
    let mut taken: BTreeMap<Kind, u64> = BTreeMap::new();
    for kind in TYPES {
        let mut list = Vec::new();
        for made in peer::claims(kind).iter().step_by(16) {
            let payload = String::from_utf8(peer::payload(&made.token)).expect("a text");
            let pair = peer::pair(&made.seed);
            for change in Kind::ALL {
                let changed = mutate::change(change, &payload, kind == "generic", &mut random);
                if let Some(changed) = changed.filter(|made| made.payload != payload.as_bytes()) {
                    let token = peer::signed(&changed.payload, &pair);
                    list.push((change, changed, token));
                }
            }
        }
        let tokens: Vec<_> = list.iter().map(|(.., token)| token.clone()).collect();
        for ((change, changed, token), checked) in list.iter().zip(peer::claimscheck(&tokens)) {
            let shown = String::from_utf8_lossy(&changed.payload);
            let refused = canonical::read(&changed.payload, &mut ()).is_err();
            assert!(refused || !changed.refused, "{change:?} accepted: {shown}");
            if let Err(why) = compare(&changed.payload, token, &checked) {
                panic!("{change:?}: {why}");
            }
            *taken.entry(*change).or_default() += u64::from(refused && checked.error.is_none());
        }
    }
    println!("{taken:?}");
    if peer::count() >= 2000 {
        for kind in Kind::ALL {
            assert!(taken[&kind] > 0, "{kind:?} never says anything to Go");
        }
    }
}

/// Go writes none of these, but reads them.
#[test]
fn findings_in_what_only_others_sign() {
    let payload = canonical_payload(ACCOUNT).replace("\"sampling\":5", "\"sampling\":101");
    let mut payloads = vec![payload];
    for url in ["localhost", "%zz", "://h", "nats://h:x", "h:1", ""] {
        payloads.push(format!(
            r#"{{"iat":{IAT},"iss":"{key}","sub":"{key}","nats":{{"account_server_url":"{url}","type":"operator","version":2}}}}"#,
            key = operator().public_key(),
        ));
    }
    let tokens: Vec<_> = payloads
        .iter()
        .map(|payload| peer::signed(payload.as_bytes(), &operator()))
        .collect();
    let mut seen = Vec::new();
    for (checked, token) in peer::claimscheck(&tokens).iter().zip(&tokens) {
        let claims = decode(token).expect("claims").claims.effective();
        let found = validate(&claims, IAT, &crate::is_zone);
        assert_eq!(rows::ours(&found), rows::go(&checked.findings));
        seen.extend(rows::go(&checked.findings).iter().map(|row| row.1));
    }
    for sentence in [
        "error parsing account server url: {}",
        "account server url {} requires a protocol",
        "sampling percentage needs to be between 1-100",
    ] {
        assert!(seen.contains(&sentence), "{sentence}");
    }
}
