//! `nkey fix`.

use crate::context::Context;
use crate::error::Error;
use crate::found;
use crate::input::list;
use crate::output::clean_inline;
use crate::source;
use crate::store::chain::account_issuer;
use crate::store::inventory::Inventory;
use crate::store::{Lock, Operator, Store, Typed, check_name};
use nkey_agent::message::flag;
use nkey_core::claims::owned::{self, Account, Claims, User};
use nkey_core::creds;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::tolerant::{self, AnyClaims};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The deepest folder that is searched.
const MAX_DEPTH: usize = 32;

#[derive(clap::Args)]
pub struct Args {
    /// The folders to search for JWTs (.jwt), seeds (.nk) and creds
    #[arg(long = "in", value_name = "DIR,...", required = true)]
    input: Vec<String>,
    /// The folder of the new store, which must not be there yet
    #[arg(long, value_name = "DIR", default_value = "fixed")]
    out: PathBuf,
    /// Use the JWTs of creds files as well
    #[arg(long)]
    creds: bool,
}

/// The newest token of each subject.
#[derive(Default)]
struct Tokens {
    operators: BTreeMap<String, (Claims<owned::Operator>, String)>,
    accounts: BTreeMap<String, (Claims<Account>, String)>,
    users: BTreeMap<String, (Claims<User>, String)>,
}

/// Builds a store anew from what lies in some folders; the seeds go into the agent.
///
/// # Errors
/// If there is no operator among them, or something cannot be used; the rest is built.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    if args.out.exists() {
        return Err(Error::usage(format!(
            "{} exists already: name a new folder by --out",
            args.out.display()
        )));
    }
    let folders =
        list::split(&args.input).map_err(|error| Error::usage(format!("--in: {error}")))?;
    let mut problems = Vec::new();
    let mut tokens = Tokens::default();
    for folder in &folders {
        collect(args, Path::new(folder), 0, &mut tokens, &mut problems);
    }
    if tokens.operators.is_empty() {
        return Err(Error::failed("there is no operator's JWT in these folders"));
    }
    let lock = Lock::take(&args.out)?;
    let mut written = [0; 3];
    for (claims, token) in tokens.operators.values() {
        let built = build(
            args,
            &lock,
            claims,
            token,
            &tokens,
            &mut written,
            &mut problems,
        );
        problems.extend(built.err().map(|error| error.message()));
    }
    let seeds = import(args, ctx, &folders, &mut problems)?;
    for problem in &problems {
        ctx.out.note(format!("not used: {}", clean_inline(problem)));
    }
    let [operators, accounts, users] = written;
    ctx.out.line(format!(
        "built {}: {operators} operators, {accounts} accounts, {users} users; {seeds} seeds are in the agent",
        clean_inline(&args.out.display().to_string())
    ))?;
    match problems.len() {
        0 => Ok(()),
        count => Err(Error::failed(format!("{count} things were not used"))),
    }
}

fn collect(args: &Args, dir: &Path, depth: usize, tokens: &mut Tokens, problems: &mut Vec<String>) {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(format!("{}: {error}", dir.display()));
            return;
        }
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_link = path.is_symlink();
        let end = path.extension().and_then(|end| end.to_str());
        if path.is_dir() && !is_link && depth < MAX_DEPTH {
            collect(args, &path, depth + 1, tokens, problems);
        } else if end == Some("jwt") || args.creds && end == Some("creds") {
            let read = source::read_file(&path, source::MAX_TEXT).and_then(|text| {
                tokens
                    .add(creds::parse_token(&text).trim())
                    .map_err(|error| Error::failed(format!("{}: {error}", path.display())))
            });
            problems.extend(read.err().map(|error| error.message()));
        }
    }
}

