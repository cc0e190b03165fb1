//! What validation finds in a store: in each token by itself, and in who signed whom.
//!
//! The rules are those by which nats-server trusts a token (`server/accounts.go`,
//! `processTrustedKeys`) and nsc's (`cmd/validate.go`).

use super::cycles::Accounts;
use super::defaults::scoped_permissions;
use super::limits::Limits;
use super::operator::Operator;
use super::token::{Entry, Typed};
use crate::error::Error;
use crate::input::time::is_zone;
use nkey_core::claims::owned::{self, Account, SigningKey, User};
use nkey_core::jwt::Algorithm;
use nkey_core::tolerant::{AnyClaims, Notes};
use nkey_core::validate::{self, Class};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How far clocks may be apart before a token counts as dated ahead, in seconds: the agent's own.
const IAT_TOLERANCE: i64 = 300;

/// Something that validation found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whose token: `operator X`, `account A`, `user A/U`, or a line of a file.
    pub entity: String,
    /// Its file.
    pub file: String,
    /// `blocking`, `time` or `warning`.
    pub class: &'static str,
    /// The member, as keys divided by dots; empty for the whole token.
    pub field: String,
    /// What is wrong.
    pub text: String,
}

/// Everything that was found.
#[derive(Default)]
pub struct Report {
    /// The findings in the order of the tokens.
    pub findings: Vec<Finding>,
    /// How many tokens were looked at.
    pub tokens: usize,
    entity: String,
    file: String,
    limits: Limits,
}

const fn class_name(class: Class) -> &'static str {
    match class {
        Class::Blocking => "blocking",
        Class::Time => "time",
        Class::Warning => "warning",
    }
}

impl Report {
    /// Whether a server would refuse something: then `validate` and `push` fail.
    pub fn is_blocking(&self) -> bool {
        self.blocking_count() != 0
    }

    /// How many findings a server would refuse something for.
    pub fn blocking_count(&self) -> usize {
        let warning = class_name(Class::Warning);
        self.findings
            .iter()
            .filter(|finding| finding.class != warning)
            .count()
    }

    /// What follows is about another token.
    pub fn begin(&mut self, entity: String, file: &Path) {
        self.entity = entity;
        self.file = file.display().to_string();
        self.tokens += 1;
    }

    /// Adds a finding about the current token.
    pub fn push(&mut self, class: Class, field: &str, text: impl ToString) {
        self.findings.push(Finding {
            entity: self.entity.clone(),
            file: self.file.clone(),
            class: class_name(class),
            field: field.to_owned(),
            text: text.to_string(),
        });
    }

    fn blocking(&mut self, field: &str, text: impl ToString) {
        self.push(Class::Blocking, field, text);
    }

    /// Adds what is to be said of claims by themselves.
    pub fn claims(&mut self, claims: &AnyClaims, notes: &Notes, version: Algorithm, now: i64) {
        if version == Algorithm::V1 {
            self.push(
                Class::Warning,
                "nats.version",
                "this is a token of version 1, which nothing issues any more",
            );
        }
        for (path, _) in &notes.unknown {
            self.push(
                Class::Warning,
                path,
                "no claim of this type has this member: servers pass over it",
            );
        }
        for path in &notes.spelled {
            self.push(
                Class::Warning,
                path,
                "this member is written in another letter case; servers read it all the same",
            );
        }
        for path in &notes.repeated {
            self.push(
                Class::Warning,
                path,
                "this member stands more than once; servers read the last",
            );
        }
        let ahead = claims.standard().iat.saturating_sub(now);
        if ahead > IAT_TOLERANCE {
            self.push(
                Class::Warning,
                "iat",
                format_args!("the token is dated {ahead} s ahead of this clock: it escapes revocations until then"),
            );
        }
        for finding in validate::validate(&claims.effective(), now, &is_zone) {
            self.push(finding.class, &finding.field, finding.text);
        }
    }

    /// Starts the token of `entry`, if it can be read, and adds what is to be said of it by itself.
    fn entry<N: Typed + Clone>(
        &mut self,
        entity: String,
        file: &Path,
        entry: Result<Entry<N>, Error>,
        now: i64,
    ) -> Option<Entry<N>> {
        self.begin(entity, file);
        match entry {
            Ok(entry) => {
                self.claims(
                    &N::into_any(entry.claims.clone()),
                    &entry.notes,
                    entry.version,
                    now,
                );
                let issuer = &entry.claims.standard.iss;
                if let Some(warning) = self.limits.warning(&entry.token, issuer) {
                    self.push(Class::Warning, "", warning);
                }
                let name = &entry.claims.standard.name;
                if *name != entry.name {
                    self.push(
                        Class::Warning,
                        "name",
                        format_args!("the file is named {}, the token {name}", entry.name),
                    );
                }
                Some(entry)
            }
            Err(error) => {
                self.blocking("", error);
                None
            }
        }
    }
}

