//! What a scoped signing key's template gives a user, expanded as nats-server does when one connects.
//!
//! An entry of the permissions may hold `{{name()}}`, `{{subject()}}`, `{{account-name()}}`,
//! `{{account-subject()}}`, `{{tag(x)}}` and `{{account-tag(x)}}`. A tag `x:value` gives its value;
//! with several values there is an entry for each combination. An allowed entry that comes out
//! as no subject is dropped, a denied one refuses the user; if all that was allowed is dropped,
//! everything is denied. Source: nats-server 2.15 `server/auth.go`.

mod error;
mod list;

pub use error::Error;

use crate::claims::owned::{
    Account, Claims, NatsLimits, Permission, Permissions, Template, User, UserPermissionLimits,
    UserScope,
};
use alloc::string::String;
use list::List;

/// Most entries that the tags in one list of subjects may make.
pub const MAX_EXPANSIONS: usize = 4096;

/// Most bytes that are written to expand one template. Values that hold templates themselves
/// could grow without end: nats-server does not stop there.
pub const MAX_WORK: usize = 64 * 1024 * 1024;

/// What the templates stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values<'a> {
    /// The user's name: `{{name()}}`.
    pub name: &'a str,
    /// The user's public key: `{{subject()}}`.
    pub subject: &'a str,
    /// The user's tags: `{{tag(x)}}`.
    pub tags: &'a [String],
    /// The account's name: `{{account-name()}}`.
    pub account_name: &'a str,
    /// The user's `issuer_account`: `{{account-subject()}}`.
    pub account_subject: &'a str,
    /// The account's tags: `{{account-tag(x)}}`.
    pub account_tags: &'a [String],
}

/// What a user may do whose claims the key of `scope` issued in `account`.
///
/// # Errors
/// [`Error::Issuer`] and [`Error::Permissions`] for a user who is not one of this scope,
/// otherwise as [`expand`].
pub fn apply(
    scope: &UserScope,
    user: &Claims<User>,
    account: &Claims<Account>,
) -> Result<UserPermissionLimits, Error> {
    if scope.key.as_deref() != Some(&user.standard.iss) {
        return Err(Error::Issuer);
    }
    if !is_empty(&user.nats.permissions) {
        return Err(Error::Permissions);
    }
    let values = Values {
        name: &user.standard.name,
        subject: &user.standard.sub,
        tags: &user.generic.tags,
        account_name: &account.standard.name,
        account_subject: &user.nats.issuer_account,
        account_tags: &account.generic.tags,
    };
    expand(&scope.template.clone().unwrap_or_default(), &values)
}

/// Whether a user leaves everything to the scope (`HasEmptyPermissions`).
fn is_empty(permissions: &UserPermissionLimits) -> bool {
    let empty = |permission: &Option<Permission>| {
        permission
            .as_ref()
            .is_none_or(|permission| *permission == Permission::default())
    };
    let Permissions {
        publish, subscribe, ..
    } = &permissions.permissions;
    let mut rest = permissions.clone();
    rest.permissions.publish = None;
    rest.permissions.subscribe = None;
    empty(publish) && empty(subscribe) && rest == UserPermissionLimits::default()
}

/// The permissions and limits that a template gives.
///
/// # Errors
/// Names the entry that nats-server would refuse the user for.
pub fn expand(template: &Template, values: &Values<'_>) -> Result<UserPermissionLimits, Error> {
    let mut list = List {
        values,
        work: MAX_WORK,
    };
    let mut permissions = template.permissions.clone();
    for permission in [&mut permissions.subscribe, &mut permissions.publish] {
        let Permission { allow, deny } = permission.get_or_insert_default();
        let allowed = !allow.is_empty();
        *allow = list.expand(allow, false)?;
        *deny = list.expand(deny, true)?;
        if allowed && allow.is_empty() && !deny.iter().any(|entry| entry == ">") {
            deny.push(">".into());
        }
    }
    let limits = &template.limits;
    Ok(UserPermissionLimits {
        permissions,
        user: template.user.clone(),
        limits: NatsLimits {
            subs: limits.subs.unwrap_or(-1),
            data: limits.data.unwrap_or(-1),
            payload: limits.payload.unwrap_or(-1),
        },
        bearer_token: template.bearer_token,
        proxy_required: template.proxy_required,
        allowed_connection_types: template.allowed_connection_types.clone(),
    })
}

#[cfg(test)]
mod tests;
