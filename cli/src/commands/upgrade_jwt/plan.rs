//! What is of version 1, and who signs it anew.

use crate::context::Context;
use crate::error::Error;
use crate::key_argument::shell_word;
use crate::output::clean_inline;
use crate::store::edit::name_account;
use crate::store::issue::issue_as_it_is;
use crate::store::reissue::{is_user_issuer, key_of, tell_dropped};
use crate::store::signer::{Signer, account_signer_again, operator_signer, user_signer_again};
use crate::store::{Edit, Entry, Typed};
use nkey_core::claims::owned::{self, Account, Claims, SigningKey, User};
use nkey_core::jwt::Algorithm;
use nkey_core::revocation::is_revoked;
use serde::Serialize;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A token to issue anew, and the key that does.
pub struct Step<N> {
    /// The token there is.
    pub entry: Entry<N>,
    /// The key.
    pub signer: Signer,
}

/// A token that was issued anew and is not yet written.
pub struct Issued<'p, N> {
    /// What it is to replace.
    pub step: &'p Step<N>,
    /// The token.
    pub token: String,
}

/// What there is to issue anew.
pub struct Plan {
    /// The operator.
    pub operator: Option<Step<owned::Operator>>,
    /// Accounts.
    pub accounts: Vec<Step<Account>>,
    /// Users, each with its account.
    pub users: Vec<(Rc<Entry<Account>>, Step<User>)>,
    /// Users that stay as they are.
    pub left: Vec<Left>,
}

/// A user that servers refuse: a new token would let it in.
#[derive(Serialize)]
pub struct Left {
    account: String,
    user: String,
    reason: String,
}

impl Left {
    /// What to say of it.
    pub fn line(&self) -> String {
        let [account, user, reason] =
            [&self.account, &self.user, &self.reason].map(|text| clean_inline(text));
        format!(
            "user {account}/{user} stays of version 1, and servers refuse it: {reason}\n\
             type: nkey delete user -a {} -n {}",
            shell_word(&account),
            shell_word(&user)
        )
    }
}

/// All tokens of a plan, issued.
pub struct Tokens<'p> {
    /// The operator's.
    pub operator: Option<Issued<'p, owned::Operator>>,
    /// Those of accounts.
    pub accounts: Vec<Issued<'p, Account>>,
    /// Those of users, each with the name of its account.
    pub users: Vec<(&'p str, Issued<'p, User>)>,
}

impl Plan {
    /// Looks at every token of the operator.
    ///
    /// # Errors
    /// If one cannot be read, is not the operator's, or no key is there that may sign it.
    pub fn read(ctx: &mut Context, edit: &Edit) -> Result<Plan, Error> {
        let (operator, entry) = (&edit.operator, &edit.entry);
        let mut plan = Plan {
            operator: None,
            accounts: Vec::new(),
            users: Vec::new(),
            left: Vec::new(),
        };
        if is_old(entry) {
            require_ours(edit)?;
            let signing_keys = &entry.claims.nats.signing_keys;
            plan.operator = Some(Step {
                entry: entry.clone(),
                signer: operator_signer(ctx, operator, entry.sub(), signing_keys)?,
            });
        }
        for name in operator.accounts()? {
            let account = Rc::new(operator.account(&name)?);
            plan.read_users(ctx, edit, &account)?;
            if !is_old(&account) {
                continue;
            }
            require_signed(edit, &account)?;
            let (sub, last) = (key_of(&account)?, &account.claims.standard.iss);
            let signer = account_signer_again(ctx, operator, entry, Some(&sub), last)?;
            plan.accounts.push(Step {
                entry: Entry::clone(&account),
                signer,
            });
        }
        Ok(plan)
    }

    fn read_users(
        &mut self,
        ctx: &mut Context,
        edit: &Edit,
        account: &Rc<Entry<Account>>,
    ) -> Result<(), Error> {
        let strict = edit.entry.claims.nats.strict_signing_key_usage;
        // A large agent takes long to list its keys.
        let mut signers: BTreeMap<String, Signer> = BTreeMap::new();
        for name in edit.operator.users(&account.name)? {
            let user = edit.operator.user(&account.name, &name)?;
            if !is_old(&user) {
                continue;
            }
            if let Some(reason) = refused(account, &user) {
                self.left.push(Left {
                    account: account.name.clone(),
                    user: name,
                    reason,
                });
                continue;
            }
            let last = &user.claims.standard.iss;
            let signer = match signers.get(last) {
                Some(signer) => signer.clone(),
                None => user_signer_again(ctx, strict, account, last)?,
            };
            require_scope(account, &user, &signer)?;
            signers.insert(last.clone(), signer.clone());
            let step = Step {
                entry: user,
                signer,
            };
            self.users.push((Rc::clone(account), step));
        }
        Ok(())
    }

