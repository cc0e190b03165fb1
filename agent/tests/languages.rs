//! The languages are disjoint through the socket: whatever is not a key's own is refused, by the
//! plain request with a failure, by `sign-v1` with status 1 and a reason.
#![cfg(feature = "daemon")]

mod common;

use common::{Running, key, now, pair, three_keys};
use data_encoding::BASE64URL_NOPAD;
use nkey_agent::client::{Client, Error};
use nkey_agent::message::{Status, number};
use nkey_agent::wire::{Reader, Writer};
use nkey_core::claims::owned::{Account, Claims, User};
use nkey_core::jwt::{self, HEADER};
use nkey_core::nkey::{KeyPair, Kind, PublicKey};

fn user_claims() -> Claims<User> {
    let mut claims = Claims::<User>::default();
    claims.standard.sub = key(Kind::User, 3).to_string();
    claims
}

/// The signing input of a user's token by an account's key.
fn input(issuer: &KeyPair, iat: i64) -> Vec<u8> {
    let mut buf = [0; 4096];
    let length = jwt::prepare(&user_claims(), &issuer.public_key(), iat, &mut buf).unwrap();
    buf[..length].to_vec()
}

/// The same input with its payload edited.
fn edited(input: &[u8], edit: impl FnOnce(String) -> String) -> Vec<u8> {
    let payload = BASE64URL_NOPAD.decode(&input[HEADER.len() + 1..]).unwrap();
    let payload = edit(String::from_utf8(payload).unwrap());
    format!("{HEADER}.{}", BASE64URL_NOPAD.encode(payload.as_bytes())).into_bytes()
}

/// The signature of a plain request, and what `sign-v1` says.
type Answers = (Option<Vec<u8>>, Result<(), (Status, String)>);

/// Both requests for a signature: that of type 13, and that of `sign-v1`.
fn both(agent: &Running, key: &PublicKey, data: &[u8]) -> Answers {
    let mut request = Writer::new();
    request
        .byte(number::SIGN_REQUEST)
        .key_blob(key)
        .string(data)
        .uint32(0);
    let answer = agent.raw().ask(request.as_bytes());
    let plain = match answer[..] {
        [number::FAILURE] => None,
        _ => {
            let mut reader = Reader::new(&answer);
            assert_eq!(reader.byte(), Ok(number::SIGN_RESPONSE));
            let mut blob = Reader::new(reader.string().unwrap());
            assert_eq!(blob.string(), Ok(&b"ssh-ed25519"[..]));
            Some(blob.string().unwrap().to_vec())
        }
    };
    let mut client: Client = agent.client();
    let explained = match client.sign(key, data) {
        Ok(_) => Ok(()),
        Err(Error::Refused { status, reason }) => Err((status, reason)),
        Err(error) => panic!("{error}"),
    };
    (plain, explained)
}

#[test]
fn each_key_signs_its_own_language() {
    let agent = Running::new(three_keys());
    let (account, user) = (key(Kind::Account, 2), key(Kind::User, 3));
    let mut claims = Claims::<Account>::default();
    claims.standard.sub = account.to_string();
    let operator = key(Kind::Operator, 1);
    let mut buf = [0; 4096];
    let length = jwt::prepare(&claims, &operator, now(), &mut buf).unwrap();
    let own: [(PublicKey, &[u8]); 3] = [
        (operator, &buf[..length]),
        (account, &input(&pair(Kind::Account, 2), now())),
        (user, b"abcdefghijklmno"),
    ];
    for (key, data) in own {
        let (plain, explained) = both(&agent, &key, data);
        let signature = plain.unwrap_or_else(|| panic!("{key} did not sign its own language"));
        let signature = nkey_core::Signature::from_bytes(signature.try_into().unwrap());
        assert!(key.verify(data, &signature));
        assert_eq!(explained, Ok(()));
    }
}

