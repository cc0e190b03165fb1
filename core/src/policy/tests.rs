use super::*;
use crate::language::{self, Denial};
use crate::nkey::{KeyPair, Seed};
use crate::{claims, jwt};

fn pair(kind: Kind) -> KeyPair {
    KeyPair::from_seed(&Seed::from_bytes(kind, [7; 32])).unwrap()
}

const NOW: i64 = 1_700_000_000;

/// The verdict about a claim, or the violation as text.
fn judge(
    policy: &Policy<'_>,
    claim: &impl claims::Claim,
    kind: Kind,
) -> Result<Signable, Violation> {
    let mut buf = [0u8; 4096];
    let key = pair(kind).public_key();
    let len = jwt::prepare(claim, &key, NOW, &mut buf).unwrap();
    let mut scratch = [0u8; 4096];
    let mut judge = Judge::new(policy);
    let permit = language::permit(&key, &buf[..len], &mut scratch, &mut judge).unwrap();
    judge.verdict(&permit, NOW)
}

fn user<'a>(
    sub: &'a str,
    publish: &'a [&'a str],
    subscribe: &'a [&'a str],
) -> claims::Claims<'a, claims::User<'a>> {
    let mut claim = claims::Claims::<claims::User<'_>>::default();
    claim.standard.sub = sub;
    let permissions = &mut claim.nats.permissions.permissions;
    permissions.publish = Some(claims::Permission {
        allow: publish,
        deny: &[],
    });
    permissions.subscribe = Some(claims::Permission {
        allow: subscribe,
        deny: &[],
    });
    claim
}

#[test]
fn containment_is_that_of_servers() {
    for (inner, outer) in [
        ("a", "a"),
        ("a.b", "a.*"),
        ("a.b.c", "a.>"),
        ("a.*", "a.*"),
        ("a.>", "a.>"),
        ("a.*.>", "a.>"),
        ("a", ">"),
        (">", ">"),
        ("*", ">"),
        ("a.*", "*.*"),
    ] {
        assert!(is_within(inner, outer), "{inner} in {outer}");
    }
    for (inner, outer) in [
        ("a.>", "a.*"),
        ("a", "a.>"),
        ("*", "a"),
        (">", "*"),
        ("a.b", "a"),
        ("a", "a.b"),
        ("a..b", "a.>"),
        ("", ">"),
        ("a.>.b", "a.>"),
        ("a b", ">"),
        ("a\tb", ">"),
        ("A", "a"),
        (">", "a.>"),
        ("*.b", "a.*"),
    ] {
        assert!(!is_within(inner, outer), "{inner} in {outer}");
    }
}

#[test]
fn a_new_key_signs_one_type_of_claim() {
    let policy = Policy::new(Kind::Account);
    let sub = pair(Kind::User).public_key().encode();
    let claim = user(&sub, &[], &[]);
    assert_eq!(judge(&policy, &claim, Kind::Account), Ok(Signable::User));
    let operator = Policy::new(Kind::Operator);
    assert_eq!(
        judge(&operator, &claim, Kind::Account),
        Err(Violation::Claim("user"))
    );
    let mut bearer = claim;
    bearer.nats.permissions.bearer_token = true;
    assert_eq!(
        judge(&policy, &bearer, Kind::Account),
        Err(Violation::Bearer)
    );
    let kinds = Policy {
        kinds: Kinds::of(&[Kind::Account]),
        ..policy
    };
    assert_eq!(
        judge(&kinds, &claim, Kind::Account),
        Err(Violation::Kind(Some(Kind::User)))
    );
}

#[test]
fn a_life_is_bounded_from_now() {
    let policy = Policy {
        life: Some(60),
        ..Policy::new(Kind::Account)
    };
    let sub = pair(Kind::User).public_key().encode();
    let mut claim = user(&sub, &[], &[]);
    assert_eq!(
        judge(&policy, &claim, Kind::Account),
        Err(Violation::Eternal(60))
    );
    claim.standard.exp = NOW + 61;
    assert_eq!(
        judge(&policy, &claim, Kind::Account),
        Err(Violation::Life(60))
    );
    claim.standard.exp = NOW + 60;
    assert_eq!(judge(&policy, &claim, Kind::Account), Ok(Signable::User));
}

