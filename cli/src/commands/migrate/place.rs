//! Accounts put under the selected operator: everything is checked before anything is written.

use super::found::Found;
use crate::context::Context;
use crate::error::Error;
use crate::key_argument::shell_word;
use crate::output::clean_inline;
use crate::store::chain::check_store;
use crate::store::issue::issue;
use crate::store::limits::Limits;
use crate::store::reissue::{key_of, require_known, tell_dropped};
use crate::store::signer::account_signer;
use crate::store::{Edit, Entry};
use nkey_core::claims::owned::{Account, Claims, User};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Puts accounts in place.
pub struct Placer<'a> {
    edit: &'a Edit,
    /// The accounts of the store by their keys.
    names: BTreeMap<String, String>,
    /// The keys that the agent holds.
    held: BTreeSet<String>,
    force: bool,
}

/// Who was revoked since stays so, though the account that is brought does not know of it.
fn keep_revocations(ctx: &mut Context, claims: &mut Claims<Account>, known: &Entry<Account>) {
    let mut kept = 0;
    for (key, &until) in &known.claims.nats.revocations {
        let newer = claims
            .nats
            .revocations
            .get(key)
            .is_none_or(|&other| other < until);
        if newer {
            claims.nats.revocations.insert(key.clone(), until);
            kept += 1;
        }
    }
    if kept > 0 {
        ctx.out.note(format!(
            "account {}: {kept} revocations of the one that was in the store stay",
            clean_inline(&known.name)
        ));
    }
}

/// What became of an account's users.
pub struct Placed {
    /// How many were written.
    pub written: usize,
    /// How many were there already.
    pub unchanged: usize,
}

/// The users to write, each with what the store has of that name.
struct Users<'f> {
    new: Vec<(String, String)>,
    replaced: Vec<(&'f Entry<User>, Entry<User>)>,
    unchanged: usize,
}

