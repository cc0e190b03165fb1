//! `nkey edit signing-key`.

use crate::context::Context;
use crate::error::Error;
use crate::input::keys;
use crate::input::user_limits::{Parts, UserFlags};
use crate::output::clean_inline;
use crate::prompt;
use crate::store::edit::{self, Issued};
use crate::store::keys::Fresh;
use crate::store::{Edit, Entry};
use nkey_core::claims::ScopeType;
use nkey_core::claims::owned::{Account, Permission, SigningKey, Template, UserScope};
use nkey_core::nkey::Kind;

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The signing key: its public key, its role, its name in the agent, or `generate` for a new one
    #[arg(long, value_name = "KEY")]
    sk: Option<String>,
    /// The same as --sk
    #[arg(value_name = "KEY", conflicts_with = "sk")]
    position: Option<String>,
    /// The name of its role; alone, which key is meant
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Description of the role
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    flags: UserFlags,
    /// Print JSON
    #[arg(short = 'J', long, help_heading = "Options")]
    json: bool,
}

/// Changes the role of a signing key and what its users may do; a key without a role gets one.
///
/// # Errors
/// If servers would refuse it then, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let (mut edit, account) = Edit::account(ctx, args.account.as_deref())?;
    let wanted = match args.sk.as_deref().or(args.position.as_deref()) {
        Some(wanted) => Some(wanted.to_owned()),
        None => {
            let by_role = |(_, role): &(String, Option<String>)| role == &args.role;
            match &args.role {
                Some(role) if there(&account).iter().any(by_role) => Some(role.clone()),
                _ => edit.ask(false, || choose(&account))?,
            }
        }
    };
    let Some(wanted) = wanted else {
        return Err(Error::usage(
            "which signing key is meant: give it by --sk KEY, --sk ROLE or --sk generate",
        ));
    };
    let mut fresh = Fresh::begin(ctx)?;
    let result = change(args, ctx, &edit, &account, &wanted, &mut fresh);
    let (key, issued) = edit::end(ctx, &mut fresh, &account, result)?;
    let headline = format!(
        "edited signing key {key} of account {}",
        clean_inline(&account.name)
    );
    issued.report(ctx, args.json, &headline)
}

fn there(account: &Entry<Account>) -> Vec<(String, Option<String>)> {
    let keys = account.claims.nats.signing_keys.iter();
    keys.map(|key| match key {
        SigningKey::Plain(key) => (key.clone(), None),
        SigningKey::Scoped(scope) => (key.key().to_owned(), scope.role.clone()),
    })
    .collect()
}

/// The key that a person at a terminal chooses.
fn choose(account: &Entry<Account>) -> Result<Option<String>, Error> {
    let keys = there(account);
    if keys.is_empty() || !prompt::is_possible() {
        return Ok(None);
    }
    let labels: Vec<String> = keys
        .iter()
        .map(|(key, role)| match role {
            Some(role) => format!("{key} (role {role})"),
            None => key.clone(),
        })
        .collect();
    let chosen = prompt::choose("Which signing key?", &labels)?;
    Ok(Some(keys[chosen].0.clone()))
}

fn change(
    args: &Args,
    ctx: &mut Context,
    edit: &Edit,
    account: &Entry<Account>,
    wanted: &str,
    fresh: &mut Fresh,
) -> Result<(String, Issued), Error> {
    let known = there(account);
    let path = [edit.operator.name(), account.name.as_str()];
    let is_known = known
        .iter()
        .any(|(key, role)| key == wanted || role.as_deref() == Some(wanted));
    let key = if is_known {
        keys::find(ctx, "--sk", wanted, &known)?
    } else {
        // As in nsc, a key that is not there yet is added.
        keys::resolve(ctx, fresh, "--sk", wanted, Kind::Account, &path)?.to_string()
    };
    let mut claims = account.claims.clone();
    let signing_keys = &mut claims.nats.signing_keys;
    let place = signing_keys.iter().position(|known| known.key() == key);
    let mut scope = match place.map(|place| signing_keys.remove(place)) {
        Some(SigningKey::Scoped(scope)) => scope,
        _ => new_scope(&key),
    };
    if let Some(role) = &args.role {
        let taken = |(other, known): &(String, Option<String>)| {
            *other != key && known.as_ref() == Some(role)
        };
        if !role.is_empty() && known.iter().any(taken) {
            return Err(Error::usage(format!(
                "--role {}: another signing key has this role",
                clean_inline(role)
            )));
        }
        scope.role = Some(role.clone());
    }
    if let Some(description) = &args.description {
        scope.description = Some(description.clone());
    }
    let template = scope.template.get_or_insert_default();
    let mut parts = Parts {
        permissions: &mut template.permissions,
        user: &mut template.user,
        bearer: &mut template.bearer_token,
        connection_types: &mut template.allowed_connection_types,
    };
    args.flags.apply(&mut parts, &mut ctx.out)?;
    let limits = &mut template.limits;
    limits.subs = args.flags.subs.or(limits.subs);
    limits.data = args.flags.data.or(limits.data);
    limits.payload = args.flags.payload.or(limits.payload);
    signing_keys.push(SigningKey::Scoped(scope));
    let issued = edit.write_account(ctx, account, claims)?;
    Ok((key, issued))
}

/// `NewUserScope`, without limits.
fn new_scope(key: &str) -> UserScope {
    let mut template = Template::default();
    template.permissions.publish = Some(Permission::default());
    template.permissions.subscribe = Some(Permission::default());
    UserScope {
        kind: Some(ScopeType::UserScope),
        key: Some(key.to_owned()),
        role: Some(String::new()),
        template: Some(template),
        description: Some(String::new()),
    }
}
