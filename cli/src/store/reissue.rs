//! Tokens issued anew: what may be, and what it changed.

use super::file;
use super::issue::issue;
use super::keys::Fresh;
use super::signer::Signer;
use super::token::{Entry, Typed};
use crate::context::Context;
use crate::difference::{Change, compare};
use crate::error::Error;
use crate::output::clean_inline;
use nkey_core::claims::owned::{self, Account, Claims, SigningKey, User};
use nkey_core::jwt::Algorithm;
use nkey_core::nkey::PublicKey;
use serde_json::{Value, json};
use std::str::FromStr;

/// Whether a key is the operator's or one of its signing keys.
pub fn is_issuer(operator: &Entry<owned::Operator>, key: &str) -> bool {
    key == operator.sub()
        || operator
            .claims
            .nats
            .signing_keys
            .iter()
            .any(|known| known == key)
}

/// Whether a key is the account's or one of its signing keys.
pub fn is_user_issuer(account: &Entry<Account>, key: &str) -> bool {
    let mut keys = account.claims.nats.signing_keys.iter().map(SigningKey::key);
    key == account.sub() || keys.any(|known| known == key)
}

/// The public key that an entry is about.
///
/// # Errors
/// Names the file.
pub fn key_of<N: Typed>(entry: &Entry<N>) -> Result<PublicKey, Error> {
    PublicKey::from_str(entry.sub())
        .map_err(|error| Error::failed(format!("{}: sub: {error}", entry.path.display())))
}

/// Refuses a token of which an edit would lose something.
///
/// # Errors
/// Names the file and the member.
pub fn require_editable<N: Typed>(entry: &Entry<N>) -> Result<(), Error> {
    if entry.version == Algorithm::V1 {
        return Err(Error::failed(format!(
            "{}: nats.version: this is a token of version 1, which an edit would not preserve: nothing was changed",
            entry.path.display()
        ))
        .next("nkey upgrade-jwt"));
    }
    require_known(entry)
}

/// Refuses a token with members of a later day; those of version 1 that are gone are no such.
///
/// # Errors
/// Names the file and the member.
pub fn require_known<N: Typed>(entry: &Entry<N>) -> Result<(), Error> {
    match entry.notes.unknown.first() {
        Some((path, _)) if entry.version == Algorithm::V2 => Err(Error::failed(format!(
            "{}: {path}: this version does not know the member, and an edit would drop it: nothing was changed. \
             Use a newer nkey",
            entry.path.display()
        ))),
        _ => Ok(()),
    }
}

/// Says which members of a token of version 1 are not in its successor.
pub fn tell_dropped<N: Typed>(ctx: &mut Context, entry: &Entry<N>) {
    for (member, _) in &entry.notes.unknown {
        ctx.out.note(format!(
            "{}: {member}: version 2 has no such member, and it is left out",
            entry.path.display()
        ));
    }
}

/// Refuses a user of another account.
///
/// # Errors
/// Names the file, the member and the account.
pub fn require_account(account: &Entry<Account>, user: &Entry<User>) -> Result<(), Error> {
    let of = &user.claims.nats.issuer_account;
    if of.is_empty() || of == account.sub() {
        return Ok(());
    }
    Err(Error::failed(format!(
        "{}: nats.issuer_account: {of} is another account than {}: nothing was changed",
        user.path.display(),
        clean_inline(&account.name)
    )))
}

/// Refuses a token whose name is not that of its file.
///
/// # Errors
/// Names the file and both.
pub fn require_name<N: Typed>(entry: &Entry<N>) -> Result<(), Error> {
    let name = &entry.claims.standard.name;
    if *name == entry.name {
        return Ok(());
    }
    Err(Error::failed(format!(
        "{}: name: the file is named {}, the token {name}: nothing was changed",
        entry.path.display(),
        entry.name
    )))
}

/// Claims as JSON.
pub fn value<N: Typed + Clone>(claims: &Claims<N>) -> Value {
    let json = N::into_any(claims.clone()).to_json();
    serde_json::from_str(&json).unwrap_or_default()
}

/// Takes out what whoever signs sets.
pub fn unsign(standard: &mut owned::Standard) {
    standard.iss.clear();
    standard.jti.clear();
    standard.iat = 0;
}

/// The token of changed claims, dated after the one of `entry` and after `after`.
///
/// # Errors
/// As [`issue`].
pub fn reissue<N: Typed + Clone>(
    ctx: &mut Context,
    signer: &Signer,
    entry: &Entry<N>,
    mut claims: Claims<N>,
    after: i64,
) -> Result<(String, Issued), Error> {
    let mut changes = compare(&value(&entry.claims), &value(&claims));
    // Every new token sets these.
    changes.retain(|change| change.field != "iat" && change.field != "iss");
    unsign(&mut claims.standard);
    let token = issue(ctx, &signer.key, claims, after)?;
    let issued = Issued {
        kind: N::TYPE.name(),
        name: entry.name.clone(),
        public_key: entry.sub().to_owned(),
        issuer: signer.key.to_string(),
        changes,
    };
    Ok((token, issued))
}

/// A token that was issued anew, and what it changed.
pub struct Issued {
    kind: &'static str,
    name: String,
    public_key: String,
    issuer: String,
    /// The members that differ.
    pub changes: Vec<Change>,
}

impl Issued {
    /// Says what was done, in the words of `headline`, or as JSON.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn report(&self, ctx: &mut Context, json: bool, headline: &str) -> Result<(), Error> {
        if json {
            return ctx.out.json(&json!({
                "type": self.kind,
                "name": self.name,
                "public_key": self.public_key,
                "issuer": self.issuer,
                "changes": self.changes,
            }));
        }
        ctx.out.line(headline)?;
        for change in &self.changes {
            ctx.out.line(format!("  {}", change.line()))?;
        }
        if self.changes.is_empty() {
            ctx.out.line("  it says what it said before")?;
        }
        ctx.out.line(format!("  signed by {}", self.issuer))
    }
}

/// Ends an edit that made keys: if it failed and the token of `entry` is still in its file, they
/// are removed again.
///
/// # Errors
/// That of `result`.
pub fn end<N: Typed, T>(
    ctx: &mut Context,
    fresh: &mut Fresh,
    entry: &Entry<N>,
    result: Result<T, Error>,
) -> Result<T, Error> {
    result.map_err(|error| match file::read(&entry.path) {
        Ok(Some(bytes)) if bytes != entry.bytes => error,
        _ => fresh.abandon(ctx, error),
    })
}