    /// How much is to be done, in words; none if nothing is.
    pub fn words(&self) -> Option<String> {
        let count = |count: usize, what: &str| match count {
            0 => None,
            1 => Some(format!("1 {what}")),
            _ => Some(format!("{count} {what}s")),
        };
        let parts = [
            self.operator.as_ref().map(|_| "the operator".to_owned()),
            count(self.accounts.len(), "account"),
            count(self.users.len(), "user"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let (last, rest) = parts.split_last()?;
        Some(match rest {
            [] => last.clone(),
            rest => format!("{} and {last}", rest.join(", ")),
        })
    }

    /// Issues every token; nothing is written.
    ///
    /// # Errors
    /// Names the file of the one that the agent does not sign.
    pub fn issue(&self, ctx: &mut Context) -> Result<Tokens<'_>, Error> {
        let mut tokens = Tokens {
            operator: None,
            accounts: Vec::with_capacity(self.accounts.len()),
            users: Vec::with_capacity(self.users.len()),
        };
        if let Some(step) = &self.operator {
            tokens.operator = Some(issue(ctx, step, step.entry.claims.clone())?);
        }
        for step in &self.accounts {
            let issued = issue(ctx, step, step.entry.claims.clone())?;
            tokens.accounts.push(issued);
        }
        for (account, step) in &self.users {
            let mut claims = step.entry.claims.clone();
            name_account(&mut claims, account, &step.signer);
            let issued = issue(ctx, step, claims)?;
            tokens.users.push((&account.name, issued));
        }
        Ok(tokens)
    }
}

fn is_old<N>(entry: &Entry<N>) -> bool {
    entry.version == Algorithm::V1
}

/// What a token says stays, also where servers refuse it: no edit could change it before.
fn issue<'p, N: Typed>(
    ctx: &mut Context,
    step: &'p Step<N>,
    claims: Claims<N>,
) -> Result<Issued<'p, N>, Error> {
    let entry = &step.entry;
    tell_dropped(ctx, entry);
    let token = issue_as_it_is(ctx, &step.signer.key, claims, entry.claims.standard.iat);
    let place = || format!("{}: nothing was changed", entry.path.display());
    Ok(Issued {
        step,
        token: token.map_err(|error| error.within(&place()))?,
    })
}

/// Refuses the operator whose keys others hold.
fn require_ours(edit: &Edit) -> Result<(), Error> {
    if !edit.operator.is_managed() {
        return Ok(());
    }
    let name = clean_inline(edit.operator.name());
    Err(Error::failed(format!(
        "the JWT of operator {name} is of version 1, and others hold its keys: nothing was changed. \
         Ask them for one of version 2, and take it first"
    ))
    .next(format!(
        "nkey add operator -n {} -u FILE --force",
        shell_word(&name)
    )))
}

/// Refuses an account that the operator never signed: it would become its own.
fn require_signed(edit: &Edit, account: &Entry<Account>) -> Result<(), Error> {
    if edit.is_trusted(account) {
        return Ok(());
    }
    let file = account.path.display().to_string();
    Err(Error::failed(format!(
        "{file}: iss: {} is neither the operator nor one of its signing keys: nothing was changed. \
         If all that the account says is right, import it",
        account.claims.standard.iss
    ))
    .next(format!(
        "nkey import account -j {} --force --overwrite",
        shell_word(&clean_inline(&file))
    )))
}

/// Why servers refuse a user, if they do.
fn refused(account: &Entry<Account>, user: &Entry<User>) -> Option<String> {
    let (standard, of) = (&user.claims.standard, &user.claims.nats.issuer_account);
    if is_revoked(&account.claims.nats.revocations, user.sub(), standard.iat) {
        return Some("it is revoked".to_owned());
    }
    if !of.is_empty() && of != account.sub() {
        return Some(format!("it is one of the account {of}"));
    }
    (!is_user_issuer(account, &standard.iss)).then(|| {
        format!(
            "{} signed it, which is neither the account nor one of its signing keys",
            standard.iss
        )
    })
}

/// Refuses another key than the one whose scope says what the user may do.
fn require_scope(
    account: &Entry<Account>,
    user: &Entry<User>,
    signer: &Signer,
) -> Result<(), Error> {
    let iss = &user.claims.standard.iss;
    let scoped = |key: &SigningKey| matches!(key, SigningKey::Scoped(_)) && key.key() == iss;
    let keys = &account.claims.nats.signing_keys;
    if !keys.iter().any(scoped) || signer.key.to_string() == *iss {
        return Ok(());
    }
    Err(Error::failed(format!(
        "{}: the agent does not hold {iss}, whose scope says what the user may do: nothing was changed",
        user.path.display()
    ))
    .next("nkey import keys FILE"))
}
