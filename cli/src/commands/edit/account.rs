//! `nkey edit account`.

use super::jetstream::JetStreamFlags;
use super::nothing_to_do;
use crate::context::Context;
use crate::error::Error;
use crate::input::keys::SigningKeyFlags;
use crate::input::name::NameFlag;
use crate::input::permissions::{PermissionFlags, RemovePermissionFlags};
use crate::input::tags::TagFlags;
use crate::input::validity::ValidityFlags;
use crate::input::{boolean, size};
use crate::output::clean_inline;
use crate::store::edit::{self, Issued};
use crate::store::keys::Fresh;
use crate::store::{Edit, Entry, Store};
use nkey_core::claims::owned::{Account, Claims, MsgTrace, OperatorLimits, SigningKey};
use nkey_core::nkey::Kind;
use nkey_core::subject::Subject;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    name: NameFlag,
    #[command(flatten)]
    keys: SigningKeyFlags,
    #[command(flatten)]
    tags: TagFlags,
    #[command(flatten)]
    validity: ValidityFlags,
    /// Description
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Where to read more
    #[arg(long, value_name = "URL")]
    info_url: Option<String>,
    /// Where the traces of messages go; an empty subject ends tracing
    #[arg(long, value_name = "SUBJECT")]
    trace_context_subject: Option<String>,
    /// Per cent of messages that are traced, 1 to 100; 0 is 100
    #[arg(long, value_name = "PERCENT", value_parser = size::parse)]
    trace_context_sampling: Option<i64>,
    /// Carry JetStream's cluster traffic in this account instead of the system account
    #[arg(
        long, hide = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = boolean::parse
    )]
    host_cluster_traffic: Option<bool>,
    #[command(flatten)]
    permissions: PermissionFlags,
    #[command(flatten)]
    remove: RemovePermissionFlags,
    #[command(flatten)]
    limits: LimitFlags,
    #[command(flatten)]
    jetstream: JetStreamFlags,
    #[command(flatten)]
    finish: Finish,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Options")]
struct Finish {
    /// Sign it again although a key signed it that is no longer the operator's
    #[arg(long)]
    resign: bool,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// What the account may have.
#[derive(clap::Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Limits")]
struct LimitFlags {
    /// Most connections; -1 is unlimited
    #[arg(long, value_name = "NUMBER", value_parser = size::parse, allow_negative_numbers = true)]
    conns: Option<i64>,
    /// Most leaf node connections; -1 is unlimited
    #[arg(long, value_name = "NUMBER", value_parser = size::parse, allow_negative_numbers = true)]
    leaf_conns: Option<i64>,
    /// Most bytes, such as 10G or 64KiB; -1 is unlimited
    #[arg(long, value_name = "SIZE", value_parser = size::parse, allow_negative_numbers = true)]
    data: Option<i64>,
    /// Largest message in bytes; -1 is unlimited
    #[arg(long, value_name = "SIZE", value_parser = size::parse, allow_negative_numbers = true)]
    payload: Option<i64>,
    /// Most subscriptions; -1 is unlimited
    #[arg(long, value_name = "NUMBER", value_parser = size::parse, allow_negative_numbers = true)]
    subscriptions: Option<i64>,
    /// Most exports; -1 is unlimited
    #[arg(long, value_name = "NUMBER", value_parser = size::parse, allow_negative_numbers = true)]
    exports: Option<i64>,
    /// Most imports; -1 is unlimited
    #[arg(long, value_name = "NUMBER", value_parser = size::parse, allow_negative_numbers = true)]
    imports: Option<i64>,
    /// Exports may have wildcards
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = boolean::parse
    )]
    wildcard_exports: Option<bool>,
    /// Users must sign the server's nonce
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = boolean::parse
    )]
    disallow_bearer: Option<bool>,
}

impl LimitFlags {
    fn apply(&self, limits: &mut OperatorLimits) {
        let OperatorLimits { nats, account, .. } = limits;
        for (limit, flag) in [
            (&mut account.conn, self.conns),
            (&mut account.leaf, self.leaf_conns),
            (&mut nats.data, self.data),
            (&mut nats.payload, self.payload),
            (&mut nats.subs, self.subscriptions),
            (&mut account.exports, self.exports),
            (&mut account.imports, self.imports),
        ] {
            *limit = flag.unwrap_or(*limit);
        }
        account.wildcards = self.wildcard_exports.unwrap_or(account.wildcards);
        account.disallow_bearer = self.disallow_bearer.unwrap_or(account.disallow_bearer);
    }
}

impl Args {
    fn is_empty(&self) -> bool {
        !(self.keys.is_given()
            || self.tags.is_given()
            || self.validity.is_given()
            || self.permissions.is_given()
            || self.remove.is_given()
            || self.limits != LimitFlags::default()
            || self.jetstream.is_given()
            || self.description.is_some()
            || self.info_url.is_some()
            || self.trace_context_subject.is_some()
            || self.trace_context_sampling.is_some()
            || self.host_cluster_traffic.is_some()
            || self.finish.resign)
    }
}