#[test]
fn permissions_lie_within_the_subjects() {
    let policy = Policy {
        within: Some(Subjects("orders.> _INBOX.>")),
        ..Policy::new(Kind::Account)
    };
    let sub = pair(Kind::User).public_key().encode();
    let ok = ["orders.new", "orders.>"];
    let inbox = ["_INBOX.>", "orders.* workers"];
    assert_eq!(
        judge(&policy, &user(&sub, &ok, &inbox), Kind::Account),
        Ok(Signable::User)
    );
    for (publish, subscribe, what) in [
        (&[][..], &inbox[..], "publish"),
        (&ok[..], &[][..], "subscribe"),
        (&["orders.new", ">"][..], &inbox[..], "publish"),
        (&["orders.* workers"][..], &inbox[..], "publish"),
        (&ok[..], &["orders"][..], "subscribe"),
        (&ok[..], &["other workers"][..], "subscribe"),
        (&ok[..], &["orders.a q r"][..], "subscribe"),
    ] {
        assert_eq!(
            judge(&policy, &user(&sub, publish, subscribe), Kind::Account),
            Err(Violation::Outside(what)),
            "{publish:?} {subscribe:?}"
        );
    }
    let mut denied = user(&sub, &[], &inbox);
    denied.nats.permissions.permissions.publish = Some(claims::Permission {
        allow: &[],
        deny: &[">"],
    });
    assert_eq!(judge(&policy, &denied, Kind::Account), Ok(Signable::User));
    let mut answers = user(&sub, &ok, &inbox);
    answers.nats.permissions.permissions.resp = Some(claims::ResponsePermission {
        max: Some(1),
        ttl: Some(0),
    });
    assert_eq!(
        judge(&policy, &answers, Kind::Account),
        Err(Violation::Outside("answer"))
    );
}

#[test]
fn narrower_is_proved_in_every_part() {
    let base = Policy {
        claims: Claims::of(&[Signable::User, Signable::Activation]),
        kinds: Kinds::of(&[Kind::User, Kind::Account]),
        bearer: true,
        life: Some(100),
        within: Some(Subjects("a.> b.*")),
        presence: Presence::Cached(10),
        budget: Some(5),
    };
    let narrower = [
        base,
        Policy {
            claims: Claims::NONE,
            ..base
        },
        Policy {
            kinds: Kinds::NONE,
            ..base
        },
        Policy {
            bearer: false,
            ..base
        },
        Policy {
            life: Some(99),
            ..base
        },
        Policy {
            within: Some(Subjects("a.b b.c a.*.>")),
            ..base
        },
        Policy {
            within: Some(Subjects("")),
            ..base
        },
        Policy {
            presence: Presence::Always,
            ..base
        },
        Policy {
            presence: Presence::Cached(9),
            ..base
        },
        Policy {
            budget: Some(0),
            ..base
        },
    ];
    for new in narrower {
        assert!(new.narrower(&base), "{new:?}");
        assert!(new.is_valid());
    }
    let wider = [
        Policy {
            claims: Claims::of(&[Signable::Generic]),
            ..base
        },
        Policy {
            kinds: Kinds::OTHER,
            ..base
        },
        Policy {
            life: Some(101),
            ..base
        },
        Policy { life: None, ..base },
        Policy {
            within: None,
            ..base
        },
        Policy {
            within: Some(Subjects("a.> b.>")),
            ..base
        },
        Policy {
            presence: Presence::Cached(11),
            ..base
        },
        Policy {
            presence: Presence::Never,
            ..base
        },
        Policy {
            budget: Some(6),
            ..base
        },
        Policy {
            budget: None,
            ..base
        },
    ];
    for new in wider {
        assert!(!new.narrower(&base), "{new:?}");
    }
    assert!(!base.narrower(&Policy {
        bearer: false,
        ..base
    }));
    assert!(base.narrower(&Policy {
        life: None,
        within: None,
        budget: None,
        presence: Presence::Never,
        ..base
    }));
}

#[test]
fn a_policy_without_a_meaning_is_refused() {
    let base = Policy::new(Kind::Account);
    let long = "a".repeat(MAX_SUBJECTS_LEN + 1);
    let many = "a ".repeat(MAX_SUBJECTS).clone() + "a";
    for bad in [
        Policy {
            claims: Claims(0x80),
            ..base
        },
        Policy {
            kinds: Kinds(0x80),
            ..base
        },
        Policy {
            presence: Presence::Cached(0),
            ..base
        },
        Policy {
            presence: Presence::Cached(MAX_CACHED + 1),
            ..base
        },
        Policy {
            within: Some(Subjects("a  b")),
            ..base
        },
        Policy {
            within: Some(Subjects(" a")),
            ..base
        },
        Policy {
            within: Some(Subjects("a.>.b")),
            ..base
        },
        Policy {
            within: Some(Subjects("a\tb")),
            ..base
        },
        Policy {
            within: Some(Subjects(&long)),
            ..base
        },
        Policy {
            within: Some(Subjects(&many)),
            ..base
        },
    ] {
        assert!(!bad.is_valid(), "{bad:?}");
    }
    assert!(base.is_valid());
}

#[test]
fn a_user_key_signs_nonces() {
    let key = pair(Kind::User).public_key();
    let policy = Policy::new(Kind::User);
    let mut judge = Judge::new(&policy);
    let mut scratch = [0u8; 64];
    let permit = language::permit(&key, b"abcdefghijklmno", &mut scratch, &mut judge).unwrap();
    assert_eq!(judge.verdict(&permit, NOW), Ok(Signable::Nonce));
    let denied = language::permit(&key, b"something", &mut scratch, &mut ()).unwrap_err();
    assert!(matches!(denied, Denial::Language { .. }));
}
