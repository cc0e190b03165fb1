//! `nkey add account`.

use crate::context::Context;
use crate::error::Error;
use crate::input::name::NameFlag;
use crate::input::permissions::PermissionFlags;
use crate::input::validity::ValidityFlags;
use crate::key_argument::KeyArgument;
use crate::output::clean_inline;
use crate::store::defaults::new_account;
use crate::store::issue::issue;
use crate::store::keys::{Fresh, key_names};
use crate::store::signer::account_signer;
use crate::store::{Entry, Operator, Store, check_name, managed};
use nkey_core::claims::owned::{self, SigningKey};
use nkey_core::nkey::Kind;
use serde::Serialize;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    name: NameFlag,
    /// The account's public key, instead of a new key in the agent
    #[arg(short = 'k', long, value_name = "KEY")]
    public_key: Option<String>,
    /// Make a signing key as well, as is always done where the operator requires signing keys
    #[arg(long)]
    generate_signing_key: bool,
    #[command(flatten)]
    validity: ValidityFlags,
    #[command(flatten)]
    permissions: PermissionFlags,
    /// Make the account's keys in this store, such as a token, instead of the vault
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// What was added.
#[derive(Serialize)]
struct Added {
    operator: String,
    name: String,
    public_key: String,
    signing_keys: Vec<String>,
    issuer: String,
    #[serde(skip)]
    token: String,
}

/// Adds an account to the operator.
///
/// # Errors
/// If there is one of that name, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let name = args.name.or_ask("account")?;
    check_name("an account", &name)?;
    let given = args
        .public_key
        .as_deref()
        .map(|text| KeyArgument::parse("-k", text))
        .transpose()?;
    let mut store = Store::open(&ctx.global)?;
    let lock = store.lock()?;
    let operator = store.operator(None)?;
    let entry = operator.claims()?;
    // nsc takes names that differ in case only for the same.
    if let Some(known) = operator
        .accounts()?
        .iter()
        .find(|known| known.to_lowercase() == name.to_lowercase())
    {
        let message = format!(
            "operator {} has an account {} already",
            clean_inline(operator.name()),
            clean_inline(known)
        );
        return Err(Error::failed(message).next("nkey list accounts"));
    }
    let mut fresh = Fresh::begin(ctx)?;
    let added = prepare(
        args,
        ctx,
        &operator,
        &entry,
        &name,
        given.as_ref(),
        &mut fresh,
    )
    .map_err(|error| fresh.abandon(ctx, error))?;
    if let Err(error) = operator.write_account(&lock, &name, &added.token, None) {
        return Err(if operator.has_account(&name) {
            error
        } else {
            fresh.abandon(ctx, error)
        });
    }
    store.select(&lock, operator.name(), Some(&name), ctx.now())?;
    managed::synchronize(ctx, &lock, &operator, &entry, &name)?;
    if args.json {
        return ctx.out.json(&added);
    }
    let (name, of) = (clean_inline(&name), clean_inline(operator.name()));
    ctx.out
        .line(format!("added account {name} to operator {of}"))?;
    ctx.out
        .line(format!("  public key   {}", added.public_key))?;
    for key in &added.signing_keys {
        ctx.out.line(format!("  signing key  {key}"))?;
    }
    ctx.out.line(format!("  signed by    {}", added.issuer))
}

fn prepare(
    args: &Args,
    ctx: &mut Context,
    operator: &Operator,
    entry: &Entry<owned::Operator>,
    name: &str,
    given: Option<&KeyArgument>,
    fresh: &mut Fresh,
) -> Result<Added, Error> {
    let path = [operator.name(), name];
    let key = match given {
        Some(KeyArgument::Public(key)) => *key,
        Some(KeyArgument::Name(wanted)) if wanted != "generate" => {
            ctx.find_key(&KeyArgument::Name(wanted.clone()))?.key
        }
        _ => {
            let name = key_names::identity(&path);
            fresh.generate_in(ctx, args.store.as_deref(), Kind::Account, &name)?
        }
    };
    let key = key
        .expect_kind(Kind::Account)
        .map_err(|error| Error::usage(format!("-k: {error}")))?;
    for known in operator.accounts()? {
        if operator.account(&known)?.sub() == key.encode().as_str() {
            return Err(Error::failed(format!(
                "account {} has the key {key} already",
                clean_inline(&known)
            )));
        }
    }
    let signer = account_signer(ctx, operator, entry, Some(&key))?;
    let mut claims = new_account(&key, name);
    args.validity.apply(&mut claims.standard, ctx.now())?;
    args.permissions
        .apply(claims.nats.default_permissions.get_or_insert_default())?;
    if args.generate_signing_key || entry.claims.nats.strict_signing_key_usage {
        let name = key_names::signing_key(&path);
        let signing_key = fresh.generate_in(ctx, args.store.as_deref(), Kind::Account, &name)?;
        claims.nats.signing_keys = vec![SigningKey::Plain(signing_key.to_string())];
    }
    let signing_keys = claims
        .nats
        .signing_keys
        .iter()
        .map(|key| key.key().to_owned())
        .collect();
    let token = issue(ctx, &signer.key, claims, 0)?;
    Ok(Added {
        operator: operator.name().to_owned(),
        name: name.to_owned(),
        public_key: key.to_string(),
        signing_keys,
        issuer: signer.key.to_string(),
        token,
    })
}