/// Changes an account.
///
/// # Errors
/// If servers would refuse it then, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    if args.is_empty() {
        return Err(nothing_to_do());
    }
    let (edit, account) = if args.finish.resign {
        let store = Store::open(&ctx.global)?;
        let name = store.account(&store.operator(None)?, args.name.get())?;
        let edit = Edit::begin(ctx)?;
        let account = edit.find_account(&name)?;
        (edit, account)
    } else {
        Edit::account(ctx, args.name.get())?
    };
    let mut fresh = Fresh::begin(ctx)?;
    let result = change(args, ctx, &edit, &account, &mut fresh);
    let (issued, removed) = edit::end(ctx, &mut fresh, &account, result)?;
    for key in removed {
        let signed = users_where(&edit, &account, |user| user.claims.standard.iss == key)?;
        if !signed.is_empty() {
            ctx.out.note(format!(
                "servers refuse the users that {key} signed: {}; nkey edit user -n NAME --resign signs one again",
                clean_inline(&signed.join(", "))
            ));
        }
    }
    let name = clean_inline(&account.name);
    issued.report(ctx, args.finish.json, &format!("edited account {name}"))
}

fn change(
    args: &Args,
    ctx: &mut Context,
    edit: &Edit,
    account: &Entry<Account>,
    fresh: &mut Fresh,
) -> Result<(Issued, Vec<String>), Error> {
    let mut claims = account.claims.clone();
    let removed = signing_keys(args, ctx, edit, account, &mut claims, fresh)?;
    args.tags.apply(&mut claims.generic.tags, &mut ctx.out)?;
    args.validity.apply(&mut claims.standard, ctx.now())?;
    let nats = &mut claims.nats;
    let limits = nats.limits.get_or_insert_default();
    args.limits.apply(limits);
    args.jetstream.apply(limits)?;
    let permissions = nats.default_permissions.get_or_insert_default();
    args.permissions.apply(permissions)?;
    args.remove.apply(permissions, &mut ctx.out)?;
    if let Some(text) = &args.description {
        nats.description.clone_from(text);
    }
    if let Some(url) = &args.info_url {
        nats.info_url.clone_from(url);
    }
    trace(args, nats)?;
    if let Some(own) = args.host_cluster_traffic {
        nats.cluster_traffic = if own { "owner" } else { "" }.to_owned();
    }
    if args.limits.disallow_bearer == Some(true) {
        no_bearers(edit, account)?;
    }
    let issued = edit.write_account(ctx, account, claims)?;
    Ok((issued, removed))
}

/// Adds and removes signing keys; those that were removed.
fn signing_keys(
    args: &Args,
    ctx: &mut Context,
    edit: &Edit,
    account: &Entry<Account>,
    claims: &mut Claims<Account>,
    fresh: &mut Fresh,
) -> Result<Vec<String>, Error> {
    let keys = &mut claims.nats.signing_keys;
    let path = [edit.operator.name(), account.name.as_str()];
    for key in args.keys.added(ctx, fresh, Kind::Account, &path)? {
        let key = key.to_string();
        if !keys.iter().any(|known| known.key() == key) {
            keys.push(SigningKey::Plain(key));
        }
    }
    let there: Vec<(String, Option<String>)> = keys
        .iter()
        .map(|key| {
            let role = match key {
                SigningKey::Scoped(scope) => scope.role.clone(),
                SigningKey::Plain(_) => None,
            };
            (key.key().to_owned(), role)
        })
        .collect();
    let removed = args.keys.removed(ctx, &there)?;
    keys.retain(|key| !removed.iter().any(|removed| removed == key.key()));
    Ok(removed)
}

fn trace(args: &Args, nats: &mut Account) -> Result<(), Error> {
    match args.trace_context_subject.as_deref() {
        None => {}
        Some("") => nats.trace = None,
        Some(subject) => {
            if Subject::new(subject).has_wildcards() {
                return Err(Error::usage(format!(
                    "--trace-context-subject {}: traces go to one subject, without wildcards",
                    clean_inline(subject)
                )));
            }
            nats.trace = Some(MsgTrace {
                dest: subject.to_owned(),
                sampling: 0,
            });
        }
    }
    if let Some(sampling) = args.trace_context_sampling {
        if !(0..=100).contains(&sampling) {
            return Err(Error::usage(format!(
                "--trace-context-sampling {sampling}: it is 1 to 100 per cent"
            )));
        }
        match &mut nats.trace {
            Some(trace) => trace.sampling = sampling,
            None => {
                return Err(Error::usage(
                    "--trace-context-sampling needs a subject: give it by --trace-context-subject",
                ));
            }
        }
    }
    Ok(())
}

/// The users of which something is true; those that cannot be read are passed over.
fn users_where(
    edit: &Edit,
    account: &Entry<Account>,
    wanted: impl Fn(&Entry<nkey_core::claims::owned::User>) -> bool,
) -> Result<Vec<String>, Error> {
    let mut names = edit.operator.users(&account.name)?;
    names.retain(|name| {
        edit.operator
            .user(&account.name, name)
            .is_ok_and(|user| wanted(&user))
    });
    Ok(names)
}

fn no_bearers(edit: &Edit, account: &Entry<Account>) -> Result<(), Error> {
    let bearers = users_where(edit, account, |user| {
        user.claims.nats.permissions.bearer_token
    })?;
    if bearers.is_empty() {
        return Ok(());
    }
    Err(Error::failed(format!(
        "--disallow-bearer: these users are bearers: {}; nkey edit user -n NAME --bearer=false ends that",
        clean_inline(&bearers.join(", "))
    )))
}
