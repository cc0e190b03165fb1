//! Our own model of what a server of an operator allows, over the claims alone.

use crate::rights::Rights;
use nkey_core::claims::owned::{
    Account, Claims, Operator, SigningKey, User, UserLimits, UserPermissionLimits,
};
use nkey_core::revocation::is_claim_revoked;
use nkey_core::template;
use nkey_core::tolerant::AnyClaims;
use nkey_core::validate::{Class, validate};
use std::net::IpAddr;

/// The zones of the generated times, all without summer time, and their seconds east of Greenwich.
pub const ZONES: [(&str, i64); 4] = [
    ("UTC", 0),
    ("Asia/Tokyo", 32_400),
    ("Asia/Kolkata", 19_800),
    ("America/Phoenix", -25_200),
];

/// How a client shows that it holds the user's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// By a signature of the nonce.
    Signed,
    /// By a signature of another nonce.
    Wrong,
    /// Not at all.
    Unsigned,
}

/// Why a server refuses something.
pub type Refusal = &'static str;

fn zone(name: &str) -> Option<i64> {
    ZONES.iter().find(|zone| zone.0 == name).map(|zone| zone.1)
}

fn finds(claims: AnyClaims, now: i64, class: Class) -> bool {
    let findings = validate(&claims, now, &|name| zone(name).is_some());
    findings.iter().any(|finding| finding.class == class)
}

/// Whether a full resolver takes an account.
pub fn push(
    operator: &Claims<Operator>,
    account: &Claims<Account>,
    now: i64,
) -> Result<(), Refusal> {
    let strict = operator.nats.strict_signing_key_usage;
    if strict && account.standard.iss == operator.standard.sub {
        Err("the operator's own key signed it")
    } else if finds(AnyClaims::Account(account.clone()), now, Class::Blocking) {
        Err("validation")
    } else {
        Ok(())
    }
}

/// What a user may do who connects over TCP from this machine, or why not at all.
pub fn connect(
    operator: &Claims<Operator>,
    account: &Claims<Account>,
    user: &Claims<User>,
    login: Login,
    now: i64,
) -> Result<Rights, Refusal> {
    let refuse = |when: bool, why: Refusal| if when { Err(why) } else { Ok(()) };
    let strict = operator.nats.strict_signing_key_usage;
    let iss = &account.standard.iss;
    let trusted =
        operator.nats.signing_keys.contains(iss) || (!strict && *iss == operator.standard.sub);
    refuse(!trusted, "the operator does not list the account's issuer")?;
    let claims = || AnyClaims::Account(account.clone());
    refuse(finds(claims(), now, Class::Blocking), "account validation")?;
    refuse(finds(claims(), now, Class::Time), "the account's time")?;

    let claims = || AnyClaims::User(user.clone());
    refuse(user.nats.permissions.proxy_required, "no proxy")?;
    refuse(finds(claims(), now, Class::Blocking), "user validation")?;
    refuse(finds(claims(), now, Class::Time), "the user's time")?;
    let issuer = match user.nats.issuer_account.as_str() {
        "" => &user.standard.iss,
        account => account,
    };
    refuse(*issuer != account.standard.sub, "another account")?;

    let own = issues(account, strict, user)?;
    let revocations = &account.nats.revocations;
    let revoked = is_claim_revoked(revocations, &user.standard.as_borrowed());
    refuse(revoked, "revoked")?;
    // A template's too, since nats-server 2.15.1.
    refuse(own.proxy_required, "no proxy")?;
    let limits = account.nats.limits.clone().unwrap_or_default();
    refuse(own.bearer_token && limits.account.disallow_bearer, "bearer")?;
    refuse(!own.bearer_token && login != Login::Signed, "signature")?;
    let kinds = &own.allowed_connection_types;
    let standard = kinds
        .iter()
        .any(|kind| kind.eq_ignore_ascii_case("STANDARD"));
    refuse(!kinds.is_empty() && !standard, "connection type")?;
    let here = IpAddr::from([127, 0, 0, 1]);
    let near = own.user.src.iter().any(|network| contains(network, here));
    refuse(!own.user.src.is_empty() && !near, "source network")?;
    refuse(!is_time(&own.user, now), "time of day")?;

    let given = Rights::of(&own.permissions);
    let mut rights = given.unwrap_or_else(|| default_rights(account));
    let least = |one: i64, other: i64| [one, other].into_iter().filter(|limit| *limit != -1).min();
    rights.payload = least(own.limits.payload, limits.nats.payload);
    rights.subs = least(own.limits.subs, limits.nats.subs);
    Ok(rights)
}

/// What a user without permissions of its own may do.
pub fn default_rights(account: &Claims<Account>) -> Rights {
    let default = account.nats.default_permissions.as_ref();
    let rights = default.and_then(Rights::of).unwrap_or_default();
    Rights {
        by_default: true,
        ..rights
    }
}

/// The permissions and limits that hold for a user: its own, or its signing key's template.
fn issues(
    account: &Claims<Account>,
    strict: bool,
    user: &Claims<User>,
) -> Result<UserPermissionLimits, Refusal> {
    let own = &user.nats.permissions;
    let mut keys = account.nats.signing_keys.iter();
    match keys.find(|key| key.key() == user.standard.iss) {
        Some(SigningKey::Plain(_)) => Ok(own.clone()),
        Some(SigningKey::Scoped(scope)) => {
            template::apply(scope, user, account).map_err(|error| match error {
                template::Error::Permissions => "own permissions under a scope",
                _ => "template",
            })
        }
        None if !strict && user.standard.iss == account.standard.sub => Ok(own.clone()),
        None => Err("the account does not list the user's issuer"),
    }
}

/// Whether a network in CIDR form holds an address.
fn contains(network: &str, address: IpAddr) -> bool {
    let Some((base, length)) = network.split_once('/') else {
        return false;
    };
    // A mask of `length` bits from the top, for both kinds.
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, false),
        IpAddr::V6(address) => (address.to_bits(), true),
    };
    let (Ok(base), Ok(length)) = (base.parse(), length.parse::<u32>()) else {
        return false;
    };
    let ((base, base_is_6), (address, is_6)) = (bits(base), bits(address));
    let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
    base_is_6 == is_6 && (base ^ address) & mask == 0
}

/// Whether a user may connect at this time of day (`validateTimes`).
fn is_time(limits: &UserLimits, now: i64) -> bool {
    let Some(offset) = zone(match limits.times_location.as_str() {
        "" => "UTC",
        name => name,
    }) else {
        return false;
    };
    let now = (now + offset).rem_euclid(86_400);
    let second = |text: &str| -> i64 {
        text.split(':')
            .fold(0, |sum, part| sum * 60 + part.parse::<i64>().unwrap_or(0))
    };
    let within = |start: i64, end: i64| {
        (start < now && now < end) || (start > end && (now < end || start < now))
    };
    let times = &limits.times;
    times.is_empty()
        || times
            .iter()
            .any(|range| within(second(&range.start), second(&range.end)))
}
