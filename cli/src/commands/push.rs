//! `nkey push`.

use crate::context::Context;
use crate::error::Error;
use crate::nats::address::servers;
use crate::nats::connect::{TlsFlags, User, connect};
use crate::nats::update::{self, Outcome, update};
use crate::output::clean_inline;
use crate::store::chain::{Report, account_issuer};
use crate::store::defaults::new_user;
use crate::store::signer::after_revocations;
use crate::store::{Entry, Operator, Store};
use nkey_agent::client::Client;
use nkey_agent::message::flag;
use nkey_core::claims::owned::{self, Account, SigningKey};
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::tolerant::AnyClaims;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

/// How long a push may take in which only a moment's user signs in, in seconds.
const MOMENT: i64 = 120;

#[derive(clap::Args)]
pub struct Args {
    /// All accounts
    #[arg(short = 'A', long, conflicts_with = "account")]
    all: bool,
    /// This account [default: the selected one]
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The servers [default: the operator's account server URL, or its service URLs]
    #[arg(short = 'u', long, value_name = "URL,...")]
    account_jwt_server_url: Option<String>,
    /// Push also what validation finds servers to refuse
    #[arg(short = 'F', long)]
    force: bool,
    /// The system account [default: the one that the operator names]
    #[arg(long, value_name = "ACCOUNT")]
    system_account: Option<String>,
    /// Sign in as this user of the system account [default: a user made for two minutes]
    #[arg(long, value_name = "USER")]
    system_user: Option<String>,
    /// How long to wait for further servers, 1 to 60 seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    timeout: u64,
    #[command(flatten)]
    tls: TlsFlags,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Sends accounts to every server of the operator.
///
/// # Errors
/// If one server does not take one account.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let store = Store::open(&ctx.global)?;
    let operator = store.operator(None)?;
    let entry = operator.claims()?;
    let urls = servers(args.account_jwt_server_url.as_deref(), &entry.claims.nats)?;
    let names = match args.all {
        true => operator.accounts()?,
        false => vec![store.account(&operator, args.account.as_deref())?],
    };
    if names.is_empty() {
        let message = format!("operator {} has no accounts", clean_inline(operator.name()));
        return Err(Error::failed(message).next("nkey add account -n NAME"));
    }
    let accounts = names
        .iter()
        .map(|name| operator.account(name))
        .collect::<Result<Vec<_>, _>>()?;
    if !args.force {
        check(&operator, &entry, &accounts, ctx.now())?;
    }
    let user = system_user(args, ctx, &operator, &entry)?;
    let patience = Duration::from_secs(args.timeout.clamp(1, 60));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::failed(format!("cannot start: {error}")))?;
    let tokens: Vec<&str> = accounts
        .iter()
        .map(|account| account.token.as_str())
        .collect();
    let (outcomes, faults) = runtime.block_on(async {
        // At least the time that a connection over the internet takes.
        let connection =
            connect(&urls, user, &args.tls, patience.max(Duration::from_secs(5))).await?;
        let outcomes = update(&connection, &tokens, patience).await?;
        Ok::<_, Error>((outcomes, connection.faults()))
    })?;
    report(args, ctx, &accounts, &outcomes, &faults)
}

/// Refuses accounts that the servers would refuse, all of them named.
fn check(
    operator: &Operator,
    entry: &Entry<owned::Operator>,
    accounts: &[Entry<Account>],
    now: i64,
) -> Result<(), Error> {
    let mut report = Report::default();
    for account in accounts {
        report.begin(format!("account {}", account.name), &account.path);
        report.claims(
            &AnyClaims::Account(account.claims.clone()),
            &account.notes,
            account.version,
            now,
        );
        let iss = &account.claims.standard.iss;
        if let (Err(reason), false) = (
            account_issuer(&entry.claims.nats, entry.sub(), iss),
            operator.is_managed(),
        ) {
            report.push(nkey_core::validate::Class::Blocking, "iss", reason);
        }
    }
    if !report.is_blocking() {
        return Ok(());
    }
    let lines: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| finding.class != "warning")
        .map(|finding| format!("{}: {}: {}", finding.entity, finding.field, finding.text))
        .collect();
    Err(Error::failed(format!(
        "servers would refuse this: nothing was pushed (--force pushes it)\n{}",
        lines.join("\n")
    ))
    .next("nkey validate -A"))
}

