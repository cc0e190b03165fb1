use super::*;
use crate::claims::owned::SigningKey;
use crate::claims::{Claim, ClaimType, ExportType};
use crate::json::Node;
use crate::jwt::{self, Algorithm};
use crate::nkey::{Kind, Seed};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use data_encoding::BASE64URL_NOPAD;

fn read(json: &str) -> (AnyClaims, Notes) {
    read_claims(json.as_bytes()).unwrap()
}

fn error(json: &str) -> String {
    read_claims(json.as_bytes()).unwrap_err().to_string()
}

/// A token with this payload as it stands, signed by the rule of its header.
fn token(payload: &str, kind: Kind, algorithm: Algorithm) -> String {
    let pair = crate::nkey::KeyPair::from_seed(&Seed::from_bytes(kind, [1; 32])).unwrap();
    let payload = BASE64URL_NOPAD.encode(
        payload
            .replace("ISS", &pair.public_key().encode())
            .as_bytes(),
    );
    let (header, signature) = match algorithm {
        Algorithm::V1 => (
            BASE64URL_NOPAD.encode(br#"{"typ":"jwt","alg":"ed25519"}"#),
            pair.sign(payload.as_bytes()),
        ),
        Algorithm::V2 => (
            jwt::HEADER.into(),
            pair.sign(format!("{}.{payload}", jwt::HEADER).as_bytes()),
        ),
    };
    let signature = BASE64URL_NOPAD.encode(signature.as_bytes());
    format!("{header}.{payload}.{signature}")
}

#[test]
fn members_are_found_in_any_case_and_order_and_the_last_counts() {
    let (claims, notes) = read(
        r#"{"nats":{"LIMITS":{"Conn":1,"conn":2,"\u017fubs":3},"type":"account","more":[1]},"name":"a","NAME":"b"}"#,
    );
    let AnyClaims::Account(account) = claims else {
        panic!()
    };
    let limits = account.nats.limits.unwrap();
    assert_eq!((limits.account.conn, limits.nats.subs), (2, 3));
    assert_eq!(account.standard.name, "b");
    assert_eq!(
        notes.spelled,
        [
            "nats.LIMITS",
            "nats.limits.Conn",
            "nats.limits.ſubs",
            "NAME"
        ]
    );
    assert_eq!(notes.repeated, ["nats.limits.conn", "NAME"]);
    let more = Node::List([Node::Uint(1)].into());
    assert_eq!(notes.unknown, [("nats.more".to_string(), more)]);
    assert_eq!(
        notes.first().unwrap(),
        "`nats.more` is not a member of these claims"
    );
}

#[test]
fn null_changes_nothing() {
    let (claims, notes) = read(
        r#"{"name":"a","name":null,"nats":{"type":"user","tags":null,"resp":null,"subs":null}}"#,
    );
    assert_eq!(claims.standard().name, "a");
    assert_eq!(claims.to_json(), r#"{"name":"a","nats":{"type":"user"}}"#);
    assert_eq!(notes.repeated, ["name"]);
}

#[test]
fn a_list_that_stands_again_is_read_onto_the_first_but_signing_keys_add_up() {
    let (claims, _) = read(
        r#"{"nats":{"type":"account","exports":[{"name":"a","subject":"s"},{"name":"b"}],"exports":[{"subject":"t"}],
        "signing_keys":["B"],"signing_keys":["A",{"kind":"user_scope","key":"B"}]}}"#,
    );
    let AnyClaims::Account(account) = &claims else {
        panic!()
    };
    let [export] = &account.nats.exports[..] else {
        panic!()
    };
    assert_eq!((&*export.name, &*export.subject), ("a", "t"));
    let keys: Vec<_> = account
        .nats
        .signing_keys
        .iter()
        .map(SigningKey::key)
        .collect();
    assert_eq!(keys, ["B", "A", "B"]);
    let AnyClaims::Account(effective) = claims.effective() else {
        panic!()
    };
    let [SigningKey::Plain(first), SigningKey::Scoped(scope)] = &effective.nats.signing_keys[..]
    else {
        panic!("{:?}", effective.nats.signing_keys)
    };
    assert_eq!((&**first, scope.key.as_deref()), ("A", Some("B")));
}

