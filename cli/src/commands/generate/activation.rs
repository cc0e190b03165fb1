//! `nkey generate activation`.

use crate::context::Context;
use crate::error::Error;
use crate::input::validity::ValidityFlags;
use crate::key_argument::{self, shell_word};
use crate::nats::account_server::{AccountServer, PATIENCE};
use crate::nats::address::{self, Target};
use crate::nats::tls::TlsFlags;
use crate::output::clean_inline;
use crate::prompt;
use crate::store::activation::{Wanted, activate};
use crate::store::exports::label;
use crate::store::{Entry, Operator, Store, file};
use nkey_core::claims::ClaimType;
use nkey_core::claims::owned::{self, Account, Export, Standard};
use nkey_core::creds;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::subject::Subject;
use nkey_core::tolerant::{self, AnyClaims};
use std::path::PathBuf;
use std::str::FromStr;

#[derive(clap::Args)]
pub struct Args {
    /// The exporting account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The subject, within that of a private export
    #[arg(short, long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// The importing account, by name or public key
    #[arg(short, long, value_name = "ACCOUNT")]
    target_account: Option<String>,
    #[command(flatten)]
    validity: ValidityFlags,
    /// Write to FILE instead of standard output
    #[arg(
        short,
        long,
        value_name = "FILE",
        default_value = "--",
        hide_default_value = true
    )]
    output_file: PathBuf,
    /// Send it to the operator's HTTP account server as well, where the importer fetches it
    #[arg(long)]
    push: bool,
}

/// Room for the texts around a token.
const FRAME: usize = 256;

/// Writes the JWT with which another account imports a private export.
///
/// # Errors
/// If there is no such export, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let store = Store::open(&ctx.global)?;
    let operator = store.operator(None)?;
    let entry = operator.claims()?;
    let strict = entry.claims.nats.strict_signing_key_usage;
    let server = args.push.then(|| server(&entry.claims.nats)).transpose()?;
    let account = operator.account(&store.account(&operator, args.account.as_deref())?)?;
    let (export, subject) = export(&account, args.subject.as_deref())?;
    let target = target(&operator, &account, args.target_account.as_deref())?;
    let mut validity = Standard::default();
    args.validity.apply(&mut validity, ctx.now())?;
    let wanted = Wanted {
        export,
        subject: &subject,
        target: &target,
        validity: &validity,
    };
    let key = ctx.private_key()?;
    let token = activate(ctx, strict, &account, &wanted, key.as_ref())?;
    if let Some(server) = server {
        push(ctx, &server, &token)?;
    }
    let mut buf = vec![0u8; token.len() + FRAME];
    let text =
        creds::write_token(ClaimType::Activation, &token, &mut buf).map_err(Error::failed)?;
    if args.output_file.as_os_str() == "--" {
        return ctx.out.bytes(text.as_bytes());
    }
    file::write_output(&args.output_file, text.as_bytes(), true)?;
    let path = args.output_file.display().to_string();
    ctx.out.note(format!("wrote {path}"));
    ctx.out.note(format!(
        "the importer types: nkey add import -u {}",
        shell_word(&path)
    ));
    Ok(())
}

/// The operator's HTTP account server.
fn server(operator: &owned::Operator) -> Result<AccountServer, Error> {
    match address::target(None, operator)? {
        Target::AccountServer(url) => AccountServer::new(&url, &TlsFlags::default(), PATIENCE),
        Target::Resolver(_) => Err(Error::usage(
            "--push is for HTTP account servers, and nats-server keeps no activations: give the importer the file that -o writes",
        )),
    }
}

fn push(ctx: &mut Context, server: &AccountServer, token: &str) -> Result<(), Error> {
    server.activate(token)?;
    let decoded = tolerant::decode(token).map_err(|error| Error::failed(error.to_string()))?;
    if let AnyClaims::Activation(claims) = decoded.claims {
        let hash = claims
            .hash_id()
            .map_err(|error| Error::failed(error.to_string()))?;
        let url = server.activation(&hash);
        ctx.out.note(format!(
            "the importer types: nkey add import -u {}",
            shell_word(&url)
        ));
    }
    Ok(())
}

/// The private export that covers the subject; without one the only one, or the chosen one.
fn export<'a>(
    account: &'a Entry<Account>,
    subject: Option<&str>,
) -> Result<(&'a Export, String), Error> {
    let of = clean_inline(&account.name);
    let exports = account.claims.nats.exports.iter();
    let private: Vec<&Export> = exports.filter(|export| export.token_req).collect();
    let labels: Vec<String> = private.iter().map(|export| label(export)).collect();
    if let Some(subject) = subject {
        if let Some(fault) = Subject::new(subject).faults().next() {
            return Err(Error::usage(format!(
                "-s {}: it {fault}",
                clean_inline(subject)
            )));
        }
        let covers = |export: &&&Export| {
            Subject::new(subject).is_contained_in(&Subject::new(&export.subject))
        };
        return match private.iter().find(covers) {
            Some(export) => Ok((export, subject.to_owned())),
            None => Err(Error::failed(format!(
                "account {of} has no private export for {}; it has: {}",
                clean_inline(subject),
                clean_inline(&labels.join(", "))
            ))),
        };
    }
    let export = match private.as_slice() {
        [] => {
            return Err(Error::failed(format!(
                "account {of} has no private exports, and public ones need no activation"
            )));
        }
        [only] => *only,
        _ if prompt::is_possible() => private[prompt::choose("Which export?", &labels)?],
        _ => {
            return Err(Error::usage(format!(
                "account {of} has several private exports: name one by -s: {}",
                clean_inline(&labels.join(", "))
            )));
        }
    };
    Ok((export, export.subject.clone()))
}

fn target(
    operator: &Operator,
    account: &Entry<Account>,
    wanted: Option<&str>,
) -> Result<PublicKey, Error> {
    let names = operator.accounts()?;
    let wanted = match wanted {
        Some(wanted) => wanted.to_owned(),
        None if prompt::is_possible() => {
            let others: Vec<String> = names
                .iter()
                .filter(|name| **name != account.name)
                .cloned()
                .collect();
            others[prompt::choose("For which account?", &others)?].clone()
        }
        None => {
            return Err(Error::usage(
                "which account imports it: give its name or public key by -t ACCOUNT",
            ));
        }
    };
    let key = match operator.find_account(&names, &wanted) {
        Ok(name) => {
            let target = operator.account(&name)?;
            PublicKey::from_str(target.sub()).map_err(|error| {
                Error::failed(format!("{}: sub: {error}", target.path.display()))
            })?
        }
        Err(error) if PublicKey::from_str(&wanted).is_err() => return Err(error),
        Err(_) => key_argument::public("-t", &wanted)?,
    };
    let key = key
        .expect_kind(Kind::Account)
        .map_err(|error| Error::usage(format!("-t: {error}")))?;
    if *key.encode() == *account.sub() {
        return Err(Error::usage("-t: an account cannot import from itself"));
    }
    Ok(key)
}
