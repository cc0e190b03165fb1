//! `nkey add users`.

use super::columns;
use super::user::UserFlags;
use crate::context::Context;
use crate::difference::{Change, compare};
use crate::error::Error;
use crate::key_argument::shell_word;
use crate::output::clean_inline;
use crate::progress::Progress;
use crate::source;
use crate::store::issue::{issue_many, refuse_blocking};
use crate::store::journal::Journal;
use crate::store::keys::{Fresh, key_names};
use crate::store::reissue::{key_of, value};
use crate::store::signer::{Signer, after_revocations, user_signer};
use crate::store::{Entry, Operator, Store, check_name};
use nkey_core::claims::owned::{Account, User};
use nkey_core::nkey::{Kind, PublicKey};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

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
    /// A table of users, or - for standard input: CSV whose header has name, account and flags of
    /// add user without dashes, or JSON lines with such members
    #[arg(
        long,
        value_name = "FILE|-",
        conflicts_with_all = [
            "file", "count", "name", "expiry", "start", "bearer", "source_network", "tag", "subs", "data", "payload",
            "allow_pub", "allow_pubsub", "allow_sub", "deny_pub", "deny_pubsub", "deny_sub", "allow_pub_response", "response_ttl",
        ]
    )]
    from: Option<String>,
    /// How many users
    #[arg(
        long,
        value_name = "N",
        requires = "name",
        required_unless_present_any = ["file", "from"]
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
    /// Of users in a table.
    #[serde(skip_serializing_if = "String::is_empty")]
    account: String,
    name: String,
    public_key: String,
    result: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differs: Vec<Change>,
}

/// A user that is asked for.
struct Wanted<'a> {
    /// Its line in the table.
    line: Option<usize>,
    name: String,
    key: Option<PublicKey>,
    flags: &'a UserFlags,
}

impl Wanted<'_> {
    /// Says where in the table something is wrong.
    fn place(&self, error: Error) -> Error {
        match self.line {
            Some(line) => error.within(&format!("line {line}")),
            None => error,
        }
    }
}

/// The users that are asked for in one account.
struct Batch<'a> {
    account: Entry<Account>,
    signer: Signer,
    new: Vec<Wanted<'a>>,
}

