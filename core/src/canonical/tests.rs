use super::tricks::{ACCOUNT, GENERIC, TRICKS};
use super::*;
use crate::claims::ClaimType;
use crate::jwt;
use crate::nkey::{Error, Kind, PublicKey, Seed};
use crate::tolerant::read_claims;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;
use data_encoding::BASE64URL_NOPAD;

const IAT: i64 = 1_700_000_000;
const USER: &str = r#"{"sub":"UDWUSKGGFDI4FRXK5EBTRECZSVQSSWJHHJOGH6JWG3AUMFFMQ435C2U4","nats":{"pub":{"allow":["a.>"]},"sub":{},"resp":{"max":0,"ttl":-1},"src":["::/0"],"subs":-1}}"#;

fn key(kind: Kind) -> PublicKey {
    Seed::from_bytes(kind, [1; 32]).public_key()
}

/// The payload that is signed for these claims.
fn payload(claims: &str, issuer: Kind) -> String {
    let (claims, _) = read_claims(claims.as_bytes()).unwrap();
    let (buf, input) = claims.prepare(&key(issuer), IAT).unwrap();
    let decoded = BASE64URL_NOPAD.decode(&buf[jwt::HEADER.len() + 1..input]);
    String::from_utf8(decoded.unwrap()).unwrap()
}

fn why(payload: &str) -> Why {
    read(payload.as_bytes(), &mut ()).unwrap_err().why
}

/// A payload with `jti` of its own registered claims.
fn with_jti(json: &str) -> String {
    let (claims, _) = read_claims(json.as_bytes()).unwrap();
    let jti = jwt::jti(&claims.standard().as_borrowed(), &mut [0; 1024]).unwrap();
    let jti = core::str::from_utf8(&jti).unwrap();
    format!("{{\"jti\":\"{jti}\",{}", &json[1..])
}

