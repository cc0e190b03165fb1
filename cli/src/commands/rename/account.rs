//! `nkey rename account`.

use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::edit::Edit;
use crate::store::keys::{Fresh, key_names};
use crate::store::{Entry, check_name, file, keystore};
use nkey_core::claims::owned::Account;

#[derive(clap::Args)]
pub struct Args {
    /// Its name
    #[arg(value_name = "NAME")]
    from: String,
    /// Its new name
    #[arg(value_name = "NEW NAME")]
    to: String,
    /// nsc's word that there is a backup; nothing here needs it
    #[arg(long = "OK", hide = true)]
    ok: bool,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Gives an account another name: its token is issued anew, its users move.
///
/// Run again, it completes what was interrupted: what is under the old name goes last.
///
/// # Errors
/// If there is an account of the new name, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    check_name("an account", &args.to)?;
    let (mut edit, account) = Edit::account(ctx, Some(&args.from))?;
    let (from, to) = (account.name.clone(), args.to.clone());
    if from == to {
        return Err(Error::usage(format!(
            "account {} has this name",
            clean_inline(&from)
        )));
    }
    let begun = begun(&edit, &account, &to)?;
    Fresh::begin(ctx)?;
    let mut claims = account.claims.clone();
    claims.standard.name.clone_from(&to);
    let (token, issued) = edit.issue_account(ctx, &account, claims)?;
    let read = begun.as_ref().map(|entry| entry.bytes.as_slice());
    edit.operator
        .write_account(edit.lock()?, &to, &token, read)?;
    let users = edit.operator.users(&from)?;
    for user in &users {
        let entry = edit.operator.user(&from, user)?;
        let there = edit.operator.has_user(&to, user);
        let there = there.then(|| edit.operator.user(&to, user)).transpose()?;
        let read = there.as_ref().map(|entry| entry.bytes.as_slice());
        edit.operator
            .write_user(edit.lock()?, &to, user, &entry.token, read)?;
    }
    move_creds(ctx, &edit, &from, &to)?;
    for user in &users {
        edit.operator.remove_user(edit.lock()?, &from, user)?;
    }
    edit.operator.remove_account(edit.lock()?, &from)?;
    rename_keys(ctx, edit.operator.name(), &from, &to);
    if edit.store.selected()[1] == from {
        let name = edit.operator.name().to_owned();
        edit.select(&name, &to, ctx.now())?;
    }
    let headline = format!(
        "account {} is now {}",
        clean_inline(&from),
        clean_inline(&to)
    );
    issued.report(ctx, args.json, &headline)
}

/// The account of the new name, if an interrupted run has written it already.
fn begun(edit: &Edit, account: &Entry<Account>, to: &str) -> Result<Option<Entry<Account>>, Error> {
    let names = edit.operator.accounts()?;
    let folded = to.to_lowercase();
    let same = |name: &&String| name.to_lowercase() == folded && **name != account.name;
    let Some(known) = names.iter().find(same) else {
        return Ok(None);
    };
    let entry = edit.operator.account(known)?;
    if known == to && entry.sub() == account.sub() {
        return Ok(Some(entry));
    }
    Err(Error::failed(format!(
        "operator {} has an account {} already",
        clean_inline(edit.operator.name()),
        clean_inline(known)
    )))
}

fn move_creds(ctx: &mut Context, edit: &Edit, from: &str, to: &str) -> Result<(), Error> {
    let keystore = &edit.store.places().keystore;
    let dir = |account: &str| keystore::creds_dir(keystore, edit.operator.name(), account);
    let (old, new) = (dir(from), dir(to));
    if !old.exists() {
        return Ok(());
    }
    if new.exists() {
        ctx.out.note(format!(
            "{} stays where it is: {} is in the way",
            old.display(),
            new.display()
        ));
        return Ok(());
    }
    if let Some(parent) = new.parent() {
        file::make_dir(parent)?;
    }
    std::fs::rename(&old, &new).map_err(|error| {
        Error::failed(format!(
            "cannot rename {} to {}: {error}",
            old.display(),
            new.display()
        ))
    })
}

/// Keys in the agent are named after their account; that some are not renamed harms nothing.
fn rename_keys(ctx: &mut Context, operator: &str, from: &str, to: &str) {
    let (old, new) = (
        key_names::identity(&[operator, from]),
        key_names::identity(&[operator, to]),
    );
    let mut rename = || -> Result<(), Error> {
        let agent = ctx.agent()?;
        for info in agent.list()? {
            if let Some(rest) = info.name.strip_prefix(&old)
                && (rest.is_empty() || rest.starts_with('/'))
            {
                agent.rename(&info.key, &format!("{new}{rest}"))?;
            }
        }
        Ok(())
    };
    if let Err(error) = rename() {
        ctx.out
            .note(format!("keys in the agent keep their names: {error}"));
    }
}