/// Adds many users. Users that are there stay as they are, so it can be run again after it was
/// interrupted; those that a table describes otherwise are told.
///
/// # Errors
/// If the agent does not sign; the users before are added.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let described = match &args.from {
        Some(file) => columns::read(&source::read(file, MAX_FILE)?)?,
        None => Vec::new(),
    };
    let mut store = Store::open(&ctx.global)?;
    let lock = store.lock()?;
    let operator = store.operator(None)?;
    let mut wanted: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
    if args.from.is_some() {
        for user in &described {
            let of = user.account.as_deref().or(args.account.as_deref());
            let user_wanted = Wanted {
                line: Some(user.line),
                name: user.name.clone(),
                key: user.key,
                flags: &user.flags,
            };
            let account = store
                .account(&operator, of)
                .map_err(|error| user_wanted.place(error))?;
            wanted.entry(account).or_default().push(user_wanted);
        }
    } else {
        let names = names(args)?;
        let account = store.account(&operator, args.account.as_deref())?;
        let users = names.into_iter().map(|name| Wanted {
            line: None,
            name,
            key: None,
            flags: &args.flags,
        });
        wanted.insert(account, users.collect());
    }
    check_names(&wanted)?;
    let strict = operator.claims()?.claims.nats.strict_signing_key_usage;
    let mut rows = Vec::new();
    let mut batches = Vec::new();
    for (account, users) in wanted {
        let account = operator.account(&account)?;
        let signer = user_signer(ctx, strict, &account)?;
        let known: BTreeSet<String> = operator.users(&account.name)?.into_iter().collect();
        let (there, new): (Vec<Wanted>, Vec<Wanted>) = users
            .into_iter()
            .partition(|user| known.contains(&user.name));
        for user in there {
            rows.push(existing(ctx, &operator, &account, &signer, user)?);
        }
        for user in new.iter().filter(|user| user.line.is_some()) {
            // Nothing is written if a later row is wrong.
            let key = user
                .key
                .unwrap_or(PublicKey::from_bytes(Kind::User, [0; 32]));
            user.flags
                .claims(ctx.now(), &account, &signer, &key, &user.name)
                .and_then(|claims| refuse_blocking(claims, ctx.now()))
                .map_err(|error| user.place(error))?;
        }
        batches.push(Batch {
            account,
            signer,
            new,
        });
    }
    Fresh::begin(ctx)?;
    let journal = Journal::open(ctx, store.root())?;
    let progress = Progress::new(batches.iter().map(|batch| batch.new.len()).sum(), CHUNK);
    let mut added = 0;
    for batch in &batches {
        for chunk in batch.new.chunks(CHUNK) {
            let names = chunk.iter().map(|user| user.name.clone()).collect();
            journal.begin(&operator, &batch.account.name, names)?;
            let users = make(ctx, &operator, batch, chunk)?;
            let tokens: Vec<(String, String)> = users
                .iter()
                .map(|(name, _, token)| (name.clone(), token.clone()))
                .collect();
            operator.write_new_users(&lock, &batch.account.name, &tokens)?;
            journal.end()?;
            added += users.len();
            progress.at(added);
            rows.extend(users.into_iter().map(|(name, key, _)| Row {
                account: match args.from {
                    Some(_) => batch.account.name.clone(),
                    None => String::new(),
                },
                name,
                public_key: key.to_string(),
                result: "added",
                differs: Vec::new(),
            }));
        }
    }
    drop(progress);
    report(args, ctx, &rows, &batches)
}

fn report(args: &Args, ctx: &mut Context, rows: &[Row], batches: &[Batch]) -> Result<(), Error> {
    let different: Vec<&Row> = rows.iter().filter(|row| !row.differs.is_empty()).collect();
    if args.json {
        ctx.out.json(&rows)?;
    } else {
        for batch in batches {
            let of = clean_inline(&batch.account.name);
            let added = batch.new.len();
            ctx.out
                .line(format!("added {added} users to account {of}"))?;
        }
        let added: usize = batches.iter().map(|batch| batch.new.len()).sum();
        let there = rows.len() - added - different.len();
        if there > 0 {
            ctx.out.line(format!("{there} users were there already"))?;
        }
        for row in &different {
            let (of, name) = (clean_inline(&row.account), clean_inline(&row.name));
            ctx.out
                .line(format!("user {of}/{name} is there and says something else"))?;
            for change in &row.differs {
                ctx.out.line(format!("  {}", change.line()))?;
            }
        }
    }
    match different.first() {
        Some(row) => Err(Error::failed(format!(
            "{} users are there with other claims, and stay as they are",
            different.len()
        ))
        .next(format!(
            "nkey edit user -a {} -n {}",
            shell_word(&clean_inline(&row.account)),
            shell_word(&clean_inline(&row.name))
        ))),
        None => Ok(()),
    }
}

/// A user that is there: what a table says of it otherwise.
fn existing(
    ctx: &Context,
    operator: &Operator,
    account: &Entry<Account>,
    signer: &Signer,
    user: Wanted,
) -> Result<Row, Error> {
    let stored = operator.user(&account.name, &user.name)?;
    let differs = match user.line {
        Some(_) => {
            differences(ctx, account, signer, &user, &stored).map_err(|error| user.place(error))?
        }
        None => Vec::new(),
    };
    Ok(Row {
        account: match user.line {
            Some(_) => account.name.clone(),
            None => String::new(),
        },
        public_key: stored.sub().to_owned(),
        result: if differs.is_empty() {
            "already there"
        } else {
            "different"
        },
        name: user.name,
        differs,
    })
}

/// How far the clock of a relative time may be from the date of the token, in seconds.
const SLACK: i64 = 60;

