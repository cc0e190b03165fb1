//! Accounts.

use super::common::{info, is_key, permissions, subject};
use super::text::Quoted;
use super::{Class, Findings, export, import};
use crate::claims::owned::{
    Account, AccountLimits, ExternalAuthorization, JetStreamLimits, MsgTrace, NatsLimits,
    OperatorLimits, SigningKey, Standard, WeightedMapping,
};
use crate::nkey::Kind;
use crate::subject::Subject;
use crate::tolerant::shortened;
use alloc::collections::BTreeMap;
use alloc::format;

/// `AccountClaims.Validate`, in its order.
pub(super) fn account(standard: &Standard, account: &Account, found: &mut Findings<'_>) {
    let none = OperatorLimits::default();
    let limits = account.limits.as_ref().unwrap_or(&none);
    import::imports(&account.imports, &standard.sub, found);
    export::exports(&account.exports, found);
    tiers(limits, found);
    if let Some(default) = &account.default_permissions {
        permissions(default, "nats.default_permissions", found);
    }
    for (from, to) in &account.mappings {
        mapping(from, to, found);
    }
    if let Some(external) = &account.authorization {
        authorization(external, found);
    }
    if let Some(trace) = &account.trace {
        self::trace(trace, found);
    }
    counts(account, limits, found);
    for (index, key) in account.signing_keys.iter().enumerate() {
        let shown = Quoted(key.key());
        let at = match key {
            SigningKey::Plain(_) => format!("nats.signing_keys.{index}"),
            SigningKey::Scoped(_) => format!("nats.signing_keys.{index}.key"),
        };
        if !is_key(key.key(), Kind::Account) {
            found.error(
                &at,
                format_args!("signing key {shown} is not the public key of an account"),
            );
        }
    }
    info(&account.description, &account.info_url, "nats", found);
    if !matches!(account.cluster_traffic.as_str(), "" | "system" | "owner") {
        let traffic = Quoted(&account.cluster_traffic);
        found.error(
            "nats.cluster_traffic",
            format_args!("cluster traffic {traffic} is neither system nor owner"),
        );
    }
    if is_key(&standard.iss, Kind::Account) && !is_empty(limits) {
        found.push(
            Class::Warning,
            "nats.limits",
            format_args!(
                "an account that signs itself should not have limits: only its operator sets them"
            ),
        );
    }
}

/// `OperatorLimits.IsEmpty`.
fn is_empty(limits: &OperatorLimits) -> bool {
    limits.nats == NatsLimits::default()
        && limits.account == AccountLimits::default()
        && limits.jetstream == JetStreamLimits::default()
        && limits.tiered_limits.is_empty()
}

/// `OperatorLimits.Validate`.
fn tiers(limits: &OperatorLimits, found: &mut Findings<'_>) {
    const AT: &str = "nats.limits.tiered_limits";
    if !limits.tiered_limits.is_empty() && limits.jetstream != JetStreamLimits::default() {
        found.error(
            AT,
            format_args!(
                "there are JetStream limits with tiers and without: only one kind may be set"
            ),
        );
    }
    if limits.tiered_limits.contains_key("") {
        found.error(AT, format_args!("a tier has no name"));
    }
}

/// `Mapping.Validate`: weights add up to 100 at most, in each cluster and outside of all.
fn mapping(from: &str, to: &[WeightedMapping], found: &mut Findings<'_>) {
    let at = format!("nats.mappings.{}", shortened(from));
    let shown = Quoted(from);
    subject(from, &at, found);
    let mut clusters: BTreeMap<&str, u32> = BTreeMap::new();
    let mut outside = 0u32;
    for (index, one) in to.iter().enumerate() {
        let at = format!("{at}.{index}");
        subject(
            one.subject.as_deref().unwrap_or_default(),
            &format!("{at}.subject"),
            found,
        );
        let weight = if one.weight == 0 {
            100
        } else {
            u32::from(one.weight)
        };
        if weight > 100 {
            found.error(
                &format!("{at}.weight"),
                format_args!("mapping {shown} has a weight of {weight}, more than 100"),
            );
        }
        if one.cluster.is_empty() {
            outside = outside.saturating_add(weight);
            continue;
        }
        let total = clusters.entry(&one.cluster).or_default();
        *total = total.saturating_add(weight);
        if *total > 100 {
            let cluster = Quoted(&one.cluster);
            let text = format_args!(
                "the weights of mapping {shown} in cluster {cluster} add up to more than 100"
            );
            found.error(&format!("{at}.weight"), text);
        }
    }
    if outside > 100 {
        found.error(
            &at,
            format_args!("the weights of mapping {shown} add up to more than 100"),
        );
    }
}

