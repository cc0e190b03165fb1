//! `nkey generate creds`.

use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::reissue::require_account;
use crate::store::{Entry, Store, file};
use nkey_agent::client;
use nkey_agent::message::Status;
use nkey_core::claims::ClaimType;
use nkey_core::claims::owned::User;
use nkey_core::creds;
use nkey_core::nkey::{KeyPair, Kind, PublicKey};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use zeroize::Zeroizing;

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The user
    #[arg(short, long, value_name = "USER")]
    name: Option<String>,
    /// Write to FILE, for its owner alone, instead of standard output
    #[arg(
        short,
        long,
        value_name = "FILE",
        default_value = "--",
        hide_default_value = true
    )]
    output_file: PathBuf,
    /// Leave the seed in the agent: for programs that sign through it
    #[arg(long)]
    agent: bool,
}

/// Room for the texts around a token and a seed.
const FRAME: usize = 1024;

/// Writes a user's token and seed, which leaves the agent, as a creds file; with --agent the token alone.
///
/// # Errors
/// If the key is not exportable, or not in the agent.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let store = Store::open(&ctx.global)?;
    let operator = store.operator(None)?;
    let account = store.account(&operator, args.account.as_deref())?;
    let user = operator.find_user(&account, args.name.as_deref())?;
    if let Ok(account) = operator.account(&account) {
        require_account(&account, &user)?;
    }
    let text = match args.agent {
        true => without_seed(ctx, &user)?,
        false => with_seed(ctx, &account, &user)?,
    };
    if args.output_file.as_os_str() == "--" {
        return ctx.out.bytes(text.as_bytes());
    }
    replaceable(&args.output_file)?;
    file::write_output(&args.output_file, text.as_bytes(), true)?;
    ctx.out
        .note(format!("wrote {}", args.output_file.display()));
    Ok(())
}

fn without_seed(ctx: &mut Context, user: &Entry<User>) -> Result<Zeroizing<String>, Error> {
    let mut buf = vec![0u8; user.token.len() + FRAME];
    let text = creds::write_token(ClaimType::User, &user.token, &mut buf)
        .map_err(|error| Error::failed(error.to_string()))?;
    if let Ok(agent) = ctx.agent()
        && !agent
            .list()?
            .iter()
            .any(|info| info.key.to_string() == user.sub())
    {
        ctx.out.note(format!(
            "warning: this agent does not hold {}, the key of the user",
            user.sub()
        ));
    }
    ctx.out
        .note("there is no seed in it: programs sign in through the agent at $NKEY_AUTH_SOCK");
    Ok(Zeroizing::new(text.to_owned()))
}

/// A user's creds file. The seed leaves the agent, which is told.
///
/// # Errors
/// If the key is not exportable, or not in the agent.
pub fn with_seed(
    ctx: &mut Context,
    account: &str,
    user: &Entry<User>,
) -> Result<Zeroizing<String>, Error> {
    let (of, name) = (clean_inline(account), clean_inline(&user.name));
    let key = PublicKey::from_str(user.sub())
        .and_then(|key| key.expect_kind(Kind::User))
        .map_err(|error| Error::failed(format!("{}: sub: {error}", user.path.display())))?;
    let seed = ctx.agent()?.export(&key).map_err(|error| match &error {
        client::Error::Refused { status: Status::Refused, reason } => Error::refused(format!(
            "user {of}/{name} can have no creds file: {reason}. Programs connect with the token and the agent instead; \
             for a creds file, add another user, whose key may leave the agent"
        ))
        .next(format!("nkey add user -a {of} -n NAME")),
        client::Error::Refused { status: Status::UnknownKey, .. } => {
            Error::failed(format!("the agent does not hold {key}, the key of user {of}/{name}"))
                .next("nkey import keys --exportable FILE")
        }
        _ => error.into(),
    })?;
    let pair = KeyPair::from_seed(&seed)
        .map_err(|error| Error::failed(format!("the agent's seed: {error}")))?;
    if pair.public_key() != key {
        return Err(Error::failed(
            "the agent gave another seed than the one that was asked for: do not use this agent",
        ));
    }
    let mut buf = Zeroizing::new(vec![0u8; user.token.len() + FRAME]);
    let text = creds::write(&user.token, &seed, &mut buf)
        .map_err(|error| Error::failed(error.to_string()))?;
    ctx.out.note(format!(
        "the seed of user {of}/{name} leaves the agent: whoever reads the creds is that user"
    ));
    Ok(Zeroizing::new(text.to_owned()))
}

/// Creds are renewed in place; another file is not what was meant.
fn replaceable(path: &Path) -> Result<(), Error> {
    // What is not there, or no file, is judged when it is written.
    let Ok(text) = std::fs::read(path) else {
        return Ok(());
    };
    if !path.is_file() || text.is_empty() || text.starts_with(b"-----BEGIN NATS USER JWT-----") {
        return Ok(());
    }
    Err(Error::failed(format!(
        "{} exists already and holds no creds: remove it, or choose another name",
        path.display()
    )))
}
