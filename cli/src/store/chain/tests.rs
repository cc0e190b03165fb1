use super::*;
use crate::store::lock::tests::Scratch;
use crate::store::operator::tests::fixture;
use crate::store::token::Typed;
use crate::store::{defaults, file};
use nkey_core::claims::owned::Claims;
use nkey_core::jwt;
use nkey_core::nkey::{KeyPair, Kind, Seed};

const NOW: i64 = 1_800_000_000;

#[test]
fn the_store_that_nsc_wrote_is_taken_by_servers() {
    let operator = fixture();
    let when = operator.claims().unwrap().claims.standard.iat + 60;
    let report = check_store(
        &operator,
        &operator.accounts().unwrap(),
        Limits::default(),
        when,
    )
    .unwrap();
    assert_eq!(report.tokens, 13);
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|finding| (&*finding.entity, finding.class, &*finding.field))
        .collect();
    let expected = [
        ("user demoIMP/revoked", "warning", "iat"),
        ("account demoTIER", "warning", "nats.signing_keys"),
    ];
    assert_eq!(found, expected);
    assert!(!report.is_blocking());
}

fn pair(kind: Kind, byte: u8) -> KeyPair {
    KeyPair::from_seed(&Seed::from_bytes(kind, [byte; 32])).unwrap()
}

fn token<N: Typed>(claims: &Claims<N>, signer: &KeyPair) -> String
where
    Claims<N>: Clone,
{
    let mut buf = vec![0; 8192];
    jwt::sign(&N::into_any(claims.clone()), signer, NOW, &mut buf)
        .unwrap()
        .to_owned()
}

/// A store with an operator, account A and user u, each changed and signed as a test wants.
struct Made {
    scratch: Scratch,
    operator: Claims<owned::Operator>,
    account: Claims<Account>,
    user: Claims<User>,
    signers: [KeyPair; 3],
}

impl Made {
    fn new() -> Made {
        let key = |kind, byte| pair(kind, byte).public_key();
        let mut operator = defaults::new_operator(&key(Kind::Operator, 1), "op");
        operator.nats.signing_keys = vec![key(Kind::Operator, 2).to_string()];
        operator.nats.strict_signing_key_usage = true;
        let mut account = defaults::new_account(&key(Kind::Account, 3), "A");
        account.nats.signing_keys = vec![SigningKey::Plain(key(Kind::Account, 4).to_string())];
        let mut user = defaults::new_user(&key(Kind::User, 5), "u", false);
        user.nats.issuer_account = key(Kind::Account, 3).to_string();
        Made {
            scratch: Scratch::new(),
            operator,
            account,
            user,
            signers: [
                pair(Kind::Operator, 1),
                pair(Kind::Operator, 2),
                pair(Kind::Account, 4),
            ],
        }
    }

    fn findings(self) -> Vec<(String, &'static str, String)> {
        let dir = self.scratch.join("op");
        file::make_dir(&dir.join("accounts/A/users")).unwrap();
        let write = |name: &str, text: String| std::fs::write(dir.join(name), text).unwrap();
        write(
            ".nsc",
            r#"{"managed":false,"name":"op","kind":"operator","version":"1"}"#.to_owned(),
        );
        write("op.jwt", token(&self.operator, &self.signers[0]));
        write("accounts/A/A.jwt", token(&self.account, &self.signers[1]));
        write(
            "accounts/A/users/u.jwt",
            token(&self.user, &self.signers[2]),
        );
        let operator = Operator::load(&self.scratch.path, "op").unwrap();
        let report = check_store(
            &operator,
            &operator.accounts().unwrap(),
            Limits::default(),
            NOW,
        )
        .unwrap();
        report
            .findings
            .into_iter()
            .map(|found| (found.entity, found.class, found.field))
            .collect()
    }
}

fn one(entity: &str, class: &'static str, field: &str) -> Vec<(String, &'static str, String)> {
    vec![(entity.to_owned(), class, field.to_owned())]
}

#[test]
fn who_may_sign_whom() {
    assert_eq!(Made::new().findings(), []);

    let mut made = Made::new();
    made.signers[0] = pair(Kind::Operator, 9);
    assert_eq!(made.findings(), one("operator op", "blocking", "iss"));

    let mut made = Made::new();
    made.signers[1] = pair(Kind::Operator, 1);
    assert_eq!(made.findings(), one("account A", "blocking", "iss"));

    let mut made = Made::new();
    made.signers[1] = pair(Kind::Operator, 1);
    made.operator.nats.strict_signing_key_usage = false;
    assert_eq!(made.findings(), []);

    let mut made = Made::new();
    made.signers[1] = pair(Kind::Operator, 9);
    assert_eq!(made.findings(), one("account A", "blocking", "iss"));

    let mut made = Made::new();
    made.signers[2] = pair(Kind::Account, 3);
    assert_eq!(made.findings(), one("user A/u", "blocking", "iss"));

    let mut made = Made::new();
    made.signers[2] = pair(Kind::Account, 9);
    assert_eq!(made.findings(), one("user A/u", "blocking", "iss"));

    let mut made = Made::new();
    made.user.nats.issuer_account.clear();
    assert_eq!(
        made.findings(),
        one("user A/u", "blocking", "nats.issuer_account")
    );

    let mut made = Made::new();
    made.user.nats.issuer_account = pair(Kind::Account, 9).public_key().to_string();
    assert_eq!(
        made.findings(),
        one("user A/u", "blocking", "nats.issuer_account")
    );
}

#[test]
fn what_a_token_may_say_where_it_stands() {
    let mut made = Made::new();
    made.account
        .nats
        .limits
        .get_or_insert_default()
        .account
        .disallow_bearer = true;
    made.user.nats.permissions.bearer_token = true;
    assert_eq!(
        made.findings(),
        one("user A/u", "blocking", "nats.bearer_token")
    );

    let mut made = Made::new();
    let scope = owned::UserScope {
        kind: Some(Default::default()),
        key: Some(pair(Kind::Account, 4).public_key().to_string()),
        template: Some(owned::Template::default()),
        ..Default::default()
    };
    made.account.nats.signing_keys = vec![SigningKey::Scoped(scope)];
    assert_eq!(made.findings(), one("user A/u", "blocking", "nats"));

    let mut made = Made::new();
    made.user.standard.exp = NOW - 1;
    assert_eq!(made.findings(), one("user A/u", "time", "exp"));

    let mut made = Made::new();
    made.operator.nats.system_account = made.account.standard.sub.clone();
    made.account
        .nats
        .limits
        .get_or_insert_default()
        .jetstream
        .disk_storage = -1;
    assert_eq!(made.findings(), one("account A", "blocking", "nats.limits"));

    let mut made = Made::new();
    made.user.standard.name = "other".to_owned();
    assert_eq!(made.findings(), one("user A/u", "warning", "name"));
}

#[test]
fn a_damaged_token_is_a_finding_that_names_its_file() {
    let made = Made::new();
    let scratch = made.scratch.path.clone();
    let dir = scratch.join("op/accounts/B");
    file::make_dir(&dir).unwrap();
    std::fs::write(dir.join("B.jwt"), "a.b.c").unwrap();
    let found = made.findings();
    assert_eq!(found, one("account B", "blocking", ""));
}
