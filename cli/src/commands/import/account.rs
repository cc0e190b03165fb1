//! `nkey import account`.

use super::token_file::read;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::chain::account_issuer;
use crate::store::issue::issue_as_it_is;
use crate::store::signer::account_signer;
use crate::store::{Store, check_name};
use nkey_core::claims::owned::Account;
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    /// The file with the account's JWT, or - for standard input
    #[arg(short = 'j', long, value_name = "FILE")]
    file: String,
    /// Import what validation finds servers to refuse
    #[arg(long)]
    skip: bool,
    /// Replace the stored JWT of the account
    #[arg(long)]
    overwrite: bool,
    /// Sign the account of another operator anew
    #[arg(long)]
    force: bool,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Imports an account. One that signed itself is signed by the operator.
///
/// # Errors
/// If there is one of that name, or it is of another operator.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let file = read::<Account>(ctx, &args.file, args.skip)?;
    let standard = &file.claims.standard;
    let name = standard.name.clone();
    check_name("an account", &name)?;
    let mut store = Store::open(&ctx.global)?;
    let lock = store.lock()?;
    let operator = store.operator(None)?;
    let entry = operator.claims()?;
    let shown = clean_inline(&name);
    let known = match operator.has_account(&name) {
        true => Some(operator.account(&name)?),
        false => None,
    };
    if let Some(known) = &known {
        if known.sub() != standard.sub {
            return Err(Error::failed(format!(
                "the store has another account {shown}, {}; this one is {}",
                known.sub(),
                standard.sub
            )));
        }
        if !args.overwrite {
            return Err(Error::failed(format!(
                "the store has the account {shown} already (--overwrite replaces it)"
            )));
        }
    }
    for other in operator.accounts()? {
        if other != name && operator.account(&other)?.sub() == standard.sub {
            return Err(Error::failed(format!(
                "account {} has the key {} already",
                clean_inline(&other),
                standard.sub
            )));
        }
    }
    let trusted = account_issuer(&entry.claims.nats, entry.sub(), &standard.iss);
    let own = standard.iss == standard.sub;
    let token = match trusted {
        Ok(()) => file.token.clone(),
        Err(_) if own && operator.is_managed() => {
            return Err(Error::failed(format!(
                "account {shown} signed itself, and others hold the operator: nkey push sends it to them"
            )));
        }
        Err(_) if own || args.force => {
            let signer = account_signer(ctx, &operator, &entry, None)?;
            let after = known.as_ref().map_or(0, |known| known.claims.standard.iat);
            issue_as_it_is(ctx, &signer.key, file.claims.clone(), after)?
        }
        Err(reason) => {
            return Err(Error::failed(format!(
                "account {shown} is not one of operator {}: {reason} (--force signs it anew)",
                clean_inline(operator.name())
            )));
        }
    };
    let read = known.as_ref().map(|known| known.bytes.as_slice());
    operator.write_account(&lock, &name, &token, read)?;
    let signed = token != file.token;
    if args.json {
        return ctx.out.json(&json!({
            "name": name,
            "public_key": file.claims.standard.sub,
            "signed": signed,
        }));
    }
    let how = if signed {
        ", signed by the operator"
    } else {
        ""
    };
    ctx.out.line(format!("imported account {shown}{how}"))
}
