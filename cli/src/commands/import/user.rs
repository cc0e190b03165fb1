//! `nkey import user`.

use super::token_file::read;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::keys::key_names;
use crate::store::reissue::is_user_issuer;
use crate::store::{Store, check_name};
use nkey_agent::message::flag;
use nkey_core::claims::owned::User;
use nkey_core::creds;
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    /// The file with the user's JWT, or its creds, whose seed goes into the agent; - for standard input
    #[arg(short, long, value_name = "FILE")]
    file: String,
    /// Import what validation finds servers to refuse
    #[arg(long)]
    skip: bool,
    /// Replace the stored JWT of the user
    #[arg(long)]
    overwrite: bool,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Imports a user; of a creds file also the key.
///
/// # Errors
/// If there is one of that name, or its account is not in the store.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let file = read::<User>(ctx, &args.file, args.skip)?;
    let (standard, nats) = (&file.claims.standard, &file.claims.nats);
    let name = standard.name.clone();
    check_name("a user", &name)?;
    let mut store = Store::open(&ctx.global)?;
    let lock = store.lock()?;
    let operator = store.operator(None)?;
    let of = match nats.issuer_account.as_str() {
        "" => &standard.iss,
        account => account,
    };
    let account = operator
        .find_account(&operator.accounts()?, of)
        .and_then(|name| operator.account(&name))
        .map_err(|_| {
            Error::failed(format!(
                "the store has no account {}: import it first",
                clean_inline(of)
            ))
            .next("nkey import account -j FILE")
        })?;
    if !is_user_issuer(&account, &standard.iss) {
        return Err(Error::failed(format!(
            "{} is neither the account {} nor one of its signing keys",
            standard.iss,
            clean_inline(&account.name)
        )));
    }
    let shown = format!("{}/{}", clean_inline(&account.name), clean_inline(&name));
    let known = match operator.has_user(&account.name, &name) {
        true => Some(operator.user(&account.name, &name)?),
        false => None,
    };
    if let Some(known) = &known {
        if known.sub() != standard.sub {
            return Err(Error::failed(format!(
                "the store has another user {shown}, {}; this one is {}",
                known.sub(),
                standard.sub
            )));
        }
        if !args.overwrite {
            return Err(Error::failed(format!(
                "the store has the user {shown} already (--overwrite replaces it)"
            )));
        }
    }
    let path = [operator.name(), &account.name, &name];
    let key = import_key(ctx, &file.text, &standard.sub, &key_names::identity(&path))?;
    let read = known.as_ref().map(|known| known.bytes.as_slice());
    operator.write_user(&lock, &account.name, &name, &file.token, read)?;
    if args.json {
        return ctx.out.json(&json!({
            "account": account.name,
            "name": name,
            "public_key": standard.sub,
            "key": key,
        }));
    }
    ctx.out
        .line(format!("imported user {shown}; its key {key}"))
}

/// Puts the seed of a creds file into the agent, and tells where the key is.
fn import_key(ctx: &mut Context, text: &str, sub: &str, name: &str) -> Result<&'static str, Error> {
    if !text.contains("-----BEGIN USER NKEY SEED") {
        return Ok("is not in the file");
    }
    let seed = creds::parse_seed(text).map_err(|error| Error::failed(error.to_string()))?;
    let key = seed.public_key();
    if key.to_string() != sub {
        return Err(Error::failed(format!(
            "the seed of the file is that of {key}, and its JWT is about {sub}"
        )));
    }
    if ctx.agent()?.list()?.iter().any(|info| info.key == key) {
        return Ok("is in the agent already");
    }
    ctx.agent()?.add(&seed, name, flag::EXPORTABLE)?;
    Ok("is in the agent")
}
