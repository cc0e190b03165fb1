//! Changes of what is in a store: read under the lock, judged, changed, issued again, written.

use super::chain::has_jetstream;
use super::config::Store;
use super::file;
use super::issue::issue;
use super::keys::Fresh;
use super::lock::Lock;
use super::managed;
use super::operator::Operator;
use super::signer::{
    Signer, account_signer_again, after_revocations, operator_signer, user_signer_again,
};
use super::token::{Entry, Typed};
use crate::context::Context;
use crate::difference::{Change, compare};
use crate::error::Error;
use crate::key_argument::shell_word;
use crate::output::clean_inline;
use crate::prompt;
use nkey_core::claims::owned::{self, Account, Claims, SigningKey, User};
use nkey_core::jwt::Algorithm;
use nkey_core::nkey::PublicKey;
use serde_json::{Value, json};
use std::str::FromStr;

/// An operator's folder, locked for a change.
pub struct Edit {
    /// The store.
    pub store: Store,
    /// The operator.
    pub operator: Operator,
    /// Its token.
    pub entry: Entry<owned::Operator>,
    lock: Option<Lock>,
}

impl Edit {
    /// Locks the selected operator's folder.
    ///
    /// # Errors
    /// If there is no operator, or its token cannot be read.
    pub fn begin(ctx: &Context) -> Result<Edit, Error> {
        let mut store = Store::open(&ctx.global)?;
        // A person who is asked must not hold the lock meanwhile.
        let name = store.operator(None)?.name().to_owned();
        let lock = Some(store.lock()?);
        let operator = store.operator(Some(&name))?;
        let entry = operator.claims()?;
        Ok(Edit {
            store,
            operator,
            entry,
            lock,
        })
    }

    /// [`Edit::begin`] for one account: the named one, or the selected one.
    ///
    /// # Errors
    /// As there, and if the account's token is not one to change.
    pub fn account(ctx: &Context, wanted: Option<&str>) -> Result<(Edit, Entry<Account>), Error> {
        let store = Store::open(&ctx.global)?;
        let name = store.account(&store.operator(None)?, wanted)?;
        let edit = Edit::begin(ctx)?;
        let account = edit.find_account(&name)?;
        edit.require_trusted(&account)?;
        Ok((edit, account))
    }

    /// The named account, whoever signed it.
    ///
    /// # Errors
    /// If its token is not one to change.
    pub fn find_account(&self, name: &str) -> Result<Entry<Account>, Error> {
        let account = self.operator.account(name)?;
        require_editable(&account)?;
        require_name(&account)?;
        Ok(account)
    }

    /// Refuses an account that this operator has not signed: an edit would make it one's own.
    ///
    /// # Errors
    /// Names the file, the member and the key.
    pub fn require_trusted(&self, account: &Entry<Account>) -> Result<(), Error> {
        let iss = &account.claims.standard.iss;
        let own = self.operator.is_managed() && iss == account.sub();
        if own || is_issuer(&self.entry, iss) {
            return Ok(());
        }
        let name = clean_inline(&account.name);
        Err(Error::failed(format!(
            "{}: iss: {iss} is neither the operator nor one of its signing keys: nothing was changed. \
             If all that the account says is right, sign it again",
            account.path.display()
        ))
        .next(format!("nkey edit account -n {} --resign", shell_word(&name))))
    }

    /// A user of the account whose token may be changed.
    ///
    /// # Errors
    /// If it belongs to another account or, unless `resign`, another key than one of the
    /// account's signed it.
    pub fn user(
        &self,
        account: &Entry<Account>,
        wanted: Option<&str>,
        resign: bool,
    ) -> Result<Entry<User>, Error> {
        let user = self.operator.find_user(&account.name, wanted)?;
        require_editable(&user)?;
        require_name(&user)?;
        let (iss, of) = (&user.claims.standard.iss, &user.claims.nats.issuer_account);
        let file = user.path.display();
        if !of.is_empty() && of != account.sub() {
            return Err(Error::failed(format!(
                "{file}: nats.issuer_account: {of} is another account than {}: nothing was changed",
                clean_inline(&account.name)
            )));
        }
        let mut keys = account.claims.nats.signing_keys.iter().map(SigningKey::key);
        if resign || iss == account.sub() || keys.any(|key| key == iss) {
            return Ok(user);
        }
        let next = format!(
            "nkey edit user -a {} -n {} --resign",
            shell_word(&clean_inline(&account.name)),
            shell_word(&clean_inline(&user.name))
        );
        Err(Error::failed(format!(
            "{file}: iss: {iss} is neither the account nor one of its signing keys: nothing was changed. \
             If all that the user says is right, sign it again"
        ))
        .next(next))
    }

    /// Asks what was not `named`; the person does not hold the lock meanwhile. What another
    /// program changes then is noticed before anything is written.
    ///
    /// # Errors
    /// What `question` says, or if the lock cannot be had again.
    pub fn ask<T>(
        &mut self,
        named: bool,
        question: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        if named || !prompt::is_possible() {
            return question();
        }
        self.lock = None;
        let answer = question()?;
        self.lock = Some(Lock::take(self.store.root())?);
        Ok(answer)
    }

    /// The lock.
    ///
    /// # Errors
    /// If it was given up for a question that failed.
    pub fn lock(&self) -> Result<&Lock, Error> {
        self.lock
            .as_ref()
            .ok_or_else(|| Error::failed("the store is not locked: nothing was changed"))
    }