#[test]
fn every_trick_is_refused_for_its_reason() {
    let mut wrong = Vec::new();
    for trick in TRICKS {
        let whole = payload(trick.base, Kind::Operator);
        assert_eq!(whole.matches(trick.from).count(), 1, "{}", trick.from);
        let changed = whole.replace(trick.from, trick.to);
        let refusal = read(changed.as_bytes(), &mut ()).unwrap_err();
        assert!(refusal.offset <= changed.len());
        if format!("{:?}", refusal.why) != trick.why {
            wrong.push((trick.to, refusal.why, trick.go));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn bytes_that_are_no_text_are_refused_where_they_stand() {
    let whole = payload(ACCOUNT, Kind::Operator);
    let at = whole.find("\"conn\"").unwrap();
    let mut bytes = whole.into_bytes();
    bytes[at] = 0xFF;
    let refusal = read(&bytes, &mut ()).unwrap_err();
    assert_eq!((refusal.offset, refusal.why), (at, Why::Utf8));
}

#[test]
fn no_payload_may_be_cut() {
    for (claims, issuer) in [
        (ACCOUNT, Kind::Operator),
        (GENERIC, Kind::Operator),
        (USER, Kind::Account),
    ] {
        let whole = payload(claims, issuer);
        assert!(read(whole.as_bytes(), &mut ()).is_ok());
        for end in 0..whole.len() {
            assert!(read(&whole.as_bytes()[..end], &mut ()).is_err(), "{end}");
        }
    }
}

#[test]
fn the_reading_is_the_top_level() {
    let whole = payload(ACCOUNT, Kind::Operator);
    let reading = read(whole.as_bytes(), &mut ()).unwrap();
    assert_eq!(reading.claim_type, ClaimType::Account);
    assert_eq!(reading.iss, key(Kind::Operator));
    assert_eq!(
        (reading.iat, reading.exp, reading.nbf, reading.aud),
        (IAT, 0, 0, "")
    );
    assert_eq!(reading.name, r"a\u003cb\n/");
    assert_eq!(reading.jti.len(), 52);
}

/// Writes what it sees as lines.
struct Seen(String);

impl Visit for Seen {
    fn value(&mut self, path: &[&'static str], value: Value<'_>) {
        let _ = match value {
            Value::Text(raw) => writeln!(self.0, "{} {raw}", path.join(".")),
            Value::Flag => writeln!(self.0, "{} true", path.join(".")),
            ref number => writeln!(self.0, "{} {:?}", path.join("."), number.as_i64()),
        };
    }
}

#[test]
fn a_policy_sees_every_value_with_its_place() {
    let mut seen = Seen(String::new());
    read(payload(ACCOUNT, Kind::Operator).as_bytes(), &mut seen).unwrap();
    for line in [
        "nats.exports.*.revocations.* Some(1)",
        "nats.limits.conn Some(5)",
        "nats.limits.wildcards true",
        "nats.limits.tiered_limits.*.disk_storage Some(13)",
        "nats.signing_keys.* AAQEAQHDMTAQ6K7MTQP6KAFBZVGCI7EJ2ZIKAHWX5AWKXKDHQ56CC5NC",
        "nats.signing_keys.*.template.pub.deny.* d",
        "nats.type account",
    ] {
        assert!(seen.0.lines().any(|seen| seen == line), "{line}");
    }
    let mut seen = Seen(String::new());
    read(payload(GENERIC, Kind::Operator).as_bytes(), &mut seen).unwrap();
    assert!(seen.0.contains("nats.* a\n") && seen.0.contains("nats.type custom\n"));
}

#[test]
fn only_what_may_issue_and_be_a_subject_does() {
    // nats-jwt.md 1.4, columns 2 and 3; a subject of None is any text.
    let matrix: [(ClaimType, Option<Kind>, &[Kind]); 7] = [
        (ClaimType::Operator, Some(Kind::Operator), &[Kind::Operator]),
        (
            ClaimType::Account,
            Some(Kind::Account),
            &[Kind::Account, Kind::Operator],
        ),
        (ClaimType::User, Some(Kind::User), &[Kind::Account]),
        (
            ClaimType::Activation,
            Some(Kind::Account),
            &[Kind::Account, Kind::Operator],
        ),
        (ClaimType::AuthorizationRequest, None, &[Kind::Server]),
        (ClaimType::AuthorizationResponse, None, &[Kind::Account]),
        (ClaimType::Generic, None, &Kind::ALL),
    ];
    for (claim, subject, issuers) in matrix {
        for issuer in Kind::ALL {
            for sub in Kind::ALL.into_iter().map(Some).chain([None]) {
                let sub_text = sub.map_or("any".to_string(), |kind| key(kind).to_string());
                let json = format!(
                    r#"{{"iat":5,"iss":"{}","sub":"{sub_text}","nats":{{"type":"{claim}","version":2}}}}"#,
                    key(issuer)
                );
                let json = with_jti(&json);
                let issues = issuers.contains(&issuer);
                let is_subject = subject.is_none() || subject == sub;
                let found = read(json.as_bytes(), &mut ()).map(|reading| reading.claim_type);
                match found {
                    Ok(found) => assert!(issues && is_subject && found == claim, "{json}"),
                    Err(refusal) => assert!(
                        match refusal.why {
                            Why::Issuer { .. } => !issues,
                            Why::Subject { wanted, .. } => issues && Some(wanted) == subject,
                            Why::Key(_) => issues && sub.is_none() && subject.is_some(),
                            _ => false,
                        },
                        "{refusal}: {json}"
                    ),
                }
            }
        }
    }
}

#[test]
fn what_every_claim_needs() {
    let whole = format!(
        r#"{{"iat":5,"iss":"{}","sub":"x","nats":{{"version":2}}}}"#,
        key(Kind::Operator)
    );
    assert!(read(with_jti(&whole).as_bytes(), &mut ()).is_ok());
    let without = |from: &str, to: &str| {
        assert_eq!(whole.matches(from).count(), 1, "{from}");
        why(&with_jti(&whole.replace(from, to)))
    };
    assert_eq!(why(&whole), Why::Missing("jti"));
    assert_eq!(without(r#""iat":5,"#, ""), Why::Missing("iat"));
    assert_eq!(without(r#""iat":5"#, r#""iat":-5"#), Why::Missing("iat"));
    assert_eq!(without(r#","sub":"x""#, ""), Why::Missing("sub"));
    let iss = format!(r#""iss":"{}","#, key(Kind::Operator));
    assert_eq!(without(&iss, ""), Why::Missing("iss"));
    assert!(matches!(
        without(&iss, r#""iss":"O","#),
        Why::Key(Error::Length { .. })
    ));
    assert_eq!(without(r#""version":2"#, ""), Why::Missing("version"));
    assert_eq!(
        without(r#","nats":{"version":2}"#, ""),
        Why::Missing("nats")
    );
    for (jti, wanted) in [("", Why::Zero), ("A", Why::Jti)] {
        let json = format!("{{\"jti\":\"{jti}\",{}", &whole[1..]);
        assert_eq!(why(&json), wanted);
    }
    let changed = with_jti(&whole).replace(r#""sub":"x""#, r#""sub":"y""#);
    assert_eq!(why(&changed), Why::Jti);
}

#[test]
fn any_member_may_be_absent() {
    // Older libraries leave out `authorization`, and nothing of `nats` but type and version has to be there.
    for (claim, sub, issuer) in [
        ("operator", Kind::Operator, Kind::Operator),
        ("account", Kind::Account, Kind::Operator),
        ("user", Kind::User, Kind::Account),
        ("activation", Kind::Account, Kind::Account),
    ] {
        let json = format!(
            r#"{{"iat":5,"iss":"{}","sub":"{}","nats":{{"type":"{claim}","version":2}}}}"#,
            key(issuer),
            key(sub)
        );
        assert!(read(with_jti(&json).as_bytes(), &mut ()).is_ok(), "{json}");
    }
}

#[test]
fn free_members_nest_as_deep_as_is_said_and_no_deeper() {
    let nested = |levels: usize| {
        let json = format!(
            r#"{{"iat":5,"iss":"{}","sub":"x","nats":{{"version":2,"x":{}{}}}}}"#,
            key(Kind::Operator),
            "[".repeat(levels),
            "]".repeat(levels)
        );
        read(with_jti(&json).as_bytes(), &mut ()).map(|_| ())
    };
    assert_eq!(nested(MAX_DEPTH), Ok(()));
    assert_eq!(nested(MAX_DEPTH + 1).unwrap_err().why, Why::Depth);
    // The tolerant reader, which made jti above, does not go on for ever: this one is unsigned.
    let deep = format!(
        r#"{{"nats":{{"version":2,"x":{}"#,
        "{\"a\":".repeat(500_000)
    );
    assert_eq!(why(&deep), Why::Depth);
}

#[test]
fn keys_of_a_map_are_compared_by_what_they_decode_to() {
    let generic = |members: &str| {
        let json = format!(
            r#"{{"iat":5,"iss":"{}","sub":"x","nats":{{{members}}}}}"#,
            key(Kind::Operator)
        );
        read(with_jti(&json).as_bytes(), &mut ()).map(|_| ())
    };
    // `\u003c` is `<`, less than `=`, though a backslash is greater.
    let ascending = r#""\t":1,"\u003c":1,"=":1,"\\":1,"orders.A":1,"orders.a":1,"version":2,"é":1,"\u2028":1,"😀":1"#;
    assert_eq!(generic(ascending), Ok(()));
    let members: Vec<_> = ascending.split(',').collect();
    for at in 1..members.len() {
        let mut swapped = members.clone();
        swapped.swap(at - 1, at);
        assert_eq!(
            generic(&swapped.join(",")).unwrap_err().why,
            Why::Ascending,
            "{at}"
        );
        let twice = [members[at]; 2].join(",");
        let repeated = ascending.replace(members[at], &twice);
        assert_eq!(generic(&repeated).unwrap_err().why, Why::Ascending, "{at}");
    }
}

#[test]
fn refusals_say_what_and_where() {
    let whole = payload(ACCOUNT, Kind::Operator);
    let changed = whole.replace("\"conn\":5", "\"Conn\":5");
    let refusal = read(changed.as_bytes(), &mut ()).unwrap_err();
    let at = changed.find("\"Conn\"").unwrap();
    assert_eq!(
        refusal.to_string(),
        format!("a key that Go reads as `conn` in another letter case (at `limits`, byte {at})")
    );
}
