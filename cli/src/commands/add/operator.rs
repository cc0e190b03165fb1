//! `nkey add operator`.

use crate::commands::token::policy::let_sign_operator;
use crate::context::Context;
use crate::error::Error;
use crate::input::name::NameFlag;
use crate::input::validity::ValidityFlags;
use crate::output::clean_inline;
use crate::source::{self, MAX_TEXT};
use crate::store::defaults::new_operator;
use crate::store::issue::issue;
use crate::store::keys::{Fresh, key_names};
use crate::store::system::{self, Extra, Pair};
use crate::store::trust::operator_signed;
use crate::store::{Lock, Operator, Store, check_name, well_known};
use nkey_core::creds;
use nkey_core::jwt::Algorithm;
use nkey_core::nkey::Kind;
use nkey_core::tolerant::{self, AnyClaims};
use serde::Serialize;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    name: NameFlag,
    /// Make a signing key as well
    #[arg(long)]
    generate_signing_key: bool,
    /// Make a system account as well, signed by the signing key if there is one
    #[arg(short, long)]
    sys: bool,
    /// Take the JWT of an operator that others hold from a URL, a name that nsc knows, or a file
    #[arg(short, long, value_name = "URL|NAME|FILE", conflicts_with_all = ["sys", "generate_signing_key"])]
    url: Option<String>,
    /// Replace the operator's JWT by the one from FILE
    #[arg(long, requires = "url")]
    force: bool,
    #[command(flatten)]
    validity: ValidityFlags,
    /// Make the operator's keys in this store, such as a token, instead of the vault
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// What was added.
#[derive(Serialize)]
pub struct Added {
    /// Its name.
    pub name: String,
    /// Its key.
    pub public_key: String,
    signing_keys: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_account: Option<String>,
}

/// Adds an operator, or the JWT of one that others hold.
///
/// # Errors
/// If there is one of that name, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let added = match &args.url {
        Some(source) => import(args, ctx, source)?,
        None => generate(args, ctx)?,
    };
    if args.json {
        return ctx.out.json(&added);
    }
    let name = clean_inline(&added.name);
    ctx.out.line(format!("added operator {name}"))?;
    ctx.out
        .line(format!("  public key      {}", added.public_key))?;
    for key in &added.signing_keys {
        ctx.out
            .line(format!("  signing key     {}", clean_inline(key)))?;
    }
    if let Some(account) = &added.system_account {
        ctx.out
            .line(format!("  system account  {}", clean_inline(account)))?;
    }
    Ok(())
}

fn exists(store: &Store, name: &str) -> Error {
    let message = format!(
        "{} holds an operator {} already",
        store.root().display(),
        clean_inline(name)
    );
    Error::failed(message).next("nkey list operators")
}

fn generate(args: &Args, ctx: &mut Context) -> Result<Added, Error> {
    let name = args.name.or_ask("operator")?;
    let mut store = Store::open(&ctx.global)?;
    let lock = store.lock()?;
    let operator = Operator::new(store.root(), &name, false)?;
    if operator.dir().exists() {
        return Err(exists(&store, &name));
    }
    let mut fresh = Fresh::begin(ctx)?;
    if let (Some(place), true) = (&args.store, args.sys) {
        system::expect_room(ctx, place, &name)?;
    }
    let (added, token, system) =
        prepare(args, ctx, &operator, &mut fresh).map_err(|error| fresh.abandon(ctx, error))?;
    if let Some(system) = &system {
        system.write(&lock, &operator)?;
    }
    finish(ctx, &mut store, &lock, &operator, &token, None)?;
    Ok(added)
}

