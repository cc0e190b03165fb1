//! `nkey init`.

mod remote;

use crate::commands::token::policy::let_sign_operator;
use crate::context::Context;
use crate::error::Error;
use crate::input::name::NameFlag;
use crate::key_argument::shell_word;
use crate::output::clean_inline;
use crate::store::defaults::new_operator;
use crate::store::issue::issue;
use crate::store::keys::{Fresh, key_names};
use crate::store::system::{self, Extra, Pair};
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
    /// Make a second signing key of operator and account in this store, such as another token, for
    /// the day on which the first is lost
    #[arg(
        long,
        value_name = "STORE",
        requires = "store",
        conflicts_with = "remote_operator"
    )]
    second: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Everything that is made, before anything is written.
struct Made {
    operator: PublicKey,
    signing_key: PublicKey,
    second: Option<PublicKey>,
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
    if args.second.is_some() && args.second == args.store {
        return Err(Error::usage(
            "--second is for another store than --store: with one token both keys would be lost",
        ));
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
    if let Some(place) = &args.store {
        system::expect_room(ctx, place, &name)?;
    }
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
    let operator = fresh.generate_in(ctx, place, Kind::Operator, &key_names::identity(&[name]))?;
    if let Some(store) = place {
        let_sign_operator(ctx, store, &operator, false)?;
    }
    let signing_key =
        fresh.generate_in(ctx, place, Kind::Operator, &key_names::signing_key(&[name]))?;
    let second = match args.second.as_deref() {
        Some(_) => Some(fresh.generate_in(
            ctx,
            args.second.as_deref(),
            Kind::Operator,
            &key_names::second_key(&[name]),
        )?),
        None => None,
    };
    let system = Pair::make(
        ctx,
        fresh,
        name,
        [system::ACCOUNT, system::USER],
        Some(&signing_key),
        Extra::System,
    )?;
    let extra = args.second.as_deref().map_or(Extra::Nothing, Extra::Second);
    let account = Pair::make(ctx, fresh, name, [name, name], Some(&signing_key), extra)?;
    let mut claims = new_operator(&operator, name);
    claims.nats.signing_keys = [Some(signing_key), second]
        .iter()
        .flatten()
        .map(PublicKey::to_string)
        .collect();
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
        second,
        token,
        system,
        account,
    })
}

fn shown_keys(keys: [Option<PublicKey>; 2]) -> Vec<String> {
    keys.iter().flatten().map(PublicKey::to_string).collect()
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
                "signing_keys": shown_keys([Some(pair.signing_key), pair.second]),
                "user": { "name": user, "public_key": pair.user.to_string() },
            })
        };
        return ctx.out.json(&json!({
            "operator": {
                "name": name,
                "public_key": made.operator.to_string(),
                "signing_keys": shown_keys([Some(made.signing_key), made.second]),
            },
            "system_account": pair(system::ACCOUNT, system, system::USER),
            "account": pair(name, account, name),
            "dir": operator.dir().display().to_string(),
        }));
    }
    let shown = clean_inline(name);
    let second = |key: Option<PublicKey>| key.map(|key| ("  second signing key".to_owned(), key));
    let lines: Vec<(String, PublicKey)> = [
        Some(("operator".to_owned(), made.operator)),
        Some(("  signing key".to_owned(), made.signing_key)),
        second(made.second),
        Some((format!("account {}", system::ACCOUNT), system.account)),
        Some(("  signing key".to_owned(), system.signing_key)),
        Some((format!("  user {}", system::USER), system.user)),
        Some((format!("account {shown}"), account.account)),
        Some(("  signing key".to_owned(), account.signing_key)),
        second(account.second),
        Some((format!("  user {shown}"), account.user)),
    ]
    .into_iter()
    .flatten()
    .collect();
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
    ctx.out.line(match &args.store {
        None => "every seed is in the agent. Next:".to_owned(),
        Some(store) => format!(
            "the operator's seeds are in {}, the others in the agent. Next:",
            clean_inline(
                &[Some(store), args.second.as_ref()]
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(" and ")
            )
        ),
    })?;
    ctx.out
        .line("  nkey generate config --nats-resolver --config-file server.conf")?;
    ctx.out.line("  nats-server -c server.conf")?;
    ctx.out.line("  nkey push -A")?;
    ctx.out.line(format!(
        "  nkey generate creds -a {word} -n {word} -o {}",
        shell_word(&format!("{shown}.creds"))
    ))
}
