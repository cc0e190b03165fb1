use super::*;
use crate::tolerant::read_claims;
use alloc::format;
use alloc::string::ToString;

const A: &str = "ACATS5YOVB6ROX2WUNKGNQ2MP3GMXDMKSG2O4N5CLX3A6W4PZGZZIL2R";
const O: &str = "OCFIRY65OQE7DFP5KLNS2PF2LVZMUZYJX4OZIEQ36N2IQANUB5XVYOCS";
const U: &str = "UDWUSKGGFDI4FRXK5EBTRECZSVQSSWJHHJOGH6JWG3AUMFFMQ435C2U4";
const NOW: i64 = 1000;

fn findings(json: &str) -> Vec<(Class, String)> {
    let (claims, _) = read_claims(json.as_bytes()).unwrap();
    let zones = |zone: &str| zone == "Europe/Zurich";
    validate(&claims, NOW, &zones)
        .into_iter()
        .map(|finding| (finding.class, finding.to_string()))
        .collect()
}

/// The one finding in `nats` of a claim of this type.
fn only(claim: &str, members: &str) -> String {
    let json = format!(r#"{{"nats":{{{members},"type":"{claim}"}}}}"#);
    let mut found = findings(&json);
    assert_eq!(found.len(), 1, "{found:#?}");
    let (class, text) = found.remove(0);
    assert_eq!(class, Class::Blocking, "{text}");
    text
}

#[test]
fn each_rule_names_the_member() {
    for (claim, members, wanted) in [
        (
            "operator",
            r#""signing_keys":["x"]"#,
            "nats.signing_keys.0: \"x\" is not the public key of an operator",
        ),
        (
            "operator",
            r#""system_account":"x""#,
            "nats.system_account: \"x\" is not the public key of an account",
        ),
        (
            "operator",
            r#""assert_server_version":"2.10""#,
            "nats.assert_server_version: server version \"2.10\" is not three numbers divided by dots",
        ),
        (
            "operator",
            r#""account_server_url":"h/jwt""#,
            "nats.account_server_url: account server \"h/jwt\" has no scheme such as nats://",
        ),
        (
            "operator",
            r#""operator_service_urls":["nats://u@h"]"#,
            "nats.operator_service_urls.0: service \"nats://u@h\" has a user, which may not stand there",
        ),
        (
            "operator",
            r#""operator_service_urls":["http://h"]"#,
            "nats.operator_service_urls.0: service \"http://h\" does not begin with nats://, tls://, ws:// or wss://",
        ),
        (
            "operator",
            r#""operator_service_urls":["nats://h/a"]"#,
            "nats.operator_service_urls.0: service \"nats://h/a\" has a path, which may not stand there",
        ),
        (
            "account",
            r#""signing_keys":[{"kind":"user_scope","key":"x"}]"#,
            "nats.signing_keys.0.key: signing key \"x\" is not the public key of an account",
        ),
        (
            "account",
            r#""cluster_traffic":"all""#,
            "nats.cluster_traffic: cluster traffic \"all\" is neither system nor owner",
        ),
        (
            "account",
            r#""mappings":{"a":[{"subject":"b","weight":60},{"subject":"c","weight":60}]}"#,
            "nats.mappings.a: the weights of mapping \"a\" add up to more than 100",
        ),
        (
            "account",
            r#""authorization":{"allowed_accounts":["*"]}"#,
            "nats.authorization: accounts are allowed, but there is no user that could place others in them",
        ),
        (
            "account",
            r#""trace":{"dest":"a.*"}"#,
            "nats.trace.dest: trace destination \"a.*\" has wildcards: nothing can be published there",
        ),
        (
            "account",
            r#""trace":{"dest":"a","sampling":101}"#,
            "nats.trace.sampling: a trace sampling of 101 is not between 1 and 100",
        ),
        (
            "account",
            r#""info_url":"h""#,
            "nats.info_url: \"h\" is not a URL with a scheme and a host",
        ),
        (
            "account",
            r#""limits":{"tiered_limits":{"":{}}}"#,
            "nats.limits.tiered_limits: a tier has no name",
        ),
        (
            "account",
            r#""limits":{"exports":-1},"exports":[{"subject":"a b","type":"stream"}]"#,
            "nats.exports.0.subject: subject \"a b\" has a space",
        ),
        (
            "account",
            r#""limits":{"exports":-1},"exports":[{"subject":"a.*","type":"service","account_token_position":1}]"#,
            "nats.exports.0.account_token_position: account token position 1 is \"a\" in \"a.*\", and must be *",
        ),
        (
            "account",
            r#""limits":{"exports":-1},"exports":[{"subject":"a.*","type":"stream"},{"subject":"a.b","type":"stream"}]"#,
            "nats.exports.0.subject: stream export \"a.*\" already exports \"a.b\"",
        ),
        (
            "account",
            r#""limits":{"exports":0},"exports":[{"subject":"a","type":"stream"}]"#,
            "nats.exports: there are 1 exports, and the operator allows 0",
        ),
        (
            "account",
            r#""limits":{"imports":-1},"imports":[{"subject":"a","account":"A","type":"stream","share":true}]"#,
            "nats.imports.0.share: latency of \"a\" is shared, but only that of services can be",
        ),
        (
            "account",
            r#""limits":{"imports":-1},"imports":[{"subject":"a.*","account":"A","type":"stream","local_subject":"b"}]"#,
            "nats.imports.0.local_subject: local subject \"b\" has 0 wildcards and references for the 1 wildcards of the exporter's",
        ),
        (
            "account",
            r#""limits":{"imports":-1},"imports":[{"subject":"a","account":"A","type":"stream","token":"x"}]"#,
            "nats.imports.0.token: the activation token of \"a\" is not one: a token has three parts divided by dots, this has 1",
        ),
        (
            "user",
            r#""pub":{"allow":["a q"]}"#,
            "nats.pub.allow.0: \"a q\" has a queue, which only subscribe permissions have",
        ),
        (
            "user",
            r#""sub":{"deny":["a b c"]}"#,
            "nats.sub.deny.0: \"a b c\" has more than one space",
        ),
        (
            "user",
            r#""src":["10.0.0.0"]"#,
            "nats.src.0: \"10.0.0.0\" is not a network such as 192.0.2.0/24",
        ),
        (
            "user",
            r#""times":[{"start":"25:00:00","end":"01:00:00"}]"#,
            "nats.times.0.start: the start of a time range, \"25:00:00\", is not a time such as 15:04:05",
        ),
        (
            "user",
            r#""times_location":"Zurich""#,
            "nats.times_location: \"Zurich\" is not a time zone such as Europe/Zurich",
        ),
        (
            "user",
            r#""issuer_account":"x""#,
            "nats.issuer_account: issuer account \"x\" is not the public key of an account",
        ),
        (
            "activation",
            r#""subject":"a""#,
            "nats.kind: the activation is neither for a stream nor for a service",
        ),
        (
            "authorization_request",
            r#""user_nkey":"x""#,
            "nats.user_nkey: user key \"x\" is not the public key of a user",
        ),
    ] {
        assert_eq!(only(claim, members), wanted);
    }
    for good in [
        r#""operator_service_urls":["nats://h:4222","wss://h"],"type":"operator""#.to_string(),
        format!(r#""system_account":"{A}","type":"operator""#),
        format!(r#""signing_keys":["{A}"],"authorization":{{"auth_users":["{U}"],"allowed_accounts":["*"]}},"type":"account""#),
        r#""times_location":"Europe/Zurich","times":[{"start":"1:00:00","end":"2:00:00"}],"sub":{"allow":["a q"]},"type":"user""#.to_string(),
        r#""anything":1,"type":"custom""#.to_string(),
    ] {
        assert_eq!(findings(&format!(r#"{{"nats":{{{good}}}}}"#)), [], "{good}");
    }
}

#[test]
fn times_are_a_class_of_their_own_and_a_second_counts() {
    let times = |exp: i64, nbf: i64| {
        findings(&format!(
            r#"{{"exp":{exp},"nbf":{nbf},"nats":{{"type":"user"}}}}"#
        ))
    };
    assert_eq!(times(0, 0), []);
    assert_eq!(times(NOW, NOW), []);
    assert_eq!(times(-1, -1), []);
    assert_eq!(
        times(NOW - 1, NOW + 1),
        [
            (Class::Time, "exp: the claim expired 1 seconds ago".into()),
            (Class::Time, "nbf: the claim is valid in 1 seconds".into())
        ]
    );
    assert_eq!(times(1, i64::MAX).len(), 2);
}

#[test]
fn an_account_that_signs_itself_is_warned_of_limits() {
    let account = |iss: &str, limits: &str| {
        findings(&format!(
            r#"{{"iss":"{iss}","nats":{{"limits":{limits},"type":"account"}}}}"#
        ))
    };
    assert_eq!(account(O, r#"{"conn":1}"#), []);
    assert_eq!(account(A, "{}"), []);
    let found = account(A, r#"{"conn":1}"#);
    assert!(matches!(&found[..], [(Class::Warning, text)] if text.starts_with("nats.limits: ")));
    let to = r#"{"nats":{"limits":{"imports":-1},"imports":[{"subject":"a","account":"A","type":"service","to":"b"}],"type":"account"}}"#;
    let found = findings(to);
    assert!(
        matches!(&found[..], [(Class::Warning, text)] if text.starts_with("nats.imports.0.to: "))
    );
}

#[test]
fn go_asks_twice_whether_there_are_too_many_imports() {
    let found = findings(
        r#"{"nats":{"limits":{"imports":1},"imports":[{"subject":"a","account":"A","type":"stream"},{"subject":"b","account":"A","type":"stream"}],"type":"account"}}"#,
    );
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], found[1]);
}

/// Ten thousand of each, alike or with wildcards: bounded in findings, time and memory.
#[test]
fn there_is_an_end_to_what_overlaps() {
    let many = |member: &str, subject: &dyn Fn(usize) -> String| {
        let list: Vec<_> = (0..10_000)
            .map(|index| {
                let subject = subject(index);
                format!(r#"{{"subject":"{subject}","account":"{A}","type":"service"}}"#)
            })
            .collect();
        findings(&format!(
            r#"{{"nats":{{"{member}":[{}],"limits":{{"imports":-1,"exports":-1,"wildcards":true}},"type":"account"}}}}"#,
            list.join(",")
        ))
    };
    for member in ["imports", "exports"] {
        assert_eq!(many(member, &|index| format!("a.{index}.>")), []);
        let same = many(member, &|_| "a.>".into()).len();
        assert_eq!(same, if member == "imports" { MAX_FINDINGS } else { 1 });
        let alike = many(member, &|index| {
            format!("{}>", "*.".repeat(1 + index % 100))
        });
        assert!(alike.len() > 90);
        // Each of one half looks at all of the other, and contains none.
        let crossed = many(member, &|index| match index % 2 {
            0 => format!("*.{index}.a"),
            _ => format!("{index}.*.b"),
        });
        let [(Class::Blocking, text)] = &crossed[..] else {
            panic!("{crossed:?}")
        };
        assert!(text.contains("too many service"), "{text}");
    }
    let deep = ".a".repeat(300_000);
    assert_eq!(
        many("exports", &|index| format!(
            "{index}{}",
            if index == 0 { &deep } else { "" }
        )),
        []
    );
}

#[test]
fn values_are_shown_short_and_clean() {
    let text = only("user", r#""issuer_account":"\u001b[31m\n\"""#);
    assert!(
        text.contains(r#"issuer account "\u{1b}[31m\n\"" is"#),
        "{text}"
    );
    let long = "x".repeat(10_000);
    assert!(only("user", &format!(r#""issuer_account":"{long}""#)).len() < 300);
}
