//! Changes of what is in a store: read under the lock, judged, changed, issued again, written.

use super::chain::has_jetstream;
use super::config::Store;
use super::issue::issue_many;
use super::lock::Lock;
use super::managed;
use super::operator::Operator;
use super::reissue::{
    Issued, is_issuer, is_user_issuer, key_of, reissue, require_account, require_editable,
    require_name, unsign,
};
use super::signer::{
    Signer, account_signer_again, after_revocations, operator_signer, user_signer_again,
};
use super::token::Entry;
use crate::context::Context;
use crate::error::Error;
use crate::key_argument::shell_word;
use crate::output::clean_inline;
use crate::prompt;
use nkey_core::claims::owned::{self, Account, Claims, User};

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

    /// Whether this operator signed an account, or the account itself if others hold the operator.
    pub fn is_trusted(&self, account: &Entry<Account>) -> bool {
        let iss = &account.claims.standard.iss;
        is_issuer(&self.entry, iss) || self.operator.is_managed() && iss == account.sub()
    }

    /// Refuses an account that this operator has not signed: an edit would make it one's own.
    ///
    /// # Errors
    /// Names the file, the member and the key.
    pub fn require_trusted(&self, account: &Entry<Account>) -> Result<(), Error> {
        if self.is_trusted(account) {
            return Ok(());
        }
        let (iss, name) = (&account.claims.standard.iss, clean_inline(&account.name));
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
        require_account(account, &user)?;
        let iss = &user.claims.standard.iss;
        let file = user.path.display();
        if resign || is_user_issuer(account, iss) {
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
        self.synchronize(ctx, &account.name)?;
        Ok(issued)
    }

    /// Sends an account to the operator, if others hold it, and takes what comes back.
    ///
    /// # Errors
    /// If the account cannot be read.
    pub fn synchronize(&self, ctx: &mut Context, account: &str) -> Result<(), Error> {
        managed::synchronize(ctx, self.lock()?, &self.operator, &self.entry, account)
    }

    /// Issues an account's token anew; it is not written.
    ///
    /// # Errors
    /// As [`Edit::write_account`].
    pub fn issue_account(
        &self,
        ctx: &mut Context,
        account: &Entry<Account>,
        claims: Claims<Account>,
    ) -> Result<(String, Issued), Error> {
        let system = &self.entry.claims.nats.system_account;
        if account.sub() == system && has_jetstream(&claims.nats) {
            return Err(Error::usage(format!(
                "{} is the system account, for which servers refuse JetStream: nothing was done",
                clean_inline(&account.name)
            )));
        }
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
        name_account(&mut claims, account, signer);
        let after = after(account, user);
        let (token, issued) = reissue(ctx, signer, user, claims, after)?;
        let read = Some(user.bytes.as_slice());
        self.operator
            .write_user(self.lock()?, &account.name, &user.name, &token, read)?;
        Ok(issued)
    }

    /// The same for some users together, with one flush of the disk.
    ///
    /// # Errors
    /// As [`Edit::write_user`]. If the agent does not sign one of them, none is written.
    pub fn write_users(
        &self,
        ctx: &mut Context,
        account: &Entry<Account>,
        users: &[(Entry<User>, Signer, Claims<User>)],
    ) -> Result<(), Error> {
        let mut files = Vec::with_capacity(users.len());
        for same in users.chunk_by(|(_, one, _), (_, other, _)| one.key == other.key) {
            let Some((_, signer, _)) = same.first() else {
                continue;
            };
            let mut all = Vec::with_capacity(same.len());
            for (_, _, claims) in same {
                let mut claims = claims.clone();
                name_account(&mut claims, account, signer);
                unsign(&mut claims.standard);
                all.push(claims);
            }
            let last = same.iter().map(|(user, _, _)| after(account, user));
            let tokens = issue_many(ctx, &signer.key, all, last.max().unwrap_or_default())?;
            for ((user, _, _), token) in same.iter().zip(tokens) {
                files.push((user, token));
            }
        }
        self.operator
            .write_users(self.lock()?, &account.name, &files)
    }
}

/// The time that a user's new token must be later than.
fn after(account: &Entry<Account>, user: &Entry<User>) -> i64 {
    let revoked = after_revocations(&account.claims.nats, user.sub());
    revoked.max(user.claims.standard.iat)
}

/// Has a user name its account, unless the account's own key signs it.
pub fn name_account(claims: &mut Claims<User>, account: &Entry<Account>, signer: &Signer) {
    claims.nats.issuer_account = if *signer.key.encode() == *account.sub() {
        String::new()
    } else {
        account.sub().to_owned()
    };
}
