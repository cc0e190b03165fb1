//! The seed example, byte for byte and without alloc (tests/fixtures/seed-example.txt).

use super::*;
use crate::canonical;
use crate::claims::*;
use crate::json::{Full, Write, Writer};
use crate::nkey::{KeyPair, Seed};
use core::str::FromStr;

const EXAMPLE: &str = include_str!("../../../tests/fixtures/seed-example.txt");
const IAT: i64 = 1678973945;

/// What follows `label` in the example, up to `end`.
fn printed(label: &str, end: &str) -> &'static str {
    let output = &EXAMPLE[EXAMPLE.find("\nOutput\n").expect("output")..];
    let start = output.find(label).expect(label) + label.len();
    let rest = &output[start..];
    &rest[..rest.find(end).expect(end)]
}

fn pair(label: &str) -> KeyPair {
    KeyPair::from_seed(&Seed::from_str(printed(label, "\n")).unwrap()).unwrap()
}

fn account() -> Claims<'static, Account<'static>> {
    Claims {
        standard: Standard {
            name: "my-account",
            sub: printed("account pubkey: ", "\n"),
            ..Standard::default()
        },
        nats: Account {
            limits: Some(OperatorLimits {
                nats: NatsLimits {
                    subs: -1,
                    data: -1,
                    payload: -1,
                },
                account: AccountLimits {
                    imports: -1,
                    exports: -1,
                    wildcards: true,
                    conn: -1,
                    leaf: -1,
                    ..AccountLimits::default()
                },
                jetstream: JetStreamLimits {
                    mem_storage: -1,
                    disk_storage: -1,
                    ..JetStreamLimits::default()
                },
                ..OperatorLimits::default()
            }),
            default_permissions: Some(Permissions {
                publish: Some(Permission::default()),
                subscribe: Some(Permission::default()),
                resp: None,
            }),
            ..Account::default()
        },
        generic: GenericFields::default(),
    }
}

fn user() -> Claims<'static, User<'static>> {
    let allow = |allow| Some(Permission { allow, deny: &[] });
    Claims {
        standard: Standard {
            name: "my-user",
            sub: printed("user pubkey: ", "\n"),
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
        generic: GenericFields::default(),
    }
}

fn indented(claims: &impl Write) -> ([u8; 1024], usize) {
    let mut buf = [0u8; 1024];
    let mut writer = Writer::indented(&mut buf);
    claims.write(&mut writer);
    let len = writer.finish().unwrap().len();
    (buf, len)
}

#[test]
fn the_claims_print_as_in_the_example() {
    let (buf, len) = indented(&account());
    let wanted = printed("\naccount claims: ", "\naccount jwt: ");
    assert_eq!(core::str::from_utf8(&buf[..len]).unwrap(), wanted);
    let (buf, len) = indented(&user());
    let wanted = printed("\nuserclaims: ", "\nuser jwt: ");
    assert_eq!(core::str::from_utf8(&buf[..len]).unwrap(), wanted);
}

#[test]
fn the_tokens_equal_the_example() {
    let mut buf = [0u8; 1024];
    let token = sign_checked(&account(), &pair("operator seed: "), IAT, &mut buf).unwrap();
    assert_eq!(token, printed("account jwt: ", "\n"));
    let token = sign(&user(), &pair("account seed: "), IAT, &mut buf).unwrap();
    assert_eq!(token, printed("user jwt: ", "\n"));
}

#[test]
fn the_creds_equal_the_example() {
    let token = printed("user jwt: ", "\n");
    let seed = Seed::from_str(printed("user seed: ", "\n")).unwrap();
    let mut buf = [0u8; 2048];
    let text = crate::creds::write(token, &seed, &mut buf).unwrap();
    assert_eq!(text, printed("creds file: ", "\nRecording"));
    let creds = crate::creds::parse(text).unwrap();
    assert_eq!(creds.token, token);
    assert_eq!(creds.seed.as_bytes(), seed.as_bytes());
}

#[test]
fn the_tokens_verify() {
    let mut scratch = [0u8; 1024];
    for (label, issuer, claim_type) in [
        ("account jwt: ", "operator pubkey: ", ClaimType::Account),
        ("user jwt: ", "account pubkey: ", ClaimType::User),
    ] {
        let token = printed(label, "\n");
        let verified = verify(token, &mut scratch).unwrap();
        assert_eq!(verified.iss.encode().as_str(), printed(issuer, "\n"));
        assert_eq!(verified.claim_type, claim_type);
        let reading = canonical::read(verified.payload, &mut ()).unwrap();
        assert_eq!((reading.iat, reading.claim_type), (IAT, claim_type));
    }
}

#[test]
fn a_buffer_too_small_says_what_is_needed_at_every_length() {
    let pair = pair("operator seed: ");
    let needed = printed("account jwt: ", "\n").len();
    let mut buf = [0u8; 1024];
    for len in 0..needed {
        let result = sign(&account(), &pair, IAT, &mut buf[..len]);
        assert_eq!(result, Err(Error::Full(Full { needed })), "{len}");
    }
    assert!(sign(&account(), &pair, IAT, &mut buf[..needed]).is_ok());
}

#[test]
fn the_wrong_kind_of_key_does_not_sign() {
    let mut buf = [0u8; 1024];
    let refused = sign(&account(), &pair("user seed: "), IAT, &mut buf).unwrap_err();
    assert!(matches!(refused, Error::Refused(refusal)
        if matches!(refusal.why, canonical::Why::Issuer { .. })));
}

#[test]
fn a_damaged_token_is_refused_with_the_part_named() {
    let token = printed("user jwt: ", "\n");
    let mut scratch = [0u8; 1024];
    let mut copy = [0u8; 1024];
    let mut damaged = |at: usize, byte: u8| {
        let copy = &mut copy[..token.len()];
        copy.copy_from_slice(token.as_bytes());
        copy[at] = byte;
        verify(core::str::from_utf8(copy).unwrap(), &mut scratch)
            .map(|_| ())
            .unwrap_err()
    };
    assert_eq!(damaged(46, b'A'), Error::Parts(2));
    assert_eq!(damaged(0, b'!'), Error::Base64("header"));
    assert_eq!(damaged(60, b'!'), Error::Base64("payload"));
    assert_eq!(damaged(token.len() - 2, b'!'), Error::Base64("signature"));
    assert_eq!(damaged(token.len() - 40, b'A'), Error::Signature);
    let verified = verify(token, &mut [0u8; 10]).unwrap_err();
    assert!(matches!(verified, Error::Full(_)));
}