/// Validates an operator, and of its accounts the named ones with their users. `limits` are those
/// of the keys' holders.
///
/// # Errors
/// If a folder cannot be read; what is wrong with a token is a finding.
pub fn check_store(
    operator: &Operator,
    accounts: &[String],
    limits: Limits,
    now: i64,
) -> Result<Report, Error> {
    let mut report = Report {
        limits,
        ..Report::default()
    };
    let name = operator.name();
    let path = operator.dir().join(format!("{name}.jwt"));
    let entry = report.entry(format!("operator {name}"), &path, operator.claims(), now);
    let Some(entry) = entry else {
        for account in accounts {
            let path = operator.account_jwt(account);
            report.entry(
                format!("account {account}"),
                &path,
                operator.account(account),
                now,
            );
            check_users_alone(operator, account, &mut report, now)?;
        }
        return Ok(report);
    };
    check_operator(operator, &entry, &mut report)?;
    let mut subjects: BTreeMap<String, String> = BTreeMap::new();
    let read: Vec<_> = accounts
        .iter()
        .map(|name| (name, operator.account(name)))
        .collect();
    // Circles of imports concern accounts that are not asked for as well.
    let asked: BTreeSet<&String> = accounts.iter().collect();
    let mut others = operator.accounts()?;
    others.retain(|name| !asked.contains(name));
    let others = others.iter().map(|name| operator.account(name));
    let mut all = Accounts::default();
    for entry in others.filter_map(Result::ok) {
        all.set(entry.sub(), entry.claims.nats.clone());
    }
    for entry in read.iter().filter_map(|(_, entry)| entry.as_ref().ok()) {
        all.set(entry.sub(), entry.claims.nats.clone());
    }
    for (account, entry_account) in read {
        let path = operator.account_jwt(account);
        let read = report.entry(format!("account {account}"), &path, entry_account, now);
        let Some(read) = read else {
            check_users_alone(operator, account, &mut report, now)?;
            continue;
        };
        check_account(
            operator.is_managed(),
            &entry.claims.nats,
            &entry.claims.standard.sub,
            &read,
            &mut report,
        );
        for index in all.circles(read.sub()) {
            report.blocking(
                &format!("nats.imports.{index}"),
                "the import is part of a circle, and servers pass over it",
            );
        }
        if let Some(other) = subjects.insert(read.sub().to_owned(), account.clone()) {
            report.blocking(
                "sub",
                format_args!("account {other} has the same public key"),
            );
        }
        let mut users: BTreeMap<String, String> = BTreeMap::new();
        for user in operator.users(account)? {
            let path = operator.user_jwt(account, &user);
            let entity = format!("user {account}/{user}");
            let Some(entry_user) = report.entry(entity, &path, operator.user(account, &user), now)
            else {
                continue;
            };
            check_user(
                entry.claims.nats.strict_signing_key_usage,
                &read,
                &entry_user,
                &mut report,
            );
            if let Some(other) = users.insert(entry_user.sub().to_owned(), user) {
                report.push(
                    Class::Warning,
                    "sub",
                    format_args!("user {other} has the same public key"),
                );
            }
        }
    }
    Ok(report)
}

/// What is to be said of the users of an account that cannot be read.
fn check_users_alone(
    operator: &Operator,
    account: &str,
    report: &mut Report,
    now: i64,
) -> Result<(), Error> {
    for user in operator.users(account)? {
        let path = operator.user_jwt(account, &user);
        let entity = format!("user {account}/{user}");
        report.entry(entity, &path, operator.user(account, &user), now);
    }
    Ok(())
}

fn check_operator(
    operator: &Operator,
    entry: &Entry<owned::Operator>,
    report: &mut Report,
) -> Result<(), Error> {
    let (standard, nats) = (&entry.claims.standard, &entry.claims.nats);
    if standard.iss != standard.sub && !nats.signing_keys.contains(&standard.iss) {
        report.blocking(
            "iss",
            format_args!(
                "{} is neither the operator nor one of its signing keys",
                standard.iss
            ),
        );
    }
    if standard.iss != standard.sub && nats.signing_keys.contains(&standard.iss) {
        report.push(
            Class::Warning,
            "iss",
            format_args!(
                "{} signed it, which no token but this one names as a signing key: make sure that it is the operator's",
                standard.iss
            ),
        );
    }
    if nats.strict_signing_key_usage && nats.signing_keys.is_empty() {
        report.push(
            Class::Warning,
            "nats.signing_keys",
            "the operator requires signing keys and has none: no account can be signed",
        );
    }
    if !nats.system_account.is_empty() {
        let names = operator.accounts()?;
        let known = |name: &String| {
            operator
                .account(name)
                .is_ok_and(|entry| entry.sub() == nats.system_account)
        };
        if !names.iter().any(known) {
            report.push(
                Class::Warning,
                "nats.system_account",
                format_args!("the account {} is not in the store", nats.system_account),
            );
        }
    }
    Ok(())
}

