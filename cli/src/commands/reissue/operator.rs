//! `nkey reissue operator`.

use crate::context::Context;
use crate::error::Error;
use crate::input::name::NameFlag;
use crate::output::clean_inline;
use crate::store::chain::account_issuer;
use crate::store::issue::issue;
use crate::store::keys::{Fresh, key_names};
use crate::store::signer::account_signer;
use crate::store::trust::{is_held, operator_signed};
use crate::store::{Entry, Operator, Store};
use nkey_core::claims::owned::{self, Account};
use nkey_core::nkey::{Kind, PublicKey};
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    name: NameFlag,
    /// Keep the old identity key as a signing key, so that no account has to be signed anew
    #[arg(long)]
    convert_to_signing_key: bool,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Tokens that are issued and not yet written.
struct Issued {
    key: PublicKey,
    old: String,
    operator: String,
    accounts: Vec<(Entry<Account>, String)>,
}

/// Gives the operator another identity: a new key of the agent, or the one that -K names. If it
/// is interrupted it can be run again.
///
/// # Errors
/// If others hold the operator, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut store = Store::open(&ctx.global)?;
    let lock = store.lock()?;
    let operator = store.operator(args.name.get())?;
    let entry = operator.claims()?;
    let name = clean_inline(operator.name());
    if operator.is_managed() {
        return Err(Error::failed(format!(
            "others hold the keys of operator {name}: only they can reissue it"
        )));
    }
    let mut fresh = Fresh::begin(ctx)?;
    let issued = prepare(args, ctx, &operator, &entry, &mut fresh)
        .map_err(|error| fresh.abandon(ctx, error))?;
    operator.write_operator(&lock, &issued.operator, Some(&entry.bytes))?;
    for (account, token) in &issued.accounts {
        operator.write_account(&lock, &account.name, token, Some(&account.bytes))?;
    }
    rename_old(ctx, &operator, &issued.old);
    if args.json {
        let accounts: Vec<&str> = issued
            .accounts
            .iter()
            .map(|(account, _)| account.name.as_str())
            .collect();
        return ctx.out.json(&json!({
            "name": operator.name(),
            "public_key": issued.key.to_string(),
            "before": issued.old,
            "converted": args.convert_to_signing_key,
            "accounts": accounts,
        }));
    }
    ctx.out.line(format!("operator {name}"))?;
    ctx.out.line(format!("  public key  {}", issued.key))?;
    let became = if args.convert_to_signing_key {
        " (now a signing key)"
    } else {
        ""
    };
    ctx.out
        .line(format!("  before      {}{became}", issued.old))?;
    for (account, _) in &issued.accounts {
        ctx.out.line(format!(
            "signed account {} anew",
            clean_inline(&account.name)
        ))?;
    }
    ctx.out.note(
        "servers trust the operator that their configuration names: give each of them the new one, then push the accounts\n\
         type: nkey generate config --nats-resolver",
    );
    Ok(())
}

/// The old key gives its name in the agent to the new one.
fn rename_old(ctx: &mut Context, operator: &Operator, old: &str) {
    let name = key_names::identity(&[operator.name()]);
    let before = key_names::identity(&[operator.name(), "before"]);
    let renamed = ctx.agent().and_then(|agent| {
        let held = agent.list()?;
        match held
            .iter()
            .find(|info| info.key.to_string() == old && info.name == name)
        {
            Some(info) => Ok(agent.rename(&info.key, &before)?),
            None => Ok(()),
        }
    });
    if let Err(error) = renamed {
        ctx.out
            .note(format!("the agent still calls {old} {name}: {error}"));
    }
}

/// A strict operator whose identity would be all that it has.
fn no_signing_key(operator: &Operator, entry: &Entry<owned::Operator>, key: &str) -> Error {
    let name = clean_inline(operator.name());
    if entry.claims.nats.signing_keys.is_empty() {
        return Error::failed(format!(
            "operator {name} requires signing keys and has none: nothing was changed"
        ))
        .next("nkey reissue operator --convert-to-signing-key");
    }
    Error::failed(format!(
        "-K: {key} is the only signing key of operator {name}, which requires signing keys and would have none: \
         nothing was changed"
    ))
    .next("nkey edit operator --sk generate")
}

fn prepare(
    args: &Args,
    ctx: &mut Context,
    operator: &Operator,
    entry: &Entry<owned::Operator>,
    fresh: &mut Fresh,
) -> Result<Issued, Error> {
    let old = entry.sub().to_owned();
    let key = match ctx.private_key()? {
        Some(wanted) => ctx.find_key(&wanted)?.key,
        None => fresh.generate(
            ctx,
            Kind::Operator,
            &key_names::identity(&[operator.name()]),
        )?,
    };
    let key = key
        .expect_kind(Kind::Operator)
        .map_err(|error| Error::usage(format!("-K: {error}")))?;
    if key.to_string() == old {
        return Err(Error::usage(format!("{key} is the operator's key already")));
    }
    let iss = &entry.claims.standard.iss;
    if let Err(reason) = operator_signed(&entry.claims, None)
        && !is_held(ctx, iss)?
    {
        return Err(Error::failed(format!(
            "{}: iss: {reason}: nothing was changed",
            entry.path.display()
        )));
    }
    let mut renewed = entry.clone();
    let claims = &mut renewed.claims;
    claims.standard.sub = key.to_string();
    claims
        .nats
        .signing_keys
        .retain(|known| *known != claims.standard.sub);
    if args.convert_to_signing_key {
        claims.nats.signing_keys.push(old.clone());
    }
    if claims.nats.strict_signing_key_usage && claims.nats.signing_keys.is_empty() {
        return Err(no_signing_key(operator, entry, &claims.standard.sub));
    }
    let token = issue(ctx, &key, claims.clone(), entry.claims.standard.iat)?;
    let mut accounts = Vec::new();
    for name in operator.accounts()? {
        let account = operator.account(&name)?;
        // Also what an interrupted run left behind.
        let iss = &account.claims.standard.iss;
        if account_issuer(&renewed.claims.nats, renewed.sub(), iss).is_ok() {
            continue;
        }
        // What the operator never signed does not become its own; an interrupted run's keys are held.
        if let Err(reason) = account_issuer(&entry.claims.nats, entry.sub(), iss)
            && !is_held(ctx, iss)?
        {
            return Err(Error::failed(format!(
                "{}: iss: {reason}: nothing was changed",
                account.path.display()
            ))
            .next("nkey validate -A"));
        }
        // -K names the operator's new identity here, and not who signs accounts.
        let named = ctx.global.private_key.take();
        let signer = account_signer(ctx, operator, &renewed, None);
        ctx.global.private_key = named;
        let token = issue(
            ctx,
            &signer?.key,
            account.claims.clone(),
            account.claims.standard.iat,
        )?;
        accounts.push((account, token));
    }
    Ok(Issued {
        key,
        old,
        operator: token,
        accounts,
    })
}
