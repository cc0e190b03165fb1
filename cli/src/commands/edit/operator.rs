//! `nkey edit operator`.

use super::nothing_to_do;
use crate::context::Context;
use crate::error::Error;
use crate::input::keys::SigningKeyFlags;
use crate::input::tags::TagFlags;
use crate::input::validity::ValidityFlags;
use crate::input::{boolean, list};
use crate::key_argument::shell_word;
use crate::output::clean_inline;
use crate::store::chain::has_jetstream;
use crate::store::edit::{self, Edit, Issued, is_issuer, require_editable};
use crate::store::keys::Fresh;
use crate::store::trust::{is_held, operator_signed};
use nkey_core::claims::owned;
use nkey_core::nkey::{Kind, PublicKey};
use std::str::FromStr;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    keys: SigningKeyFlags,
    #[command(flatten)]
    tags: TagFlags,
    #[command(flatten)]
    validity: ValidityFlags,
    /// Where accounts are pushed to, such as nats://localhost:4222
    #[arg(short = 'u', long, value_name = "URL")]
    account_jwt_server_url: Option<String>,
    /// Remove the URL that accounts are pushed to
    #[arg(long, conflicts_with = "account_jwt_server_url")]
    rm_account_jwt_server_url: bool,
    /// Add URLs where clients connect
    #[arg(short = 'n', long, value_name = "URL,...")]
    service_url: Vec<String>,
    /// Remove URLs where clients connect
    #[arg(long, value_name = "URL,...")]
    rm_service_url: Vec<String>,
    /// The system account, by name or public key
    #[arg(long, value_name = "ACCOUNT")]
    system_account: Option<String>,
    /// Accounts and users must be signed by signing keys
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = boolean::parse
    )]
    require_signing_keys: Option<bool>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

impl Args {
    fn is_empty(&self) -> bool {
        !(self.keys.is_given()
            || self.tags.is_given()
            || self.validity.is_given()
            || self.account_jwt_server_url.is_some()
            || self.rm_account_jwt_server_url
            || !self.service_url.is_empty()
            || !self.rm_service_url.is_empty()
            || self.system_account.is_some()
            || self.require_signing_keys.is_some())
    }
}

/// Changes the operator.
///
/// # Errors
/// If servers would refuse it then, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    if args.is_empty() {
        return Err(nothing_to_do());
    }
    let edit = Edit::begin(ctx)?;
    let name = clean_inline(edit.operator.name());
    if edit.operator.is_managed() {
        return Err(Error::failed(format!(
            "others hold the keys of operator {name}, and only they can change it; a newer JWT of it is taken by"
        ))
        .next("nkey add operator -u FILE --force"));
    }
    require_editable(&edit.entry)?;
    let iss = &edit.entry.claims.standard.iss;
    if let Err(reason) = operator_signed(&edit.entry.claims, None)
        && !(is_issuer(&edit.entry, iss) && is_held(ctx, iss)?)
    {
        return Err(Error::failed(format!(
            "{}: iss: {reason}: nothing was changed",
            edit.entry.path.display()
        )));
    }
    let mut fresh = Fresh::begin(ctx)?;
    let result = change(args, ctx, &edit, &mut fresh);
    let (issued, removed) = edit::end(ctx, &mut fresh, &edit.entry, result)?;
    for key in removed {
        note_signed(ctx, &edit, &key)?;
    }
    issued.report(ctx, args.json, &format!("edited operator {name}"))
}