#[test]
fn nothing_else_is_signed_by_anybody() {
    let agent = Running::new(three_keys());
    let (operator, account, user) = (
        key(Kind::Operator, 1),
        key(Kind::Account, 2),
        key(Kind::User, 3),
    );
    let token = input(&pair(Kind::Account, 2), now());
    let sub = format!("\"sub\":\"{user}\"");
    let twice = |second: &str| {
        edited(&token, |text| {
            text.replace(&sub, &format!("{sub},\"{second}\":\"{user}\""))
        })
    };

    let mut login = Writer::new();
    login
        .string(&[7; 32])
        .byte(50)
        .string(b"root")
        .string(b"ssh-connection")
        .string(b"publickey");
    login.byte(1).string(b"ssh-ed25519").key_blob(&user);
    let mut sshsig = Writer::new();
    sshsig
        .raw(b"SSHSIG")
        .string(b"file")
        .string(b"")
        .string(b"sha512")
        .string(&[1; 64]);
    let mut possession = b"nkey-possession-v1\0".to_vec();
    possession.extend_from_slice(user.as_bytes());
    possession.extend_from_slice(&[5; 32]);
    let nonce: &[u8] = b"abcdefghijklmno";

    let everybody = [operator, account, user];
    let refused: Vec<(&str, Vec<PublicKey>, Vec<u8>)> = vec![
        ("a JWT with a user's key", vec![user], token.clone()),
        (
            "a nonce with an issuer's key",
            vec![operator, account],
            nonce.to_vec(),
        ),
        ("a JWT of another issuer", vec![operator], token.clone()),
        ("an ssh login", everybody.into(), login.as_bytes().to_vec()),
        ("an SSHSIG", everybody.into(), sshsig.as_bytes().to_vec()),
        ("a proof of possession", everybody.into(), possession),
        ("sub and Sub", everybody.into(), twice("Sub")),
        ("sub with a long s", everybody.into(), twice("\u{17f}ub")),
        ("sub twice", everybody.into(), twice("sub")),
        (
            "a payload with white space",
            everybody.into(),
            edited(&token, |text| text.replace(":{", ": {")),
        ),
        (
            "a payload with another jti",
            everybody.into(),
            edited(&token, |text| text.replace("\"iat\":1", "\"iat\":2")),
        ),
        (
            "an unknown key",
            everybody.into(),
            edited(&token, |text| {
                text.replace("\"nats\":{", "\"nats\":{\"x\":1,")
            }),
        ),
        ("14 characters", everybody.into(), nonce[1..].to_vec()),
        (
            "16 characters",
            everybody.into(),
            b"abcdefghijklmnop".to_vec(),
        ),
        (
            "15 characters with a plus",
            everybody.into(),
            b"abcdefg+ijklmno".to_vec(),
        ),
        ("nothing", everybody.into(), Vec::new()),
        (
            "a header alone",
            everybody.into(),
            HEADER.as_bytes().to_vec(),
        ),
        (
            "a header and a dot",
            everybody.into(),
            format!("{HEADER}.").into_bytes(),
        ),
        ("zeros", everybody.into(), vec![0; 600]),
    ];
    for (what, keys, data) in refused {
        for key in keys {
            let (plain, explained) = both(&agent, &key, &data);
            assert_eq!(plain, None, "{what} was signed by {key}");
            let (status, reason) = explained.expect_err(what);
            // Damaged base64 is malformed; whatever was read is refused.
            assert_eq!(status, Status::Refused, "{what}: {reason}");
            assert!(reason.len() > 10, "{what}: {reason}");
        }
    }
}

#[test]
fn a_token_out_of_time_is_refused_unless_the_key_may() {
    let agent = Running::new(three_keys());
    let mut claims = Claims::<Account>::default();
    claims.standard.sub = key(Kind::Account, 2).to_string();
    let operator = key(Kind::Operator, 1);
    for (offset, allowed) in [
        (-290, true),
        (290, true),
        (-320, false),
        (320, false),
        (1_000_000_000, false),
    ] {
        let mut buf = [0; 4096];
        let length = jwt::prepare(&claims, &operator, now() + offset, &mut buf).unwrap();
        let (plain, explained) = both(&agent, &operator, &buf[..length]);
        assert_eq!(
            (plain.is_some(), explained.is_ok()),
            (allowed, allowed),
            "{offset}"
        );
        if let Err((status, reason)) = explained {
            assert_eq!(status, Status::Refused);
            assert!(reason.contains("iat"), "{reason}");
        }
    }
    // The account's key is marked any-iat.
    let (plain, _) = both(
        &agent,
        &key(Kind::Account, 2),
        &input(&pair(Kind::Account, 2), 1_700_000_000),
    );
    assert!(plain.is_some());
}

