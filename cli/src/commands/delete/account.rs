//! `nkey delete account`.

use super::keys::{remove_creds, remove_key};
use crate::context::Context;
use crate::error::Error;
use crate::input::boolean;
use crate::input::name::NameFlag;
use crate::key_argument::shell_word;
use crate::output::clean_inline;
use crate::prompt;
use crate::store::keys::Fresh;
use crate::store::{Edit, Entry, Operator, Store, file};
use nkey_core::claims::owned::{Account, Claims, User};
use nkey_core::revocation::revoke;
use serde_json::json;
use std::path::PathBuf;

/// How long the last token of a deleted account is valid, in seconds; nsc's.
const LAST: i64 = 60;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    name: NameFlag,
    /// Revoke its users in its last token, which -o writes and which goes to others that hold the operator
    #[arg(
        short = 'R', long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = boolean::parse
    )]
    revoke: Option<bool>,
    /// Delete its users' creds files in nsc's keystore
    #[arg(short = 'C', long)]
    rm_creds: bool,
    /// Remove its keys and its users' from the agent and from nsc's keystore
    #[arg(short = 'D', long)]
    rm_nkey: bool,
    /// Delete an account of an operator whose keys others hold
    #[arg(short = 'F', long)]
    force: bool,
    /// Write the account's last JWT to FILE: its users revoked, itself valid for a minute
    #[arg(short, long, value_name = "FILE")]
    output_file: Option<PathBuf>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Deletes an account and its users.
///
/// # Errors
/// If it is not there, or others hold the operator's keys and it is not forced.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let store = Store::open(&ctx.global)?;
    let name = match args.name.get() {
        Some(name) => store.account(&store.operator(None)?, Some(name))?,
        None => choose(&store.operator(None)?)?,
    };
    let edit = Edit::begin(ctx)?;
    let account = edit.operator.account(&name)?;
    let shown = clean_inline(&name);
    if edit.operator.is_managed() && !args.force {
        return Err(Error::failed(format!(
            "others hold the keys of operator {}: they may want the JWT or a signature of account {shown} to end it. \
             --force deletes it all the same",
            clean_inline(edit.operator.name())
        )));
    }
    let users: Vec<(String, Result<Entry<User>, Error>)> = edit
        .operator
        .users(&name)?
        .into_iter()
        .map(|user| (user.clone(), edit.operator.user(&name, &user)))
        .collect();
    if args.rm_nkey {
        // Before anything is deleted.
        Fresh::begin(ctx)?;
    }
    let mut done = Vec::new();
    if let Some(path) = &args.output_file {
        let claims = last_claims(args, ctx, &account, &users);
        let (token, _) = edit.issue_account(ctx, &account, claims)?;
        file::write_output(path, token.as_bytes(), true)?;
        done.push(format!("wrote {}", path.display()));
    }
    let mut keys: Vec<String> = Vec::new();
    if edit.operator.is_managed() {
        // Whoever holds the operator learns that the account ends.
        let claims = last_claims(args, ctx, &account, &users);
        edit.write_account(ctx, &account, claims)?;
    }
    for (user, entry) in &users {
        edit.operator.remove_user(edit.lock()?, &name, user)?;
        done.push(format!("deleted user {name}/{user}"));
        if args.rm_creds {
            done.push(remove_creds(&edit, &name, user)?);
        }
        match entry {
            Ok(entry) => keys.push(entry.sub().to_owned()),
            Err(error) if args.rm_nkey => ctx.out.note(format!("its key was not removed: {error}")),
            Err(_) => {}
        }
    }
    edit.operator.remove_account(edit.lock()?, &name)?;
    done.push(format!("deleted account {name}"));
    if args.rm_nkey {
        let signing_keys = account.claims.nats.signing_keys.iter();
        keys.extend(signing_keys.map(|key| key.key().to_owned()));
        keys.push(account.sub().to_owned());
        for key in &keys {
            done.extend(remove_key(ctx, &edit, key)?);
        }
    }
    if args.json {
        return ctx.out.json(&json!({
            "name": name,
            "public_key": account.sub(),
            "done": done,
        }));
    }
    for line in &done {
        ctx.out.line(clean_inline(line))?;
    }
    ctx.out.note(format!(
        "servers that have the account keep it: nkey push --account-removal {} deletes it there",
        shell_word(account.sub())
    ));
    Ok(())
}

/// The account that a person at a terminal chooses; nothing is deleted unasked.
fn choose(operator: &Operator) -> Result<String, Error> {
    let names = operator.accounts()?;
    if names.is_empty() || !prompt::is_possible() {
        return Err(Error::usage(format!(
            "which account is deleted: name it by -n: {}",
            clean_inline(&names.join(", "))
        )));
    }
    Ok(names[prompt::choose("Which account?", &names)?].clone())
}

/// The account as it ends: valid for a minute, its users revoked.
fn last_claims(
    args: &Args,
    ctx: &Context,
    account: &Entry<Account>,
    users: &[(String, Result<Entry<User>, Error>)],
) -> Claims<Account> {
    let mut claims = account.claims.clone();
    claims.standard.exp = ctx.now() + LAST;
    if args.revoke != Some(false) {
        for user in users.iter().filter_map(|(_, entry)| entry.as_ref().ok()) {
            let at = ctx.now().max(user.claims.standard.iat);
            revoke(&mut claims.nats.revocations, user.sub(), at);
        }
    }
    claims
}