#[test]
fn a_scope_is_read_into_a_map_first() {
    let (claims, notes) = read(
        r#"{"nats":{"type":"account","signing_keys":[{"kind":"user_scope","key":"A","template":{"subs":1,"bearer_token":true},"template":{"SUBS":3,"subs":2.0},"KEY":"B"}]}}"#,
    );
    assert_eq!(
        notes.repeated,
        [
            "nats.signing_keys.0.template",
            "nats.signing_keys.0.key",
            "nats.signing_keys.0.template.subs"
        ]
    );
    assert_eq!(
        claims.to_json(),
        r#"{"nats":{"signing_keys":[{"kind":"user_scope","key":"A","template":{"subs":2}}],"type":"account"}}"#
    );
}

#[test]
fn what_is_absent_stays_absent_except_in_the_effective_view() {
    let json = r#"{"nats":{"limits":{"disk_storage":5,"tiered_limits":{"R1":{"streams":1}}},"signing_keys":[{"kind":"user_scope","key":"A","template":{"subs":0,"payload":9007199254740993}}],"type":"account","version":2}}"#;
    let (claims, notes) = read(json);
    assert!(notes.is_empty());
    assert_eq!(claims.to_json(), json);
    assert_eq!(
        claims.effective().to_json(),
        r#"{"nats":{"limits":{"tiered_limits":{"R1":{"streams":1}}},"signing_keys":[{"kind":"user_scope","key":"A","role":"","template":{"pub":{},"sub":{},"subs":0,"data":-1,"payload":9007199254740992},"description":""}],"default_permissions":{"pub":{},"sub":{}},"authorization":{},"type":"account","version":2}}"#
    );
}