fn change(
    args: &Args,
    ctx: &mut Context,
    edit: &Edit,
    fresh: &mut Fresh,
) -> Result<(Issued, Vec<String>), Error> {
    let mut claims = edit.entry.claims.clone();
    args.tags.apply(&mut claims.generic.tags, &mut ctx.out)?;
    args.validity.apply(&mut claims.standard, ctx.now())?;
    let nats = &mut claims.nats;
    let path = [edit.operator.name()];
    let added = args.keys.added(ctx, fresh, Kind::Operator, &path)?;
    list::add(
        &mut nats.signing_keys,
        added.iter().map(PublicKey::to_string).collect(),
    );
    let there: Vec<(String, Option<String>)> = nats
        .signing_keys
        .iter()
        .map(|key| (key.clone(), None))
        .collect();
    let gone = args.keys.removed(ctx, &there)?;
    nats.signing_keys.retain(|key| !gone.contains(key));
    let lower = |flag: &str, values: &[String]| -> Result<Vec<String>, Error> {
        let urls = list::of(flag, values)?;
        Ok(urls.iter().map(|url| url.to_lowercase()).collect())
    };
    let urls = &mut nats.operator_service_urls;
    list::add(urls, lower("--service-url", &args.service_url)?);
    let removed = lower("--rm-service-url", &args.rm_service_url)?;
    list::remove(urls, "--rm-service-url", &removed, &mut ctx.out);
    if let Some(url) = &args.account_jwt_server_url {
        nats.account_server_url.clone_from(url);
    }
    if args.rm_account_jwt_server_url {
        nats.account_server_url.clear();
    }
    if let Some(account) = &args.system_account {
        nats.system_account = system_account(edit, account)?;
    }
    if let Some(strict) = args.require_signing_keys {
        nats.strict_signing_key_usage = strict;
    }
    if nats.strict_signing_key_usage {
        if nats.signing_keys.is_empty() {
            return Err(Error::usage(
                "an operator that requires signing keys needs one: add it by --sk generate",
            ));
        }
        if !edit.entry.claims.nats.strict_signing_key_usage {
            all_by_signing_keys(edit)?;
        }
    }
    Ok((edit.write_operator(ctx, claims)?, gone))
}

/// Names the accounts that servers no longer take without the signing key `removed`.
fn note_signed(ctx: &mut Context, edit: &Edit, removed: &str) -> Result<(), Error> {
    let mut accounts = edit.operator.accounts()?;
    accounts.retain(|name| {
        let account = edit.operator.account(name);
        account.is_ok_and(|account| account.claims.standard.iss == removed)
    });
    if !accounts.is_empty() {
        ctx.out.note(format!(
            "servers refuse the accounts that {removed} signed: {}; nkey edit account -n NAME --resign signs one again",
            clean_inline(&accounts.join(", "))
        ));
    }
    Ok(())
}

fn system_account(edit: &Edit, wanted: &str) -> Result<String, Error> {
    let names = edit.operator.accounts()?;
    let name = match edit.operator.find_account(&names, wanted) {
        Ok(name) => name,
        // As in nsc, one that is not in the store.
        Err(error) => {
            return match PublicKey::from_str(wanted).map(|key| key.expect_kind(Kind::Account)) {
                Ok(Ok(key)) => Ok(key.to_string()),
                _ => Err(error),
            };
        }
    };
    let account = edit.operator.account(&name)?;
    if has_jetstream(&account.claims.nats) {
        let name = clean_inline(&name);
        return Err(Error::failed(format!(
            "account {name} has JetStream, which servers refuse for a system account"
        ))
        .next(format!(
            "nkey edit account -n {} --js-disable",
            shell_word(&name)
        )));
    }
    Ok(account.sub().to_owned())
}

/// Refuses to require signing keys while something is signed by an own key.
fn all_by_signing_keys(edit: &Edit) -> Result<(), Error> {
    let by_own = |entity: String, next: String| {
        Error::failed(format!(
            "{entity} is signed by an own key, not by a signing key, and servers would refuse it then: sign it again first"
        ))
        .next(next)
    };
    let operator: &owned::Operator = &edit.entry.claims.nats;
    for name in edit.operator.accounts()? {
        let account = edit.operator.account(&name)?;
        let shown = clean_inline(&name);
        if account.claims.standard.iss == edit.entry.sub() {
            let key = operator.signing_keys.first().map_or("KEY", String::as_str);
            let next = format!(
                "nkey edit account -n {} --resign -K {key}",
                shell_word(&shown)
            );
            return Err(by_own(format!("account {shown}"), next));
        }
        for user in edit.operator.users(&name)? {
            let entry = edit.operator.user(&name, &user)?;
            if entry.claims.standard.iss == account.sub() {
                let user = clean_inline(&user);
                let next = format!(
                    "nkey edit user -a {} -n {} --resign -K KEY",
                    shell_word(&shown),
                    shell_word(&user)
                );
                return Err(by_own(format!("user {shown}/{user}"), next));
            }
        }
    }
    Ok(())
}