/// The user that signs in: a stored one, or one made for two minutes with a key that lives as
/// long as the connection to the agent.
fn system_user(
    args: &Args,
    ctx: &mut Context,
    operator: &Operator,
    entry: &Entry<owned::Operator>,
) -> Result<User, Error> {
    let wanted = args
        .system_account
        .as_deref()
        .unwrap_or(&entry.claims.nats.system_account);
    if wanted.is_empty() {
        return Err(Error::failed(format!(
            "operator {} names no system account",
            clean_inline(operator.name())
        ))
        .next("nkey push -A --system-account NAME"));
    }
    let account = operator.account(&operator.find_account(&operator.accounts()?, wanted)?)?;
    let mut agent = Client::connect(&ctx.socket()?)?;
    let held: Vec<PublicKey> = agent.list()?.into_iter().map(|info| info.key).collect();
    let stored = |entry: Entry<owned::User>| -> Result<(String, PublicKey), Error> {
        let key = PublicKey::from_str(entry.sub())
            .map_err(|error| Error::failed(format!("{}: sub: {error}", entry.path.display())))?;
        Ok((entry.token, key))
    };
    let of = clean_inline(&account.name);
    if let Some(name) = &args.system_user {
        let (token, key) = stored(operator.find_user(&account.name, Some(name))?)?;
        if !held.contains(&key) {
            return Err(Error::failed(format!(
                "the agent does not hold {key}, the key of user {of}/{}",
                clean_inline(name)
            ))
            .next("nkey import keys FILE"));
        }
        return Ok(User { token, key, agent });
    }
    let strict = entry.claims.nats.strict_signing_key_usage;
    let plain = account
        .claims
        .nats
        .signing_keys
        .iter()
        .filter_map(|key| match key {
            SigningKey::Plain(key) => Some(key.as_str()),
            SigningKey::Scoped(_) => None,
        });
    let own = (!strict).then_some(account.sub());
    let mut signers = plain
        .chain(own)
        .filter_map(|key| PublicKey::from_str(key).ok());
    if let Some(signer) = signers.find(|key| held.contains(key)) {
        let key = agent.generate(Kind::User, "nkey push", flag::VOLATILE)?;
        let mut claims = new_user(&key, "nkey push", false);
        claims.standard.exp = ctx.now() + MOMENT;
        if *account.sub() != *signer.encode() {
            claims.nats.issuer_account = account.sub().to_owned();
        }
        let permissions = &mut claims.nats.permissions.permissions;
        permissions.publish.get_or_insert_default().allow = vec![update::SUBJECT.to_owned()];
        permissions.subscribe.get_or_insert_default().allow = vec!["_INBOX.>".to_owned()];
        let after = after_revocations(&account.claims.nats, &claims.standard.sub);
        let token = agent.issue(&signer, &AnyClaims::User(claims).to_json(), 0, after)?;
        return Ok(User { token, key, agent });
    }
    // As nsc: any user of the system account whose key is at hand.
    for name in operator.users(&account.name)? {
        let (token, key) = stored(operator.user(&account.name, &name)?)?;
        if held.contains(&key) {
            return Ok(User { token, key, agent });
        }
    }
    Err(Error::failed(format!(
        "the agent holds neither a signing key without scope of the system account {of} nor the key of one of its users"
    ))
    .next("nkey import keys FILE"))
}

fn report(
    args: &Args,
    ctx: &mut Context,
    accounts: &[Entry<Account>],
    outcomes: &[Outcome],
    faults: &[String],
) -> Result<(), Error> {
    let pushed = outcomes
        .iter()
        .filter(|outcome| outcome.is_complete())
        .count();
    if args.json {
        let rows: Vec<Value> = accounts
            .iter()
            .zip(outcomes)
            .map(|(account, outcome)| row(account, outcome))
            .collect();
        ctx.out.json(&rows)?;
    } else {
        for (account, outcome) in accounts.iter().zip(outcomes) {
            for line in lines(outcome) {
                ctx.out.line(format!(
                    "account {}: {}",
                    clean_inline(&account.name),
                    clean_inline(&line)
                ))?;
            }
        }
    }
    for fault in faults {
        ctx.out
            .note(format!("the server says: {}", clean_inline(fault)));
    }
    if pushed == accounts.len() {
        let servers: BTreeSet<&str> = outcomes
            .iter()
            .flat_map(|outcome| &outcome.replies)
            .map(|reply| reply.server.as_str())
            .collect();
        ctx.out.note(format!(
            "{pushed} accounts pushed, {} servers answered",
            servers.len()
        ));
        return Ok(());
    }
    let message = format!(
        "{} of {} accounts were not taken by every server",
        accounts.len() - pushed,
        accounts.len()
    );
    if outcomes
        .iter()
        .all(|outcome| outcome.no_responders && outcome.replies.is_empty())
    {
        return Err(Error::failed(format!(
            "{message}: no server keeps accounts. The full resolver does"
        ))
        .next("nkey generate config --nats-resolver"));
    }
    Err(Error::failed(message))
}

fn lines(outcome: &Outcome) -> Vec<String> {
    let reply = |reply: &crate::nats::reply::Reply| match &reply.result {
        Ok(message) => format!("{}: {message}", reply.server),
        Err(reason) => format!("{} refused: {reason}", reply.server),
    };
    let mut lines: Vec<String> = outcome.replies.iter().map(reply).collect();
    lines.extend(outcome.unreadable.iter().cloned());
    lines.extend(
        outcome
            .silent
            .iter()
            .map(|server| format!("{server} did not answer")),
    );
    if lines.is_empty() {
        lines.push("no server answered".to_owned());
    }
    lines
}

fn row(account: &Entry<Account>, outcome: &Outcome) -> Value {
    let servers: Vec<Value> = outcome
        .replies
        .iter()
        .map(|reply| match &reply.result {
            Ok(message) => json!({ "server": reply.server, "message": message }),
            Err(reason) => json!({ "server": reply.server, "error": reason }),
        })
        .chain(
            outcome
                .silent
                .iter()
                .map(|server| json!({ "server": server, "error": "no answer" })),
        )
        .chain(
            outcome
                .unreadable
                .iter()
                .map(|reason| json!({ "error": reason })),
        )
        .collect();
    json!({ "name": account.name, "public_key": account.sub(), "pushed": outcome.is_complete(), "servers": servers })
}