    /// Remembers an account, as [`Store::select`].
    ///
    /// # Errors
    /// As there.
    pub fn select(&mut self, operator: &str, account: &str, now: i64) -> Result<(), Error> {
        let lock = self.lock.as_ref();
        match lock {
            Some(lock) => self.store.select(lock, operator, Some(account), now),
            None => Ok(()),
        }
    }

    /// Issues the operator's token anew and writes it.
    ///
    /// # Errors
    /// If servers would refuse it, or the agent does not sign.
    pub fn write_operator(
        &self,
        ctx: &mut Context,
        claims: Claims<owned::Operator>,
    ) -> Result<Issued, Error> {
        require_editable(&self.entry)?;
        let signing_keys = claims.nats.signing_keys.clone();
        let signer = operator_signer(ctx, &self.operator, self.entry.sub(), &signing_keys)?;
        let last = self.entry.claims.standard.iat;
        let (token, issued) = reissue(ctx, &signer, &self.entry, claims, last)?;
        let read = Some(self.entry.bytes.as_slice());
        self.operator.write_operator(self.lock()?, &token, read)?;
        Ok(issued)
    }

    /// Issues an account's token anew and writes it.
    ///
    /// # Errors
    /// If servers would refuse it, or the agent does not sign.
    pub fn write_account(
        &self,
        ctx: &mut Context,
        account: &Entry<Account>,
        claims: Claims<Account>,
    ) -> Result<Issued, Error> {
        let (token, issued) = self.issue_account(ctx, account, claims)?;
        let read = Some(account.bytes.as_slice());
        let lock = self.lock()?;
        self.operator
            .write_account(lock, &account.name, &token, read)?;
        managed::synchronize(ctx, lock, &self.operator, &self.entry, &account.name)?;
        Ok(issued)
    }

    /// Issues an account's token anew; it is not written.
    ///
    /// # Errors
    /// As [`Edit::write_account`].
    pub fn issue_account(
        &self,
        ctx: &mut Context,
        account: &Entry<Account>,
        mut claims: Claims<Account>,
    ) -> Result<(String, Issued), Error> {
        let system = &self.entry.claims.nats.system_account;
        if account.sub() == system && has_jetstream(&claims.nats) {
            return Err(Error::usage(format!(
                "{} is the system account, for which servers refuse JetStream: nothing was done",
                clean_inline(&account.name)
            )));
        }
        // The order that the agent wants; Go reads the list into a map.
        let keys = &mut claims.nats.signing_keys;
        keys.sort_by(|a, b| a.key().cmp(b.key()));
        keys.dedup_by(|a, b| a.key() == b.key());
        let sub = key_of(account)?;
        let last = &account.claims.standard.iss;
        let signer = account_signer_again(ctx, &self.operator, &self.entry, Some(&sub), last)?;
        reissue(ctx, &signer, account, claims, account.claims.standard.iat)
    }

    /// The key that signs a user again: the one that signed it before, if it may.
    ///
    /// # Errors
    /// If the agent holds none that may.
    pub fn user_signer(
        &self,
        ctx: &mut Context,
        account: &Entry<Account>,
        user: &Entry<User>,
    ) -> Result<Signer, Error> {
        let strict = self.entry.claims.nats.strict_signing_key_usage;
        user_signer_again(ctx, strict, account, &user.claims.standard.iss)
    }

    /// Issues a user's token anew, after every revocation that covers it, and writes it.
    ///
    /// # Errors
    /// If servers would refuse it, or the agent does not sign.
    pub fn write_user(
        &self,
        ctx: &mut Context,
        account: &Entry<Account>,
        user: &Entry<User>,
        signer: &Signer,
        mut claims: Claims<User>,
    ) -> Result<Issued, Error> {
        claims.nats.issuer_account = if *signer.key.encode() == *account.sub() {
            String::new()
        } else {
            account.sub().to_owned()
        };
        let revoked = after_revocations(&account.claims.nats, user.sub());
        let after = revoked.max(user.claims.standard.iat);
        let (token, issued) = reissue(ctx, signer, user, claims, after)?;
        let read = Some(user.bytes.as_slice());
        self.operator
            .write_user(self.lock()?, &account.name, &user.name, &token, read)?;
        Ok(issued)
    }
}

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
    let file = entry.path.display();
    if entry.version == Algorithm::V1 {
        return Err(Error::failed(format!(
            "{file}: nats.version: this is a token of version 1, which an edit would not preserve: nothing was changed"
        )));
    }
    match entry.notes.unknown.first() {
        Some((path, _)) => Err(Error::failed(format!(
            "{file}: {path}: this version does not know the member, and an edit would drop it: nothing was changed. \
             Use a newer nkey"
        ))),
        None => Ok(()),
    }
}

fn require_name<N: Typed>(entry: &Entry<N>) -> Result<(), Error> {
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

fn reissue<N: Typed + Clone>(
    ctx: &mut Context,
    signer: &Signer,
    entry: &Entry<N>,
    mut claims: Claims<N>,
    after: i64,
) -> Result<(String, Issued), Error> {
    let value = |claims: &Claims<N>| -> Value {
        let json = N::into_any(claims.clone()).to_json();
        serde_json::from_str(&json).unwrap_or_default()
    };
    let mut changes = compare(&value(&entry.claims), &value(&claims));
    // Every new token sets these.
    changes.retain(|change| change.field != "iat" && change.field != "iss");
    let standard = &mut claims.standard;
    standard.iss.clear();
    standard.jti.clear();
    standard.iat = 0;
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
