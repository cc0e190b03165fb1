//! `nkey add users`.

use super::user::UserFlags;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::source;
use crate::store::issue::issue_many;
use crate::store::keys::{Fresh, key_names};
use crate::store::signer::{Signer, after_revocations, user_signer};
use crate::store::{Entry, Operator, Store, check_name};
use nkey_core::claims::owned::Account;
use nkey_core::nkey::{Kind, PublicKey};
use serde::Serialize;
use std::collections::BTreeSet;

/// Users that are made at a time: what is lost if the power goes.
const CHUNK: usize = 500;

/// Most users: the agent holds no more keys.
const MAX_USERS: usize = 65_536;

/// The longest file with names, in bytes.
const MAX_FILE: usize = 16 * 1024 * 1024;

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The users' names, one a line, or - for standard input
    #[arg(short, long, value_name = "FILE|-", conflicts_with_all = ["count", "name"])]
    file: Option<String>,
    /// How many users
    #[arg(
        long,
        value_name = "N",
        requires = "name",
        required_unless_present = "file"
    )]
    count: Option<usize>,
    /// The users' names with --count; {} stands for the number, from 1
    #[arg(short, long, value_name = "PATTERN")]
    name: Option<String>,
    #[command(flatten)]
    flags: UserFlags,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// One user.
#[derive(Serialize)]
struct Row {
    name: String,
    public_key: String,
    result: &'static str,
}

/// Adds many users to an account, alike but for their names and keys. Users that are there stay
/// as they are, so it can be run again after it was interrupted.
///
/// # Errors
/// If the agent does not sign; the users before are added.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let names = names(args)?;
    let mut store = Store::open(&ctx.global)?;
    let lock = store.lock()?;
    let operator = store.operator(None)?;
    let strict = operator.claims()?.claims.nats.strict_signing_key_usage;
    let account = operator.account(&store.account(&operator, args.account.as_deref())?)?;
    let signer = user_signer(ctx, strict, &account)?;
    Fresh::begin(ctx)?;
    let known: BTreeSet<String> = operator.users(&account.name)?.into_iter().collect();
    let (there, new): (Vec<String>, Vec<String>) =
        names.into_iter().partition(|name| known.contains(name));
    let mut rows = Vec::new();
    for name in there {
        let public_key = operator.user(&account.name, &name)?.claims.standard.sub;
        rows.push(Row {
            name,
            public_key,
            result: "already there",
        });
    }
    let there = rows.len();
    for chunk in new.chunks(CHUNK) {
        let users = make(args, ctx, &operator, &account, &signer, chunk)?;
        let tokens: Vec<(String, String)> = users
            .iter()
            .map(|(name, _, token)| (name.clone(), token.clone()))
            .collect();
        operator.write_new_users(&lock, &account.name, &tokens)?;
        rows.extend(users.into_iter().map(|(name, key, _)| Row {
            name,
            public_key: key.to_string(),
            result: "added",
        }));
    }
    if args.json {
        return ctx.out.json(&rows);
    }
    let of = clean_inline(&account.name);
    ctx.out.line(format!(
        "added {} users to account {of}",
        rows.len() - there
    ))?;
    if there > 0 {
        ctx.out.line(format!("{there} users were there already"))?;
    }
    Ok(())
}

/// The names, each once.
fn names(args: &Args) -> Result<Vec<String>, Error> {
    let names: Vec<String> = match (&args.file, args.count, &args.name) {
        (Some(file), ..) => {
            let text = source::read(file, MAX_FILE)?;
            let lines = text.lines().map(str::trim);
            lines
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .map(str::to_owned)
                .collect()
        }
        (None, Some(count), Some(pattern)) => numbered(count, pattern)?,
        _ => Vec::new(),
    };
    if names.is_empty() {
        return Err(Error::usage("no names of users were given"));
    }
    if names.len() > MAX_USERS {
        return Err(Error::usage(format!(
            "{} users are more than an agent holds keys, {MAX_USERS}",
            names.len()
        )));
    }
    let mut seen = BTreeSet::new();
    for name in &names {
        check_name("a user", name)?;
        if !seen.insert(name) {
            return Err(Error::usage(format!(
                "the name {} stands twice",
                clean_inline(name)
            )));
        }
    }
    Ok(names)
}

/// Numbers of one width, so that names sort as they count.
fn numbered(count: usize, pattern: &str) -> Result<Vec<String>, Error> {
    if count > 1 && !pattern.contains("{}") {
        return Err(Error::usage(
            "--name has no {} for the number: all users would have one name",
        ));
    }
    if count > MAX_USERS {
        return Err(Error::usage(format!(
            "--count is at most {MAX_USERS}, the keys that an agent holds"
        )));
    }
    let width = count.to_string().len();
    let names = (1..=count).map(|number| pattern.replace("{}", &format!("{number:0width$}")));
    Ok(names.collect())
}

/// Makes the keys and issues the tokens.
fn make(
    args: &Args,
    ctx: &mut Context,
    operator: &Operator,
    account: &Entry<Account>,
    signer: &Signer,
    names: &[String],
) -> Result<Vec<(String, PublicKey, String)>, Error> {
    let key_name =
        |name: &String| key_names::identity(&[operator.name(), &account.name, name.as_str()]);
    let key_names: Vec<String> = names.iter().map(key_name).collect();
    let mut fresh = Fresh::begin(ctx)?;
    let keys = fresh.generate_many(ctx, Kind::User, &key_names)?;
    let issued = issue(args, ctx, account, signer, names, &keys);
    let tokens = issued.map_err(|error| fresh.abandon(ctx, error))?;
    Ok(names
        .iter()
        .cloned()
        .zip(keys)
        .zip(tokens)
        .map(|((name, key), token)| (name, key, token))
        .collect())
}

fn issue(
    args: &Args,
    ctx: &mut Context,
    account: &Entry<Account>,
    signer: &Signer,
    names: &[String],
    keys: &[PublicKey],
) -> Result<Vec<String>, Error> {
    let now = ctx.now();
    let claims = names
        .iter()
        .zip(keys)
        .map(|(name, key)| args.flags.claims(now, account, signer, key, name))
        .collect::<Result<Vec<_>, _>>()?;
    let after = after_revocations(&account.claims.nats, "*");
    issue_many(ctx, &signer.key, claims, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_width() {
        assert_eq!(numbered(2, "u-{}").unwrap(), ["u-1", "u-2"]);
        let names = numbered(100, "{}/x").unwrap();
        assert_eq!((names[0].as_str(), names[99].as_str()), ("001/x", "100/x"));
        assert_eq!(numbered(1, "only").unwrap(), ["only"]);
        assert_eq!(numbered(2, "only").unwrap_err().code(), 2);
        assert_eq!(numbered(usize::MAX, "{}").unwrap_err().code(), 2);
    }
}
