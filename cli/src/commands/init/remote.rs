//! `nkey init --remote-operator`: an account and a user below an operator that others hold.

use super::Args;
use crate::commands::add::operator::store_token;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::keys::Fresh;
use crate::store::receive::read;
use crate::store::system::{Extra, Pair};
use crate::store::{Store, check_name, managed, well_known};
use nkey_core::claims::owned;
use serde_json::json;

/// Takes the operator, makes an account that signs itself and a user, and has the operator sign
/// the account.
///
/// # Errors
/// If the operator cannot be fetched, or has no account server.
pub fn run(args: &Args, ctx: &mut Context, source: &str) -> Result<(), Error> {
    let name = args.name.or_ask("account")?;
    check_name("an account", &name)?;
    let url = well_known::url(source).ok_or_else(|| {
        Error::usage(format!(
            "no operator named {} is known: name its URL, or set NSC_<NAME>_OPERATOR to it",
            clean_inline(source)
        ))
    })?;
    let token = well_known::fetch(&url)?;
    let claims = read::<owned::Operator>(&token)?;
    if claims.nats.account_server_url.is_empty() {
        return Err(Error::failed(format!(
            "operator {} names no account server",
            clean_inline(&claims.standard.name)
        )));
    }
    let mut store = Store::open(&ctx.global)?;
    if let Some(dir) = &args.dir {
        store.set_root(dir.clone());
        ctx.global.data_dir = Some(dir.clone());
    }
    let known = store.operators()?.contains(&claims.standard.name)
        && store.operator(Some(&claims.standard.name))?.claims()?.sub() == claims.standard.sub;
    if !known {
        store_token(ctx, source, &token, None, false)?;
    }
    let lock = store.lock()?;
    let operator = store.operator(Some(&claims.standard.name))?;
    let entry = operator.claims()?;
    if operator.accounts()?.contains(&name) {
        return Err(Error::failed(format!(
            "operator {} has an account {} already",
            clean_inline(operator.name()),
            clean_inline(&name)
        ))
        .next("nkey list accounts"));
    }
    let mut fresh = Fresh::begin(ctx)?;
    let pair = Pair::make(
        ctx,
        &mut fresh,
        operator.name(),
        [&name, &name],
        None,
        Extra::Nothing,
    )
    .map_err(|error| fresh.abandon(ctx, error))?;
    pair.write(&lock, &operator)?;
    store.select(&lock, operator.name(), Some(&name), ctx.now())?;
    managed::synchronize(ctx, &lock, &operator, &entry, &name)?;
    let account = operator.account(&name)?;
    if args.json {
        return ctx.out.json(&json!({
            "operator": { "name": operator.name(), "public_key": entry.sub() },
            "account": {
                "name": name,
                "public_key": pair.account.to_string(),
                "signing_keys": [pair.signing_key.to_string()],
                "user": { "name": name, "public_key": pair.user.to_string() },
                "issuer": account.claims.standard.iss,
            },
            "dir": operator.dir().display().to_string(),
        }));
    }
    let shown = clean_inline(&name);
    ctx.out.line(format!(
        "made account {shown} of operator {}",
        clean_inline(operator.name())
    ))?;
    ctx.out.line(format!("account {shown}  {}", pair.account))?;
    ctx.out
        .line(format!("  signing key  {}", pair.signing_key))?;
    ctx.out.line(format!("  user {shown}  {}", pair.user))?;
    ctx.out
        .line(format!("  signed by  {}", account.claims.standard.iss))
}