#[test]
fn issue_names_what_it_does_not_take() {
    let agent = Running::new(three_keys());
    let mut client = agent.client();
    let (operator, account, user) = (
        key(Kind::Operator, 1),
        key(Kind::Account, 2),
        key(Kind::User, 3),
    );
    let mut reason = |key: &PublicKey, claims: &str, iat: i64, after: i64| match client
        .issue(key, claims, iat, after)
    {
        Err(Error::Refused { status, reason }) => (status, reason),
        other => panic!("{claims}: {other:?}"),
    };
    let user_claims = format!("{{\"sub\":\"{user}\"}}");
    for (claims, status, part) in [
        (
            format!("{{\"sub\":\"{user}\",\"Sub\":\"{user}\"}}"),
            Status::Malformed,
            "`Sub`",
        ),
        (
            format!("{{\"sub\":\"{user}\",\"sub\":\"{user}\"}}"),
            Status::Malformed,
            "`sub`",
        ),
        (
            format!("{{\"sub\":\"{user}\",\"nats\":{{\"pub\":{{\"allov\":[]}}}}}}"),
            Status::Malformed,
            "`nats.pub.allov`",
        ),
        (
            format!("{{\"sub\":\"{user}\",\"nats\":{{\"subs\":\"many\"}}}}"),
            Status::Malformed,
            "nats.subs",
        ),
        ("{".to_owned(), Status::Malformed, ""),
        ("[]".to_owned(), Status::Malformed, ""),
        (String::new(), Status::Malformed, ""),
        (
            format!("{{\"sub\":\"{operator}\",\"nats\":{{\"type\":\"user\"}}}}"),
            Status::Refused,
            "user",
        ),
    ] {
        let (found, why) = reason(&account, &claims, 1_700_000_000, 0);
        assert_eq!(found, status, "{claims}: {why}");
        assert!(why.contains(part), "{claims}: {why}");
    }
    for (iat, after) in [
        (-1, 0),
        (0, -1),
        (1_700_000_000, 1_700_000_000),
        (0, i64::MAX),
    ] {
        assert_eq!(
            reason(&account, &user_claims, iat, after).0,
            Status::Malformed,
            "{iat} {after}"
        );
    }
    let (status, why) = reason(&account, &user_claims, 0, now() + 100);
    assert_eq!(status, Status::Refused);
    assert!(why.contains("try again in"), "{why}");
    let (status, _) = reason(
        &operator,
        &format!("{{\"sub\":\"{operator}\"}}"),
        now() - 1000,
        0,
    );
    assert_eq!(status, Status::Refused);
    assert_eq!(
        reason(&key(Kind::Account, 77), &user_claims, 0, 0).0,
        Status::UnknownKey
    );
    assert_eq!(reason(&user, &user_claims, 0, 0).0, Status::Refused);
    // A path as long as the claims is cut, and its control characters do not reach a terminal.
    let long = format!(
        "{{\"sub\":\"{user}\",\"\\u001b[31m{}\":1}}",
        "x".repeat(100_000)
    );
    let (status, why) = reason(&account, &long, 0, 0);
    assert_eq!(status, Status::Malformed);
    assert!(why.len() < 2000 && !why.contains('\u{1b}'));
}

#[test]
fn issued_tokens_follow_an_earlier_one_and_sort_what_go_sorts() {
    let agent = Running::new(three_keys());
    let mut client = agent.client();
    let (operator, account) = (key(Kind::Operator, 1), key(Kind::Account, 2));
    let claims = format!(
        "{{\"nats\":{{\"exports\":[{{\"subject\":\"b\",\"type\":\"stream\"}},{{\"subject\":\"a\",\"type\":\"service\"}}]}},\"sub\":\"{account}\"}}"
    );
    let before = now();
    let token = client.issue(&operator, &claims, 0, before + 2).unwrap();
    let decoded = nkey_core::tolerant::decode(&token).unwrap();
    assert_eq!(decoded.iss, operator);
    assert!((before + 3..before + 60).contains(&decoded.claims.standard().iat));
    let json = decoded.claims.to_json();
    assert!(
        json.find("\"subject\":\"a\"") < json.find("\"subject\":\"b\""),
        "{json}"
    );
    // Plain signing takes what was issued: there is one gate.
    let (input, _) = token.rsplit_once('.').unwrap();
    assert!(both(&agent, &operator, input.as_bytes()).0.is_some());
}
