//! Rules that several claims share.

use super::Findings;
use super::text::Quoted;
use super::url::Url;
use crate::claims::owned::{Permission, Permissions};
use crate::nkey::{Kind, PublicKey};
use crate::subject::Subject;
use alloc::format;
use core::str::FromStr;

/// Longest description and info URL in bytes (`MaxInfoLength`).
const MAX_INFO: usize = 8 * 1024;

pub(super) fn is_key(text: &str, kind: Kind) -> bool {
    PublicKey::from_str(text).is_ok_and(|key| key.kind() == kind)
}

/// An `issuer_account`, which may be absent.
pub(super) fn issuer_account(account: &str, at: &str, found: &mut Findings<'_>) {
    if !account.is_empty() && !is_key(account, Kind::Account) {
        let account = Quoted(account);
        found.error(
            at,
            format_args!("issuer account {account} is not the public key of an account"),
        );
    }
}

pub(super) fn subject(subject: &str, at: &str, found: &mut Findings<'_>) {
    for fault in Subject::new(subject).faults() {
        found.error(at, format_args!("subject {} {fault}", Quoted(subject)));
    }
}

/// Description and URL (`Info.Validate`).
pub(super) fn info(description: &str, info_url: &str, at: &str, found: &mut Findings<'_>) {
    if description.len() > MAX_INFO {
        let at = &format!("{at}.description");
        let len = description.len();
        found.error(
            at,
            format_args!("the description has {len} bytes, more than {MAX_INFO}"),
        );
    }
    if info_url.is_empty() {
        return;
    }
    let at = &format!("{at}.info_url");
    if info_url.len() > MAX_INFO {
        let len = info_url.len();
        found.error(
            at,
            format_args!("the URL has {len} bytes, more than {MAX_INFO}"),
        );
    }
    match Url::parse(info_url) {
        Err(why) => found.error(at, format_args!("{} is not a URL: {why}", Quoted(info_url))),
        Ok(url) if url.scheme.is_empty() || url.is_host_empty => {
            found.error(
                at,
                format_args!("{} is not a URL with a scheme and a host", Quoted(info_url)),
            );
        }
        Ok(_) => {}
    }
}

/// Publish and subscribe permissions (`Permissions.Validate`).
pub(super) fn permissions(permissions: &Permissions, at: &str, found: &mut Findings<'_>) {
    for (key, permission, queue) in [
        ("sub", &permissions.subscribe, true),
        ("pub", &permissions.publish, false),
    ] {
        if let Some(Permission { allow, deny }) = permission {
            for (list, entries) in [("allow", allow), ("deny", deny)] {
                for (index, entry) in entries.iter().enumerate() {
                    self::permission(entry, queue, &format!("{at}.{key}.{list}.{index}"), found);
                }
            }
        }
    }
}

/// A subject, or where queues are allowed a subject and a queue divided by a space.
fn permission(entry: &str, queue: bool, at: &str, found: &mut Findings<'_>) {
    let mut parts = entry.split(' ');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(only), None, _) => subject(only, at, found),
        (Some(first), Some(second), None) => {
            subject(first, at, found);
            subject(second, at, found);
            if !queue {
                found.error(
                    at,
                    format_args!(
                        "{} has a queue, which only subscribe permissions have",
                        Quoted(entry)
                    ),
                );
            }
        }
        _ => found.error(
            at,
            format_args!("{} has more than one space", Quoted(entry)),
        ),
    }
}
