//! `nkey edit authcallout`.

use super::nothing_to_do;
use crate::context::Context;
use crate::error::Error;
use crate::input::{keys, list};
use crate::key_argument::KeyArgument;
use crate::output::clean_inline;
use crate::store::edit::{self, Issued};
use crate::store::keys::Fresh;
use crate::store::{Edit, Entry};
use nkey_core::claims::owned::{Account, ExternalAuthorization};
use nkey_core::nkey::Kind;

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The same as --account
    #[arg(value_name = "ACCOUNT", conflicts_with = "account")]
    position: Option<String>,
    /// Add users of the authorization service, by name or public key; they are not asked about
    #[arg(long, value_name = "USER,...")]
    auth_user: Vec<String>,
    /// Remove users of the authorization service
    #[arg(long, value_name = "USER,...")]
    rm_auth_user: Vec<String>,
    /// Add accounts that the service may place users in, by name or public key; * for all
    #[arg(long, value_name = "ACCOUNT,...")]
    allowed_account: Vec<String>,
    /// Remove accounts that the service may place users in
    #[arg(long, value_name = "ACCOUNT,...")]
    rm_allowed_account: Vec<String>,
    /// Seal requests to this curve key: a public key, a name in the agent, or `generate`
    #[arg(short = 'x', long, value_name = "KEY")]
    curve: Option<String>,
    /// Do not seal requests any more
    #[arg(long, conflicts_with = "curve")]
    rm_curve: bool,
    /// End external authorization
    #[arg(
        long,
        conflicts_with_all = ["auth_user", "rm_auth_user", "allowed_account", "rm_allowed_account", "curve", "rm_curve"]
    )]
    disable: bool,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

impl Args {
    fn is_empty(&self) -> bool {
        let lists = [
            &self.auth_user,
            &self.rm_auth_user,
            &self.allowed_account,
            &self.rm_allowed_account,
        ];
        !self.disable
            && !self.rm_curve
            && self.curve.is_none()
            && lists.iter().all(|list| list.is_empty())
    }
}

/// Changes who decides about an account's users.
///
/// # Errors
/// If servers would refuse it then, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    if args.is_empty() {
        return Err(nothing_to_do());
    }
    let wanted = args.account.as_deref().or(args.position.as_deref());
    let (edit, account) = Edit::account(ctx, wanted)?;
    let mut fresh = Fresh::begin(ctx)?;
    let result = change(args, ctx, &edit, &account, &mut fresh);
    let issued = edit::end(ctx, &mut fresh, &account, result)?;
    let name = clean_inline(&account.name);
    let headline = format!("edited the authorization callout of account {name}");
    issued.report(ctx, args.json, &headline)
}

fn change(
    args: &Args,
    ctx: &mut Context,
    edit: &Edit,
    account: &Entry<Account>,
    fresh: &mut Fresh,
) -> Result<Issued, Error> {
    let mut claims = account.claims.clone();
    let authorization = claims.nats.authorization.get_or_insert_default();
    if args.disable {
        *authorization = ExternalAuthorization::default();
        return edit.write_account(ctx, account, claims);
    }
    let users = |flag: &str, values: &[String]| -> Result<Vec<String>, Error> {
        let find = |name: &str| {
            let user = edit.operator.find_user(&account.name, Some(name))?;
            Ok(user.sub().to_owned())
        };
        keys_of(flag, values, Kind::User, find)
    };
    let accounts = |flag: &str, values: &[String]| -> Result<Vec<String>, Error> {
        let names = edit.operator.accounts()?;
        let find = |name: &str| {
            let name = edit.operator.find_account(&names, name)?;
            Ok(edit.operator.account(&name)?.sub().to_owned())
        };
        keys_of(flag, values, Kind::Account, find)
    };
    list::add(
        &mut authorization.auth_users,
        users("--auth-user", &args.auth_user)?,
    );
    let removed = users("--rm-auth-user", &args.rm_auth_user)?;
    let out = &mut ctx.out;
    list::remove(
        &mut authorization.auth_users,
        "--rm-auth-user",
        &removed,
        out,
    );
    let added = accounts("--allowed-account", &args.allowed_account)?;
    list::add(&mut authorization.allowed_accounts, added);
    let removed = accounts("--rm-allowed-account", &args.rm_allowed_account)?;
    let allowed = &mut authorization.allowed_accounts;
    list::remove(allowed, "--rm-allowed-account", &removed, out);
    if args.rm_curve {
        authorization.xkey.clear();
    }
    if let Some(curve) = &args.curve {
        let path = [edit.operator.name(), account.name.as_str()];
        let key = keys::resolve(ctx, fresh, "--curve", curve, Kind::Curve, &path)?;
        authorization.xkey = key.to_string();
    }
    edit.write_account(ctx, account, claims)
}

/// The public keys that the values of a flag are, or that `find` knows by name; `*` stays.
fn keys_of(
    flag: &str,
    values: &[String],
    kind: Kind,
    find: impl Fn(&str) -> Result<String, Error>,
) -> Result<Vec<String>, Error> {
    let items = list::of(flag, values)?;
    let keys = items.iter().map(|item| {
        if item == "*" && kind == Kind::Account {
            return Ok(item.clone());
        }
        match KeyArgument::parse(flag, item)? {
            KeyArgument::Public(key) => match key.expect_kind(kind) {
                Ok(key) => Ok(key.to_string()),
                Err(error) => Err(Error::usage(format!("{flag} {key}: {error}"))),
            },
            KeyArgument::Name(name) => find(&name),
        }
    });
    keys.collect()
}