fn differences(
    ctx: &Context,
    account: &Entry<Account>,
    signer: &Signer,
    user: &Wanted,
    stored: &Entry<User>,
) -> Result<Vec<Change>, Error> {
    let before = &stored.claims;
    let key = match user.key {
        Some(key) => key,
        None => key_of(stored)?,
    };
    let at = |now: i64| user.flags.claims(now, account, signer, &key, &user.name);
    // A time such as 3d counts from when the token was issued.
    let iat = before.standard.iat;
    let (mut after, now) = (at(iat)?, at(ctx.now())?);
    let (wanted, said) = (&mut after.standard, &before.standard);
    for (wanted, now, said) in [
        (&mut wanted.exp, now.standard.exp, said.exp),
        (&mut wanted.nbf, now.standard.nbf, said.nbf),
    ] {
        if *wanted != now && wanted.abs_diff(said) <= SLACK.unsigned_abs() {
            *wanted = said;
        }
    }
    wanted.iat = said.iat;
    wanted.iss.clone_from(&said.iss);
    wanted.jti.clone_from(&said.jti);
    after
        .nats
        .issuer_account
        .clone_from(&before.nats.issuer_account);
    Ok(compare(&value(before), &value(&after)))
}

fn check_names(wanted: &BTreeMap<String, Vec<Wanted>>) -> Result<(), Error> {
    let total: usize = wanted.values().map(Vec::len).sum();
    if total == 0 {
        return Err(Error::usage("no names of users were given"));
    }
    if total > MAX_USERS {
        return Err(Error::usage(format!(
            "{total} users are more than an agent holds keys, {MAX_USERS}"
        )));
    }
    for users in wanted.values() {
        let mut seen = BTreeSet::new();
        for user in users {
            check_name("a user", &user.name).map_err(|error| user.place(error))?;
            if !seen.insert(&user.name) {
                let name = clean_inline(&user.name);
                return Err(user.place(Error::usage(format!("the name {name} stands twice"))));
            }
        }
    }
    Ok(())
}

/// The names of a file, or numbered ones.
fn names(args: &Args) -> Result<Vec<String>, Error> {
    Ok(match (&args.file, args.count, &args.name) {
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
    })
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
    ctx: &mut Context,
    operator: &Operator,
    batch: &Batch,
    users: &[Wanted],
) -> Result<Vec<(String, PublicKey, String)>, Error> {
    let key_name = |user: &Wanted| {
        key_names::identity(&[operator.name(), &batch.account.name, user.name.as_str()])
    };
    let without = users.iter().filter(|user| user.key.is_none());
    let key_names: Vec<String> = without.map(key_name).collect();
    let mut fresh = Fresh::begin(ctx)?;
    let mut made = fresh
        .generate_many(ctx, Kind::User, &key_names)?
        .into_iter();
    let keys: Vec<PublicKey> = users
        .iter()
        .filter_map(|user| user.key.or_else(|| made.next()))
        .collect();
    let issued = issue(ctx, batch, users, &keys);
    let tokens = issued.map_err(|error| fresh.abandon(ctx, error))?;
    Ok(users
        .iter()
        .map(|user| user.name.clone())
        .zip(keys)
        .zip(tokens)
        .map(|((name, key), token)| (name, key, token))
        .collect())
}

fn issue(
    ctx: &mut Context,
    batch: &Batch,
    users: &[Wanted],
    keys: &[PublicKey],
) -> Result<Vec<String>, Error> {
    let now = ctx.now();
    let Batch {
        account, signer, ..
    } = batch;
    let claims = users
        .iter()
        .zip(keys)
        .map(|(user, key)| user.flags.claims(now, account, signer, key, &user.name))
        .collect::<Result<Vec<_>, _>>()?;
    let given = keys.iter().map(PublicKey::to_string);
    let after = given
        .map(|key| after_revocations(&account.claims.nats, &key))
        .max()
        .unwrap_or_default();
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