#[test]
fn the_type_is_named_or_that_of_the_subject() {
    let key = |kind| Seed::from_bytes(kind, [1; 32]).public_key();
    for (kind, claim) in [
        (Kind::Operator, ClaimType::Operator),
        (Kind::Account, ClaimType::Account),
        (Kind::User, ClaimType::User),
        (Kind::Server, ClaimType::Generic),
    ] {
        let sub = key(kind);
        let json = format!(r#"{{"sub":"{sub}","nats":{{}}}}"#);
        assert_eq!(read(&json).0.claim_type(), claim);
        let json = format!(r#"{{"sub":"{sub}","nats":{{"type":"activation"}}}}"#);
        assert_eq!(read(&json).0.claim_type(), ClaimType::Activation);
        let json = format!(r#"{{"sub":"{sub}","nats":{{"type":""}}}}"#);
        assert_eq!(read(&json).0.claim_type(), ClaimType::Generic);
        let json = format!(r#"{{"sub":"{sub}","nats":{{"type":"cluster"}}}}"#);
        assert_eq!(error(&json), "claims of type cluster are not supported");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    for (json, wanted) in [
        (
            "{",
            "not JSON: EOF while parsing an object at line 1 column 1",
        ),
        ("[]", "the claims must be an object, not an array"),
        (r#"{"nats":5}"#, "`nats` must be an object, not 5"),
        (
            r#"{"exp":1.5}"#,
            "`exp` must be a whole number of 64 bits, not 1.5",
        ),
        (
            r#"{"exp":-0}"#,
            "`exp` must be a whole number of 64 bits, not -0",
        ),
        (
            r#"{"exp":9223372036854775808}"#,
            "`exp` must be a whole number of 64 bits, not 9223372036854775808",
        ),
        (
            r#"{"nats":{"type":"user","pub":{"allow":["a",true]}}}"#,
            "`nats.pub.allow.1` must be a string, not a boolean",
        ),
        (
            r#"{"nats":{"type":"account","exports":[{"type":"Stream"}]}}"#,
            "`nats.exports.0.type` must be \"stream\" or \"service\", not \"Stream\"",
        ),
        (
            r#"{"nats":{"type":"account","mappings":{"a":[{"weight":256}]}}}"#,
            "`nats.mappings.a.0.weight` must be a whole number from 0 to 255, not 256",
        ),
        (
            r#"{"nats":{"type":"account","signing_keys":[{"key":"A","Kind":"user_scope"}]}}"#,
            "`nats.signing_keys.0.kind` must be \"user_scope\", not null",
        ),
        (
            r#"{"nats":{"type":"activation","kind":null}}"#,
            "`nats.kind` must be \"stream\" or \"service\", not null",
        ),
        (
            r#"{"nats":{"type":5}}"#,
            "`nats.type` must be a string, not 5",
        ),
        (
            r#"{"nats":{"type":"custom","VERSION":"2"}}"#,
            "`nats.version` must be a whole number of 64 bits, not \"2\"",
        ),
        (
            r#"{"nats":{"type":"account","signing_keys":[{"kind":"admin"}]}}"#,
            "`nats.signing_keys.0.kind` must be \"user_scope\", not \"admin\"",
        ),
    ] {
        assert_eq!(error(json), wanted);
    }
    let deep = "[".repeat(200_000);
    assert!(error(&deep).contains("recursion limit"));
}

#[test]
fn networks_are_a_list_or_one_text() {
    let networks = |src: &str| {
        let (claims, _) = read(&format!(r#"{{"nats":{{"type":"user","src":{src}}}}}"#));
        let AnyClaims::User(user) = claims else {
            panic!()
        };
        user.nats.permissions.user.src
    };
    assert_eq!(networks(r#"["A","A"]"#), ["A", "A"]);
    assert_eq!(
        networks(r#"" 10.0.0.0/8,,2001:DB8::/32,10.0.0.0/8 ""#),
        ["10.0.0.0/8", "2001:db8::/32"]
    );
}

#[test]
fn generic_claims_keep_what_they_hold() {
    let json = r#"{"sub":"x","nats":{"b":1e2,"a":{"z":1,"y":[null]},"b":9007199254740993}}"#;
    let (claims, notes) = read(json);
    assert!(notes.is_empty());
    assert_eq!(
        claims.to_json(),
        r#"{"sub":"x","nats":{"b":100,"a":{"z":1,"y":[null]},"b":9007199254740993}}"#
    );
    assert_eq!(
        claims.effective().to_json(),
        r#"{"sub":"x","nats":{"a":{"y":[null],"z":1},"b":9007199254740992}}"#
    );
    for empty in [
        r#"{"sub":"x","nats":null}"#,
        r#"{"sub":"x","nats":{}}"#,
        r#"{"sub":"x"}"#,
    ] {
        let (claims, _) = read(empty);
        assert_eq!(claims.to_json(), r#"{"sub":"x"}"#);
        let key = Seed::from_bytes(Kind::Operator, [1; 32]).public_key();
        let (buf, input) = claims.prepare(&key, 1).unwrap();
        let payload = BASE64URL_NOPAD
            .decode(&buf[jwt::HEADER.len() + 1..input])
            .unwrap();
        assert!(payload.ends_with(br#""nats":{"version":2}}"#));
    }
}

#[test]
fn a_servers_request_is_read() {
    let payload = r#"{"aud":"nats-authorization-request","iat":1,"iss":"ISS","sub":"A","nats":{
        "server_id":{"name":"n1","host":"127.0.0.1","id":"ISS","version":"2.15.0"},"user_nkey":"U","client_info":{"host":"::1","id":18446744073709551615,"kind":"Client","type":"nats"},
        "connect_opts":{"user":"u","pass":"p","protocol":1},"client_tls":{"version":"1.3","verified_chains":[["a","b"],[]]},"type":"authorization_request","version":2}}"#;
    let decoded = decode(&token(payload, Kind::Server, Algorithm::V2)).unwrap();
    assert!(decoded.notes.is_empty());
    assert_eq!(decoded.iss.kind(), Kind::Server);
    let AnyClaims::AuthorizationRequest(request) = decoded.claims else {
        panic!()
    };
    assert_eq!(request.nats.user_nkey.as_deref(), Some("U"));
    assert_eq!(request.nats.client_info.unwrap().id, u64::MAX);
    assert_eq!(request.nats.connect_opts.unwrap().pass, "p");
    assert_eq!(request.nats.client_tls.unwrap().verified_chains.len(), 2);
    let refused = decode(&token(payload, Kind::Account, Algorithm::V2)).unwrap_err();
    assert!(matches!(refused, DecodeError::Token(jwt::Error::Issuer(_))));
}

#[test]
fn version_1_is_read_as_version_2() {
    let decoded = |payload: &str, kind| decode(&token(payload, kind, Algorithm::V1)).unwrap();
    let user = decoded(
        r#"{"iss":"ISS","sub":"U","type":"user","issuer_account":"A","tags":["t"],"nats":{"pub":{"allow":["a"]},"data":5,"max":7,"type":"x","proxy_required":true}}"#,
        Kind::Account,
    );
    assert_eq!(user.version, Algorithm::V1);
    let shown = user.claims.effective().to_json();
    let nats = r#""nats":{"pub":{"allow":["a"]},"sub":{},"subs":-1,"data":5,"payload":-1,"issuer_account":"A","tags":["t"],"type":"user","version":1}}"#;
    assert!(shown.ends_with(nats), "{shown}");

    let activation = decoded(
        r#"{"iss":"ISS","sub":"A","type":"activation","nats":{"subject":"s","type":"service","kind":"stream","payload":-1}}"#,
        Kind::Account,
    );
    let AnyClaims::Activation(activation) = activation.claims else {
        panic!()
    };
    assert_eq!(activation.nats.kind, Some(ExportType::Service));

    let account = decoded(
        r#"{"iss":"ISS","sub":"A","type":"account","nats":{"limits":{"conn":1,"mem_storage":2},"mappings":{"a":[]},"identity":[]}}"#,
        Kind::Operator,
    );
    assert_eq!(account.notes.unknown.len(), 1);
    let shown = account.claims.to_json();
    assert!(
        shown.ends_with(r#""nats":{"limits":{"conn":1},"type":"account","version":1}}"#),
        "{shown}"
    );

    // The rule is the version's, whatever the header says; without a version there is none.
    let old = r#"{"iss":"ISS","sub":"U","type":"user","nats":{}}"#;
    let refused = decode(&token(old, Kind::Account, Algorithm::V2)).unwrap_err();
    assert_eq!(refused, DecodeError::Token(jwt::Error::Signature));
    let none = r#"{"iss":"ISS","sub":"U","nats":{"type":"user"}}"#;
    let refused = decode(&token(none, Kind::Account, Algorithm::V2)).unwrap_err();
    assert_eq!(refused, DecodeError::Token(jwt::Error::Version(0)));
    let new = none.replace(r#""type""#, r#""version":3,"type""#);
    let refused = decode(&token(&new, Kind::Account, Algorithm::V2)).unwrap_err();
    assert_eq!(refused, DecodeError::Token(jwt::Error::Version(3)));
}

#[test]
fn keys_that_are_long_do_not_make_paths_long() {
    let key = "k".repeat(100_000);
    let (_, notes) = read(&format!(r#"{{"nats":{{"type":"account","{key}":1}}}}"#));
    assert!(notes.unknown[0].0.len() < 100);
}

/// Members of each kind in as large a payload as there is: reading ends, and soon.
#[test]
fn the_largest_payloads_are_read_in_one_go() {
    let filled = |claim: &str, open: &str, item: &str, close: &str| {
        let count = (jwt::MAX_TOKEN * 3 / 4 - 200) / (item.len() + 1);
        let items = alloc::vec![item; count].join(",");
        (
            format!(r#"{{"nats":{{"type":"{claim}",{open}{items}{close}}}}}"#),
            count,
        )
    };
    let long = format!("\"{}\":1", "k".repeat(200));
    let deep = format!("\"x\":{}{}", "[".repeat(100), "]".repeat(100));
    for (claim, open, item, close) in [
        ("account", "", r#""x":1"#, ""),
        ("account", "", &long, ""),
        ("account", "", &deep, ""),
        ("account", r#""limits":{"#, r#""conn":1"#, "}"),
        ("account", r#""limits":{"#, r#""CONN":1"#, "}"),
        ("account", "", r#""a":0},"nats":{"tags":[]"#, ""),
        ("account", r#""revocations":{"#, r#""U":1"#, "}"),
        (
            "account",
            r#""mappings":{"#,
            r#""a.b":[{"subject":"c","weight":1,"more":{}}]"#,
            "}",
        ),
        (
            "account",
            r#""imports":["#,
            r#"{"name":"a","type":"service","x":{"y":[1]}}"#,
            "]",
        ),
        (
            "account",
            r#""exports":["#,
            r#"{"type":"stream","revocations":{"*":1}}"#,
            "]",
        ),
        (
            "account",
            r#""signing_keys":["#,
            r#"{"kind":"user_scope","template":{"sub":{}}}"#,
            "]",
        ),
        ("user", r#""src":""#, "x", r#"""#),
        ("user", r#""times":["#, "{}", "]"),
        (
            "authorization_request",
            r#""client_tls":{"verified_chains":["#,
            "[]",
            "]}",
        ),
        ("custom", r#""x":["#, "[[0]]", "]"),
        ("custom", "", r#""a":0},"nats":{"tags":[]"#, ""),
    ] {
        let (json, count) = filled(claim, open, item, close);
        assert!(count > 1000);
        let (claims, notes) = read(&json);
        let _ = notes.first();
        assert!(claims.effective().to_json().len() < 2 * json.len());
        crate::validate::validate(&claims, 1, &|_| false);
    }
}