/// Whether a server of this operator trusts the issuer of an account; else why not.
pub fn account_issuer(
    operator: &owned::Operator,
    operator_sub: &str,
    iss: &str,
) -> Result<(), String> {
    if operator.signing_keys.iter().any(|key| key == iss) {
        Ok(())
    } else if iss != operator_sub {
        Err(format!(
            "{iss} is neither the operator nor one of its signing keys"
        ))
    } else if operator.strict_signing_key_usage {
        Err("the operator's own key signed it, and the operator requires a signing key".to_owned())
    } else {
        Ok(())
    }
}

fn check_account(
    managed: bool,
    operator: &owned::Operator,
    operator_sub: &str,
    entry: &Entry<Account>,
    report: &mut Report,
) {
    let (standard, nats) = (&entry.claims.standard, &entry.claims.nats);
    if let Err(reason) = account_issuer(operator, operator_sub, &standard.iss) {
        if managed && standard.iss == standard.sub {
            report.push(
                Class::Warning,
                "iss",
                "the account signed itself: send it to the operator to be signed",
            );
        } else {
            report.blocking("iss", reason);
        }
    }
    if standard.sub == operator.system_account && has_jetstream(nats) {
        report.blocking(
            "nats.limits",
            "the system account has JetStream, which servers refuse",
        );
    }
    if operator.strict_signing_key_usage && nats.signing_keys.is_empty() {
        report.push(
            Class::Warning,
            "nats.signing_keys",
            "the operator requires signing keys and the account has none: it can have no users",
        );
    }
}

/// Whether an account may store anything, by the limits that are not in tiers or by those of a tier.
pub fn has_jetstream(account: &Account) -> bool {
    account.limits.as_ref().is_some_and(|limits| {
        let flat = std::iter::once(&limits.jetstream);
        flat.chain(limits.tiered_limits.values())
            .any(|tier| tier.mem_storage != 0 || tier.disk_storage != 0)
    })
}

fn check_user(strict: bool, account: &Entry<Account>, user: &Entry<User>, report: &mut Report) {
    let (standard, nats) = (&user.claims.standard, &user.claims.nats);
    let signing_key = account
        .claims
        .nats
        .signing_keys
        .iter()
        .find(|key| key.key() == standard.iss);
    if !nats.issuer_account.is_empty() && nats.issuer_account != account.sub() {
        report.blocking(
            "nats.issuer_account",
            format_args!("{} is another account", nats.issuer_account),
        );
    } else if standard.iss == account.sub() {
        if strict {
            report.blocking(
                "iss",
                "the account's own key signed it, and the operator requires a signing key",
            );
        }
    } else if signing_key.is_none() {
        report.blocking(
            "iss",
            format_args!(
                "{} is neither the account nor one of its signing keys",
                standard.iss
            ),
        );
    } else if nats.issuer_account.is_empty() {
        report.blocking(
            "nats.issuer_account",
            "a signing key signed it, so it must name the account",
        );
    }
    if matches!(signing_key, Some(SigningKey::Scoped(_))) && has_own_permissions(nats) {
        report.blocking(
            "nats",
            "a scoped signing key signed it, so it must have no permissions and limits of its own",
        );
    }
    let limits = account.claims.nats.limits.as_ref();
    if nats.permissions.bearer_token && limits.is_some_and(|limits| limits.account.disallow_bearer)
    {
        report.blocking("nats.bearer_token", "the account forbids bearer users");
    }
    let revoked = super::signer::after_revocations(&account.claims.nats, user.sub());
    if revoked != 0 && standard.iat <= revoked {
        report.push(
            Class::Warning,
            "iat",
            format_args!("the account has revoked this token (until {revoked})"),
        );
    }
}

/// Whether a user has permissions or limits, which those of a scoped signing key must not
/// (`ValidateScopedSigner`).
pub fn has_own_permissions(user: &User) -> bool {
    let mut own = user.permissions.clone();
    own.permissions.publish.get_or_insert_default();
    own.permissions.subscribe.get_or_insert_default();
    own != scoped_permissions()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::lock::tests::Scratch;
    use crate::store::{defaults, file};
    use nkey_core::claims::owned::Claims;
    use nkey_core::jwt;
    use nkey_core::nkey::{KeyPair, Kind, Seed};
    use std::path::PathBuf;

    const NOW: i64 = 1_800_000_000;

    fn fixture() -> Operator {
        let stores = PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/fixtures/nsc-store/stores"
        ));
        Operator::load(&stores, "demoop").unwrap()
    }

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
}
