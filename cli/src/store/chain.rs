//! What validation finds in a store: in each token by itself, and in who signed whom.
//!
//! The rules are those by which nats-server trusts a token (`server/accounts.go`,
//! `processTrustedKeys`) and nsc's (`cmd/validate.go`).

use super::cycles::Accounts;
use super::defaults::scoped_permissions;
use super::limits::Limits;
use super::operator::Operator;
use super::report::Report;
use super::token::Entry;
use crate::error::Error;
use nkey_core::claims::owned::{self, Account, SigningKey, User};
use nkey_core::validate::Class;
use std::collections::{BTreeMap, BTreeSet};

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
    let mut report = Report::new(limits);
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
mod tests;