impl Tokens {
    fn add(&mut self, token: &str) -> Result<(), Error> {
        let decoded = tolerant::decode(token).map_err(Error::failed)?;
        match decoded.claims {
            AnyClaims::Operator(claims) => newest(&mut self.operators, claims, token),
            AnyClaims::Account(claims) => newest(&mut self.accounts, claims, token),
            AnyClaims::User(claims) => newest(&mut self.users, claims, token),
            // Activations and the like lie beside stores, not in them.
            _ => {}
        }
        Ok(())
    }
}

fn newest<N: Typed>(
    known: &mut BTreeMap<String, (Claims<N>, String)>,
    claims: Claims<N>,
    token: &str,
) {
    let sub = claims.standard.sub.clone();
    let older = known
        .get(&sub)
        .is_none_or(|(other, _)| other.standard.iat < claims.standard.iat);
    if older {
        known.insert(sub, (claims, token.to_owned()));
    }
}

fn build(
    args: &Args,
    lock: &Lock,
    claims: &Claims<owned::Operator>,
    token: &str,
    tokens: &Tokens,
    written: &mut [usize; 3],
    problems: &mut Vec<String>,
) -> Result<(), Error> {
    let operator = Operator::new(&args.out, &claims.standard.name, false)?;
    if operator.has_marker() {
        return Err(Error::failed(format!(
            "there are two operators named {}",
            claims.standard.name
        )));
    }
    operator.write_operator(lock, token, None)?;
    operator.write_marker(lock)?;
    written[0] += 1;
    for (account, token) in tokens.accounts.values() {
        let iss = &account.standard.iss;
        if account_issuer(&claims.nats, &claims.standard.sub, iss).is_err() {
            continue;
        }
        let name = &account.standard.name;
        let built = check_name("an account", name)
            .and_then(|()| operator.write_account(lock, name, token, None));
        if let Err(error) = built {
            problems.push(format!("account {name}: {}", error.message()));
            continue;
        }
        written[1] += 1;
        for (user, token) in tokens.users.values() {
            let of = match user.nats.issuer_account.as_str() {
                "" => &user.standard.iss,
                issuer => issuer,
            };
            if of != account.standard.sub {
                continue;
            }
            let built = operator.write_user(lock, name, &user.standard.name, token, None);
            match built {
                Ok(_) => written[2] += 1,
                Err(error) => problems.push(format!(
                    "user {name}/{}: {}",
                    user.standard.name,
                    error.message()
                )),
            }
        }
    }
    Ok(())
}

/// Puts the seeds into the agent, named as the tokens of the new store say.
fn import(
    args: &Args,
    ctx: &mut Context,
    folders: &[String],
    problems: &mut Vec<String>,
) -> Result<usize, Error> {
    let mut seeds = Vec::new();
    for folder in folders {
        found::in_directory(Path::new(folder), true, &mut seeds);
    }
    if seeds.iter().all(|found| found.seed.is_err()) {
        return Ok(0);
    }
    let held = ctx.agent()?.list()?;
    let mut held: BTreeSet<PublicKey> = held.into_iter().map(|info| info.key).collect();
    ctx.global.all_dirs = None;
    ctx.global.data_dir = Some(std::path::absolute(&args.out).map_err(Error::failed)?);
    let store = Store::open(&ctx.global)?;
    let inventory = Inventory::take(&store, Vec::new())?;
    let mut count = 0;
    for found in seeds {
        let seed = match &found.seed {
            Ok(seed) => seed,
            Err(reason) => {
                problems.push(reason.clone());
                continue;
            }
        };
        let key = seed.public_key();
        let known = inventory.keys.iter().find(|known| known.key == key);
        if !held.insert(key) {
            continue;
        }
        let name = known.map(|known| known.name()).unwrap_or_default();
        let bits = match key.kind() {
            Kind::User => flag::EXPORTABLE,
            _ => 0,
        };
        match ctx.agent()?.add(seed, &name, bits) {
            Ok(_) => count += 1,
            Err(error) => problems.push(format!("{}: {error}", found.source)),
        }
    }
    Ok(count)
}