fn prepare(
    args: &Args,
    ctx: &mut Context,
    operator: &Operator,
    fresh: &mut Fresh,
) -> Result<(Added, String, Option<Pair>), Error> {
    let name = operator.name();
    let key = match ctx.private_key()? {
        Some(wanted) => ctx.find_key(&wanted)?.key,
        None => {
            let name = key_names::identity(&[name]);
            let store = args.store.as_deref();
            let key = fresh.generate_in(ctx, store, Kind::Operator, &name)?;
            if let Some(store) = store {
                // It is not strict, so this key signs the accounts as well.
                let_sign_operator(ctx, store, &key, true)?;
            }
            key
        }
    };
    let key = key
        .expect_kind(Kind::Operator)
        .map_err(|error| Error::usage(format!("-K: {error}")))?;
    let mut claims = new_operator(&key, name);
    args.validity.apply(&mut claims.standard, ctx.now())?;
    let mut signer = key;
    if args.generate_signing_key {
        let name = key_names::signing_key(&[name]);
        signer = fresh.generate_in(ctx, args.store.as_deref(), Kind::Operator, &name)?;
        claims.nats.signing_keys = vec![signer.to_string()];
    }
    let mut system = None;
    if args.sys {
        let pair = Pair::make(
            ctx,
            fresh,
            name,
            [system::ACCOUNT, system::USER],
            Some(&signer),
            Extra::System,
        )?;
        claims.nats.system_account = pair.account.to_string();
        system = Some(pair);
    }
    let added = Added {
        name: name.to_owned(),
        public_key: key.to_string(),
        signing_keys: claims.nats.signing_keys.clone(),
        system_account: system.as_ref().map(|pair| pair.account.to_string()),
    };
    let token = issue(ctx, &key, claims, 0)?;
    Ok((added, token, system))
}

/// Writes the token and the marker, which comes last: without it the folder is no operator's.
fn finish(
    ctx: &Context,
    store: &mut Store,
    lock: &Lock,
    operator: &Operator,
    token: &str,
    read: Option<&[u8]>,
) -> Result<(), Error> {
    operator.write_operator(lock, token, read)?;
    operator.write_marker(lock)?;
    let account = store.kept_account(operator)?;
    store.select(lock, operator.name(), account.as_deref(), ctx.now())
}

fn import(args: &Args, ctx: &mut Context, source: &str) -> Result<Added, Error> {
    if args.validity.is_given() {
        return Err(Error::usage(
            "--expiry and --start cannot change a JWT that others issue",
        ));
    }
    let token = match well_known::url(source) {
        Some(url) => well_known::fetch(&url)?,
        None => {
            let text = source::read(source, MAX_TEXT)?;
            creds::parse_token(&text).trim().to_owned()
        }
    };
    store_token(ctx, source, &token, args.name.get(), args.force)
}

/// Stores the token of an operator that others hold.
///
/// # Errors
/// If it is none, or the store has another operator of that name.
pub fn store_token(
    ctx: &mut Context,
    source: &str,
    token: &str,
    name: Option<&str>,
    force: bool,
) -> Result<Added, Error> {
    let failed = |reason: String| Error::failed(format!("{}: {reason}", clean_inline(source)));
    let decoded = tolerant::decode(token).map_err(|error| failed(error.to_string()))?;
    let AnyClaims::Operator(claims) = decoded.claims else {
        return Err(failed("this is not an operator's JWT".to_owned()));
    };
    if decoded.version == Algorithm::V1 {
        return Err(failed(
            "this is a JWT of version 1: ask whoever issues it for one of version 2".to_owned(),
        ));
    }
    let (sub, signing_keys) = (&claims.standard.sub, &claims.nats.signing_keys);
    let name = name.unwrap_or(&claims.standard.name).to_owned();
    check_name("an operator", &name)?;
    let mut store = Store::open(&ctx.global)?;
    let lock = store.lock()?;
    let added = Added {
        name: name.clone(),
        public_key: sub.clone(),
        signing_keys: signing_keys.clone(),
        system_account: Some(claims.nats.system_account.clone())
            .filter(|account| !account.is_empty()),
    };
    if store.operators()?.contains(&name) {
        if !force {
            let error = exists(&store, &name).next(format!(
                "nkey add operator -u {} --force",
                clean_inline(source)
            ));
            return Err(error);
        }
        let operator = store.operator(Some(&name))?;
        let known = operator.claims()?;
        if known.sub() != sub {
            return Err(failed(format!(
                "operator {} is {}, this JWT is about {sub}",
                clean_inline(&name),
                known.sub()
            )));
        }
        operator_signed(&claims, Some(&known.claims)).map_err(failed)?;
        if claims.standard.iat < known.claims.standard.iat
            || claims.standard.iat == known.claims.standard.iat && token != known.token
        {
            return Err(failed(
                "the JWT in the store is as new or newer: nothing was changed".to_owned(),
            ));
        }
        finish(ctx, &mut store, &lock, &operator, token, Some(&known.bytes))?;
    } else {
        operator_signed(&claims, None).map_err(failed)?;
        let operator = Operator::new(store.root(), &name, true)?;
        if operator.dir().exists() {
            return Err(exists(&store, &name));
        }
        finish(ctx, &mut store, &lock, &operator, token, None)?;
    }
    Ok(added)
}
