//! `nkey delete user`.

use super::keys::{remove_creds, remove_key};
use crate::context::Context;
use crate::error::Error;
use crate::input::{boolean, list};
use crate::output::clean_inline;
use crate::prompt;
use crate::store::keys::Fresh;
use crate::store::{Edit, Entry};
use nkey_core::claims::owned::{Account, User};
use nkey_core::revocation::{is_revoked, revoke};
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The users
    #[arg(short, long, value_name = "NAME,...")]
    name: Vec<String>,
    /// The same as --name
    #[arg(value_name = "NAME")]
    position: Option<String>,
    #[command(flatten)]
    removal: Removal,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// What goes with users.
#[derive(clap::Args)]
pub struct Removal {
    /// Revoke them first, so that servers refuse the tokens that are about; then push the account
    #[arg(
        short = 'R', long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = boolean::parse
    )]
    revoke: Option<bool>,
    /// Delete their creds files in nsc's keystore
    #[arg(short = 'C', long)]
    rm_creds: bool,
    /// Remove their keys from the agent and from nsc's keystore
    #[arg(short = 'D', long)]
    rm_nkey: bool,
}

/// Deletes users of an account.
///
/// # Errors
/// If one is not there: then none is deleted.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let (mut edit, account) = Edit::account(ctx, args.account.as_deref())?;
    let mut names = list::of("--name", &args.name)?;
    list::add(&mut names, args.position.iter().cloned().collect());
    if names.is_empty() {
        let known = edit.operator.users(&account.name)?;
        names.push(edit.ask(false, || choose(&account, &known))?);
    }
    let find = |name: &String| edit.operator.find_user(&account.name, Some(name));
    let users: Vec<Entry<User>> = names.iter().map(find).collect::<Result<_, _>>()?;
    args.removal
        .run(ctx, &mut edit, &account, &users, args.json)
}

impl Removal {
    /// Deletes these users.
    ///
    /// # Errors
    /// What stands in the way; those before are deleted.
    pub fn run(
        &self,
        ctx: &mut Context,
        edit: &mut Edit,
        account: &Entry<Account>,
        users: &[Entry<User>],
        json: bool,
    ) -> Result<(), Error> {
        if self.rm_nkey {
            // Before anything is deleted.
            Fresh::begin(ctx)?;
        }
        let mut done: Vec<String> = Vec::new();
        let mut claims = account.claims.clone();
        if self.revoke == Some(true) {
            let revocations = &mut claims.nats.revocations;
            for user in users {
                let iat = user.claims.standard.iat;
                if is_revoked(revocations, user.sub(), iat) {
                    done.push(format!("user {} is revoked already", user.name));
                } else {
                    // A token may be dated some seconds ahead.
                    revoke(revocations, user.sub(), ctx.now().max(iat));
                    done.push(format!("revoked user {}", user.name));
                }
            }
            if claims != account.claims {
                edit.write_account(ctx, account, claims)?;
            }
        }
        for user in users {
            edit.operator
                .remove_user(edit.lock()?, &account.name, &user.name)?;
            done.push(format!("deleted user {}/{}", account.name, user.name));
            if self.rm_creds {
                done.push(remove_creds(edit, &account.name, &user.name)?);
            }
            if self.rm_nkey {
                done.extend(remove_key(ctx, edit, user.sub())?);
            }
        }
        if json {
            let rows: Vec<_> = users
                .iter()
                .map(|user| json!({ "name": user.name, "public_key": user.sub() }))
                .collect();
            return ctx
                .out
                .json(&json!({ "account": account.name, "deleted": rows, "done": done }));
        }
        for line in &done {
            ctx.out.line(clean_inline(line))?;
        }
        if self.revoke != Some(true) {
            ctx.out.note(
            "servers still take the tokens of deleted users: nkey revocations add-user -u KEY, then nkey push, ends that",
        );
        }
        Ok(())
    }
}

/// The user that a person at a terminal chooses; nothing is deleted unasked.
fn choose(account: &Entry<Account>, users: &[String]) -> Result<String, Error> {
    let of = clean_inline(&account.name);
    if users.is_empty() {
        return Err(Error::failed(format!("account {of} has no users")));
    }
    if !prompt::is_possible() {
        return Err(Error::usage(format!(
            "which user of account {of} is deleted: name it by -n: {}",
            clean_inline(&users.join(", "))
        )));
    }
    Ok(users[prompt::choose("Which user?", users)?].clone())
}