impl<'a> Placer<'a> {
    /// For the operator that is being edited.
    ///
    /// # Errors
    /// If an account of the store cannot be read, or there is no agent.
    pub fn new(ctx: &mut Context, edit: &'a Edit, force: bool) -> Result<Placer<'a>, Error> {
        let mut names = BTreeMap::new();
        for name in edit.operator.accounts()? {
            names.insert(edit.operator.account(&name)?.claims.standard.sub, name);
        }
        let held = ctx.agent()?.list()?;
        Ok(Placer {
            edit,
            names,
            held: held.iter().map(|info| info.key.to_string()).collect(),
            force,
        })
    }

    /// Puts an account and its users in place; of one that is refused, nothing.
    ///
    /// # Errors
    /// Says why it is refused.
    pub fn place(&mut self, ctx: &mut Context, found: &Found) -> Result<Placed, Error> {
        let (edit, account) = (self.edit, &found.account);
        if let Some(dir) = &found.dir {
            self.require_elsewhere(dir)?;
        }
        let known = self.known(account)?;
        self.require_held(account)?;
        require_known(account)?;
        let users = self.users(found)?;
        tell_dropped(ctx, account);
        let key = key_of(account)?;
        let signer = account_signer(ctx, &edit.operator, &edit.entry, Some(&key))?;
        let after = known.as_ref().map_or(0, |known| known.claims.standard.iat);
        let mut claims = account.claims.clone();
        if let Some(known) = &known {
            keep_revocations(ctx, &mut claims, known);
        }
        let token = issue(ctx, &signer.key, claims, after)?;
        // The account last: until it is there, the same command completes what was interrupted.
        let (lock, name) = (edit.lock()?, &account.name);
        let written = users.new.len() + users.replaced.len();
        if !users.new.is_empty() {
            edit.operator.write_new_users(lock, name, &users.new)?;
        }
        for (user, known) in users.replaced {
            let text = String::from_utf8_lossy(&user.bytes);
            edit.operator
                .write_user(lock, name, &user.name, &text, Some(&known.bytes))?;
        }
        let read = known.as_ref().map(|known| known.bytes.as_slice());
        edit.operator.write_account(lock, name, &token, read)?;
        self.names.insert(account.sub().to_owned(), name.clone());
        edit.synchronize(ctx, name)?;
        Ok(Placed {
            written,
            unchanged: users.unchanged,
        })
    }

    /// Says what servers would refuse of these accounts and their users.
    ///
    /// # Errors
    /// If a folder of the store cannot be read.
    pub fn warn(&self, ctx: &mut Context, names: &[String]) -> Result<(), Error> {
        let limits = Limits::known(ctx);
        let report = check_store(&self.edit.operator, names, limits, ctx.now())?;
        for finding in report.refused() {
            let what = format!("{}: {}: {}", finding.entity, finding.field, finding.text);
            ctx.out.note(format!(
                "warning: servers would refuse {}",
                clean_inline(&what)
            ));
        }
        Ok(())
    }

    /// Refuses what lies in the operator's own folder.
    fn require_elsewhere(&self, dir: &Path) -> Result<(), Error> {
        let real = |path: &Path| {
            let path = match path.as_os_str().is_empty() {
                true => Path::new("."),
                false => path,
            };
            path.canonicalize()
                .map_err(|error| Error::failed(format!("cannot find {}: {error}", path.display())))
        };
        let own = self.edit.operator.dir();
        if real(dir)?.starts_with(real(own)?) {
            return Err(Error::failed(format!(
                "it lies in {}, the folder of operator {} itself, and cannot be brought onto itself",
                own.display(),
                clean_inline(self.edit.operator.name())
            ))
            .next("nkey select operator NAME"));
        }
        Ok(())
    }

    /// The account of the store that is to be replaced, if there is one.
    fn known(&self, account: &Entry<Account>) -> Result<Option<Entry<Account>>, Error> {
        let (name, sub) = (&account.name, account.sub());
        let shown = clean_inline(name);
        let rename = |from: &str, to: &str| {
            let from = shell_word(&clean_inline(from));
            format!("nkey rename account {from} {to}")
        };
        if let Some(other) = self.names.get(sub).filter(|other| *other != name) {
            return Err(Error::failed(format!(
                "the store has the key {sub} already, as account {}, and this one is named {shown}: \
                 give them one name, then --force replaces it",
                clean_inline(other)
            ))
            .next(rename(other, &shell_word(&shown))));
        }
        // nsc takes names that differ in case only for the same.
        let mut others = self.names.values();
        let folded = name.to_lowercase();
        let other = others.find(|other| *other != name && other.to_lowercase() == folded);
        if let Some(other) = other {
            return Err(Error::failed(format!(
                "the store has an account {}, whose name differs from {shown} in letter case only: rename it first",
                clean_inline(other)
            ))
            .next(rename(other, "NEW")));
        }
        if !self.edit.operator.has_account(name) {
            return Ok(None);
        }
        let known = self.edit.operator.account(name)?;
        if known.sub() != sub {
            return Err(Error::failed(format!(
                "the store has another account {shown}, {}; this one is {sub}: rename the one of the store first",
                known.sub()
            ))
            .next(rename(name, "NEW")));
        }
        if !self.force {
            return Err(Error::failed(format!(
                "the store has the account {shown} already (--force replaces it)"
            )));
        }
        Ok(Some(known))
    }

    /// Refuses an account of which the agent holds no key: nobody could add a user to it.
    fn require_held(&self, account: &Entry<Account>) -> Result<(), Error> {
        let signing_keys = &account.claims.nats.signing_keys;
        let mut keys = vec![account.sub()];
        keys.extend(signing_keys.iter().map(|key| key.key()));
        if keys.iter().any(|key| self.held.contains(*key)) {
            return Ok(());
        }
        Err(Error::failed(format!(
            "the agent holds no key of account {}; it takes one of {}",
            clean_inline(&account.name),
            clean_inline(&keys.join(", "))
        ))
        .next("nkey import keys FILE"))
    }

    fn users<'f>(&self, found: &'f Found) -> Result<Users<'f>, Error> {
        let (operator, account) = (&self.edit.operator, &found.account.name);
        let mut users = Users {
            new: Vec::new(),
            replaced: Vec::new(),
            unchanged: 0,
        };
        for user in &found.users {
            if !operator.has_user(account, &user.name) {
                let text = String::from_utf8_lossy(&user.bytes).into_owned();
                users.new.push((user.name.clone(), text));
                continue;
            }
            let known = operator.user(account, &user.name)?;
            let name = format!("{}/{}", clean_inline(account), clean_inline(&user.name));
            if known.token == user.token {
                users.unchanged += 1;
            } else if known.sub() != user.sub() {
                return Err(Error::failed(format!(
                    "{}: the store has another user {name}, {}; this one is {}: delete the one of the store first",
                    user.path.display(),
                    known.sub(),
                    user.sub()
                ))
                .next(format!(
                    "nkey delete user -a {} -n {}",
                    shell_word(&clean_inline(account)),
                    shell_word(&clean_inline(&user.name))
                )));
            } else if !self.force {
                return Err(Error::failed(format!(
                    "{}: the store has another token of user {name} (--force replaces it)",
                    user.path.display()
                )));
            } else {
                users.replaced.push((user, known));
            }
        }
        Ok(users)
    }
}
