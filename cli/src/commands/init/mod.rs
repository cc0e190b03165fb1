//! `nkey init`.

mod remote;

use crate::context::Context;
use crate::error::Error;
use crate::input::name::NameFlag;
use crate::key_argument::shell_word;
use crate::output::clean_inline;
use crate::store::defaults::new_operator;
use crate::store::issue::issue;
use crate::store::keys::{Fresh, key_names};
use crate::store::system::{self, Pair};
use crate::store::{Operator, Store, check_name};
use nkey_core::nkey::{Kind, PublicKey};
use serde_json::json;
use std::path::PathBuf;

/// Where clients connect unless -u says so; nsc's.
const SERVICE_URL: &str = "nats://localhost:4222";

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    name: NameFlag,
    /// The folder in which the operator's folder is made
    #[arg(short, long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Take an operator that others hold, by a name that nsc knows or its URL
    #[arg(short = 'o', long, value_name = "NAME|URL", conflicts_with = "url")]
    remote_operator: Option<String>,
    /// Where accounts are pushed to, such as nats://localhost:4222
    #[arg(short, long, value_name = "URL")]
    url: Option<String>,
    /// Make the operator's keys in this store, such as a token; the others in the vault
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Everything that is made, before anything is written.
struct Made {
    operator: PublicKey,
    signing_key: PublicKey,
    token: String,
    system: Pair,
    account: Pair,
}

/// Makes an operator with a signing key, a system account, and an account with a user.
///
/// # Errors
/// If there is an operator of that name, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    if let Some(source) = &args.remote_operator {
        return remote::run(args, ctx, source);
    }
    let name = args.name.or_ask("operator")?;
    check_name("an operator", &name)?;
    if name.to_lowercase() == system::ACCOUNT.to_lowercase() {
        return Err(Error::usage(format!(
            "{name} is the name of the system account: choose another"
        )));
    }
    let mut store = Store::open(&ctx.global)?;
    if let Some(dir) = &args.dir {
        store.set_root(dir.clone());
    }
    let lock = store.lock()?;
    if store.operators()?.contains(&name) {
        let message = format!(
            "{} holds an operator {} already",
            store.root().display(),
            clean_inline(&name)
        );
        return Err(Error::failed(message).next("nkey list operators"));
    }
    let operator = Operator::new(store.root(), &name, false)?;
    operator.remove_unfinished(&lock, &[(system::ACCOUNT, system::USER), (&name, &name)])?;
    let mut fresh = Fresh::begin(ctx)?;
    let made = make(args, ctx, &mut fresh, &name).map_err(|error| fresh.abandon(ctx, error))?;
    let write = || {
        made.system.write(&lock, &operator)?;
        made.account.write(&lock, &operator)?;
        operator.write_operator(&lock, &made.token, None)?;
        // Without this the folder is no operator's, and init can run again.
        operator.write_marker(&lock)
    };
    if let Err(error) = write() {
        return Err(if operator.has_marker() {
            error
        } else {
            fresh.abandon(ctx, error)
        });
    }
    store.select(&lock, &name, Some(&name), ctx.now())?;
    report(args, ctx, &name, &made, &operator)
}

fn make(args: &Args, ctx: &mut Context, fresh: &mut Fresh, name: &str) -> Result<Made, Error> {
    let (url, place) = (args.url.as_deref(), args.store.as_deref());
    let mut key =
        |ctx: &mut Context, name: &str| fresh.generate_in(ctx, place, Kind::Operator, name);
    let operator = key(ctx, &key_names::identity(&[name]))?;
    let signing_key = key(ctx, &key_names::signing_key(&[name]))?;
    let system = Pair::make(
        ctx,
        fresh,
        name,
        [system::ACCOUNT, system::USER],
        Some(&signing_key),
        true,
    )?;
    let account = Pair::make(ctx, fresh, name, [name, name], Some(&signing_key), false)?;
    let mut claims = new_operator(&operator, name);
    claims.nats.signing_keys = vec![signing_key.to_string()];
    claims.nats.strict_signing_key_usage = true;
    claims.nats.system_account = system.account.to_string();
    claims.nats.account_server_url = url.unwrap_or_default().to_owned();
    let service = url.filter(|url| {
        ["nats:", "tls:", "ws:", "wss:"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
    });
    claims.nats.operator_service_urls = vec![service.unwrap_or(SERVICE_URL).to_owned()];
    let token = issue(ctx, &operator, claims, 0)?;
    Ok(Made {
        operator,
        signing_key,
        token,
        system,
        account,
    })
}

fn report(
    args: &Args,
    ctx: &mut Context,
    name: &str,
    made: &Made,
    operator: &Operator,
) -> Result<(), Error> {
    let [system, account] = [&made.system, &made.account];
    if args.json {
        let pair = |name: &str, pair: &Pair, user: &str| {
            json!({
                "name": name,
                "public_key": pair.account.to_string(),
                "signing_keys": [pair.signing_key.to_string()],
                "user": { "name": user, "public_key": pair.user.to_string() },
            })
        };
        return ctx.out.json(&json!({
            "operator": {
                "name": name,
                "public_key": made.operator.to_string(),
                "signing_keys": [made.signing_key.to_string()],
            },
            "system_account": pair(system::ACCOUNT, system, system::USER),
            "account": pair(name, account, name),
            "dir": operator.dir().display().to_string(),
        }));
    }
    let shown = clean_inline(name);
    let lines = [
        ("operator".to_owned(), made.operator),
        ("  signing key".to_owned(), made.signing_key),
        (format!("account {}", system::ACCOUNT), system.account),
        ("  signing key".to_owned(), system.signing_key),
        (format!("  user {}", system::USER), system.user),
        (format!("account {shown}"), account.account),
        ("  signing key".to_owned(), account.signing_key),
        (format!("  user {shown}"), account.user),
    ];
    let width = lines
        .iter()
        .map(|(what, _)| what.chars().count())
        .max()
        .unwrap_or(0);
    ctx.out.line(format!(
        "made operator {shown} in {}",
        clean_inline(&operator.dir().display().to_string())
    ))?;
    for (what, key) in &lines {
        ctx.out.line(format!("{what:width$}  {key}"))?;
    }
    let word = shell_word(&shown);
    ctx.out.line("every seed is in the agent. Next:")?;
    ctx.out
        .line("  nkey generate config --nats-resolver --config-file server.conf")?;
    ctx.out.line("  nats-server -c server.conf")?;
    ctx.out.line("  nkey push -A")?;
    ctx.out.line(format!(
        "  nkey generate creds -a {word} -n {word} -o {}",
        shell_word(&format!("{shown}.creds"))
    ))
}