/// `ExternalAuthorization.Validate`.
fn authorization(external: &ExternalAuthorization, found: &mut Findings<'_>) {
    const AT: &str = "nats.authorization";
    if !external.allowed_accounts.is_empty() && external.auth_users.is_empty() {
        found.error(
            AT,
            format_args!(
                "accounts are allowed, but there is no user that could place others in them"
            ),
        );
    }
    for (index, user) in external.auth_users.iter().enumerate() {
        if !is_key(user, Kind::User) {
            let at = &format!("{AT}.auth_users.{index}");
            found.error(
                at,
                format_args!("{} is not the public key of a user", Quoted(user)),
            );
        }
    }
    for (index, account) in external.allowed_accounts.iter().enumerate() {
        let at = &format!("{AT}.allowed_accounts.{index}");
        match account.as_str() {
            "*" if external.allowed_accounts.len() > 1 => {
                found.error(
                    at,
                    format_args!("* stands beside other accounts, but it must stand alone"),
                );
            }
            "*" => {}
            account if !is_key(account, Kind::Account) => {
                found.error(
                    at,
                    format_args!(
                        "allowed account {} is not the public key of an account",
                        Quoted(account)
                    ),
                );
            }
            _ => {}
        }
    }
    if !external.xkey.is_empty() && !is_key(&external.xkey, Kind::Curve) {
        let key = Quoted(&external.xkey);
        found.error(
            &format!("{AT}.xkey"),
            format_args!("{key} is not a public curve key"),
        );
    }
}

/// The part of `Account.Validate` on traces. A sampling of 0 is 100 and fine.
fn trace(trace: &MsgTrace, found: &mut Findings<'_>) {
    const AT: &str = "nats.trace.dest";
    let dest = Subject::new(&trace.dest);
    let shown = Quoted(&trace.dest);
    if let Some(fault) = dest.faults().next() {
        found.error(AT, format_args!("trace destination {shown} {fault}"));
    }
    if dest.has_wildcards() {
        found.error(
            AT,
            format_args!("trace destination {shown} has wildcards: nothing can be published there"),
        );
    }
    if !(0..=100).contains(&trace.sampling) {
        let sampling = trace.sampling;
        found.error(
            "nats.trace.sampling",
            format_args!("a trace sampling of {sampling} is not between 1 and 100"),
        );
    }
}

/// The part of `Account.Validate` on what the operator allows.
fn counts(account: &Account, limits: &OperatorLimits, found: &mut Findings<'_>) {
    let exceeds = |len: usize, limit: i64| i64::try_from(len).unwrap_or(i64::MAX) > limit;
    let AccountLimits {
        imports,
        exports,
        wildcards,
        ..
    } = limits.account;
    if exceeds(account.imports.len(), imports) {
        // nats-io/jwt asks twice, in two ways.
        let first = !is_empty(limits) && imports >= 0;
        for _ in 0..usize::from(first) + usize::from(imports != -1) {
            let len = account.imports.len();
            found.error(
                "nats.imports",
                format_args!("there are {len} imports, and the operator allows {imports}"),
            );
        }
    }
    if exports == -1 {
        return;
    }
    if exceeds(account.exports.len(), exports) {
        let len = account.exports.len();
        found.error(
            "nats.exports",
            format_args!("there are {len} exports, and the operator allows {exports}"),
        );
    }
    for (index, export) in account.exports.iter().enumerate() {
        if !wildcards && Subject::new(&export.subject).has_wildcards() {
            let at = &format!("nats.exports.{index}.subject");
            let shown = Quoted(&export.subject);
            found.error(
                at,
                format_args!("export {shown} has wildcards, which the operator does not allow"),
            );
        }
    }
}
