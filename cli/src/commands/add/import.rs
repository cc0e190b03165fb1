//! `nkey add import`.

use crate::context::Context;
use crate::error::Error;
use crate::input::boolean;
use crate::key_argument;
use crate::nats::account_server;
use crate::output::clean_inline;
use crate::prompt;
use crate::source::{self, MAX_TEXT};
use crate::store::activation::{Wanted, activate};
use crate::store::cycles::Accounts;
use crate::store::exports::{kind, label};
use crate::store::keys::Fresh;
use crate::store::reissue::key_of;
use crate::store::{Edit, Entry};
use nkey_core::claims::ExportType;
use nkey_core::claims::owned::{Account, Export, Import, Standard};
use nkey_core::creds;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::subject::Subject;
use nkey_core::tolerant::{self, AnyClaims};
use std::str::FromStr;
use zeroize::Zeroizing;

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// A file with the activation of a private export, or - for standard input
    #[arg(short = 'u', long, value_name = "FILE", conflicts_with_all = ["src_account", "remote_subject", "service"])]
    token: Option<String>,
    /// The exporting account, by name or public key
    #[arg(long, value_name = "ACCOUNT", requires = "remote_subject")]
    src_account: Option<String>,
    /// The exporter's subject
    #[arg(long, value_name = "SUBJECT", requires = "src_account")]
    remote_subject: Option<String>,
    /// The subject in this account [default: the exporter's]
    #[arg(short = 's', long, value_name = "SUBJECT")]
    local_subject: Option<String>,
    /// Its name [default: the exporter's subject]
    #[arg(short, long, value_name = "NAME")]
    name: Option<String>,
    /// Import a service; otherwise it is a stream
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = boolean::parse
    )]
    service: Option<bool>,
    /// Show the exporter of a service whose requests are measured
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = boolean::parse
    )]
    share: Option<bool>,
    /// Let the traces of a stream's messages pass
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = boolean::parse
    )]
    allow_trace: Option<bool>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Adds an import to an account: from an activation, or of an export of an account of the
/// store, whose activation is issued if it needs one.
///
/// # Errors
/// If servers would refuse it then, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let (mut edit, account) = Edit::account(ctx, args.account.as_deref())?;
    Fresh::begin(ctx)?;
    let mut import = match (&args.token, &args.src_account, &args.remote_subject) {
        (Some(file), ..) => from_activation(file, &account)?,
        (None, Some(source), Some(subject)) => direct(args, ctx, &edit, &account, source, subject)?,
        _ => chosen(ctx, &mut edit, &account)?,
    };
    if let Some(local) = &args.local_subject {
        import.local_subject.clone_from(local);
    }
    if let Some(name) = &args.name {
        import.name.clone_from(name);
    }
    let service = import.kind == Some(ExportType::Service);
    import.share = args.share == Some(true);
    import.allow_trace = args.allow_trace == Some(true);
    if import.share && !service {
        return Err(Error::usage(
            "--share is for services, and this is a stream",
        ));
    }
    if import.allow_trace && service {
        return Err(Error::usage(
            "--allow-trace is for streams, and this is a service",
        ));
    }
    let of = clean_inline(&account.name);
    if import.account == account.sub() {
        return Err(Error::usage(format!(
            "account {of} cannot import from itself"
        )));
    }
    let same = |known: &Import| {
        known.kind == import.kind
            && known.account == import.account
            && known.subject == import.subject
    };
    if account.claims.nats.imports.iter().any(same) {
        return Err(Error::failed(format!(
            "account {of} imports {} from {} already",
            clean_inline(&import.subject),
            import.account
        )));
    }
    let headline = format!(
        "added import of {} {} to account {of}",
        kind(service).name(),
        clean_inline(&import.subject)
    );
    let mut claims = account.claims.clone();
    claims.nats.imports.push(import);
    let mut accounts = Accounts::of(&edit.operator)?;
    accounts.set(account.sub(), claims.nats.clone());
    let added = claims.nats.imports.len() - 1;
    if accounts.circles(account.sub()).contains(&added) {
        return Err(Error::usage(format!(
            "the import would be part of a circle, and servers pass over such: account {of} would import what it exports itself"
        )));
    }
    let issued = edit.write_account(ctx, &account, claims)?;
    issued.report(ctx, args.json, &headline)
}

fn from_activation(file: &str, account: &Entry<Account>) -> Result<Import, Error> {
    let text = if account_server::is_url(file) {
        Zeroizing::new(account_server::fetch(file)?)
    } else {
        source::read(file, MAX_TEXT)?
    };
    let token = creds::parse_token(&text).trim();
    let failed = |reason: String| Error::failed(format!("{}: {reason}", clean_inline(file)));
    let decoded = tolerant::decode(token).map_err(|error| failed(error.to_string()))?;
    let AnyClaims::Activation(claims) = decoded.claims else {
        return Err(failed("this is not an activation".to_owned()));
    };
    let standard = claims.standard;
    if standard.sub != "public" && standard.sub != account.sub() {
        return Err(failed(format!(
            "sub: the activation is for {}, not for account {}",
            standard.sub, account.name
        )));
    }
    let source = match claims.nats.issuer_account.as_str() {
        "" => standard.iss,
        account => account.to_owned(),
    };
    let service = claims.nats.kind == Some(ExportType::Service);
    Ok(Import {
        name: standard.name,
        local_subject: if service {
            claims.nats.subject.clone()
        } else {
            String::new()
        },
        subject: claims.nats.subject,
        account: source,
        token: token.to_owned(),
        kind: claims.nats.kind,
        ..Import::default()
    })
}

/// An export named by account and subject.
fn direct(
    args: &Args,
    ctx: &mut Context,
    edit: &Edit,
    account: &Entry<Account>,
    source: &str,
    subject: &str,
) -> Result<Import, Error> {
    let names = edit.operator.accounts()?;
    let kind = kind(args.service == Some(true));
    let exporter = match edit.operator.find_account(&names, source) {
        Ok(name) => edit.operator.account(&name)?,
        Err(error) if PublicKey::from_str(source).is_err() => return Err(error),
        Err(_) => {
            // An account of another operator, or one that is not here: nsc adds it as well.
            let key = key_argument::public("--src-account", source)?;
            let key = key
                .expect_kind(Kind::Account)
                .map_err(|error| Error::usage(format!("--src-account: {error}")))?;
            return Ok(plain(key.to_string(), kind, subject));
        }
    };
    let mut exports = exporter.claims.nats.exports.iter();
    let covers = |export: &&Export| {
        export.kind == Some(kind)
            && Subject::new(subject).is_contained_in(&Subject::new(&export.subject))
    };
    match exports.find(covers) {
        Some(export) => of_export(ctx, edit, account, &exporter, export, subject),
        None => {
            ctx.out.note(format!(
                "account {} exports no {} for {}: servers pass over the import until it does",
                exporter.name,
                kind.name(),
                clean_inline(subject)
            ));
            Ok(plain(exporter.sub().to_owned(), kind, subject))
        }
    }
}

fn plain(account: String, kind: ExportType, subject: &str) -> Import {
    Import {
        name: subject.to_owned(),
        subject: subject.to_owned(),
        account,
        kind: Some(kind),
        ..Import::default()
    }
}

/// The import of an export of the store, with an activation if it needs one.
fn of_export(
    ctx: &mut Context,
    edit: &Edit,
    account: &Entry<Account>,
    exporter: &Entry<Account>,
    export: &Export,
    subject: &str,
) -> Result<Import, Error> {
    let kind = kind(export.kind == Some(ExportType::Service));
    let mut import = plain(exporter.sub().to_owned(), kind, subject);
    if let Some(index) = usize::try_from(export.account_token_position)
        .ok()
        .and_then(|position| position.checked_sub(1))
    {
        own_token(&mut import, account, index)?;
    }
    if export.token_req {
        let strict = edit.entry.claims.nats.strict_signing_key_usage;
        let wanted = Wanted {
            export,
            subject: &import.subject,
            target: &key_of(account)?,
            validity: &Standard::default(),
        };
        import.token = activate(ctx, strict, exporter, &wanted, None)?;
        if kind == ExportType::Service {
            import.local_subject.clone_from(&import.subject);
        }
    }
    Ok(import)
}

/// Puts the account's key at the token of the subject where the export wants it.
fn own_token(import: &mut Import, account: &Entry<Account>, index: usize) -> Result<(), Error> {
    let mut tokens: Vec<&str> = import.subject.split('.').collect();
    let wrong = || {
        Error::usage(format!(
            "token {} of {} must be the importer's public key, {}, or *",
            index + 1,
            clean_inline(&import.subject),
            account.sub()
        ))
    };
    match tokens.get(index) {
        Some(token) if *token == account.sub() => return Ok(()),
        Some(&"*") => {}
        _ => return Err(wrong()),
    }
    tokens[index] = account.sub();
    let subject = tokens.join(".");
    tokens.remove(index);
    import.local_subject = tokens.join(".");
    import.name.clone_from(&subject);
    import.subject = subject;
    Ok(())
}

/// The export that a person at a terminal chooses.
fn chosen(ctx: &mut Context, edit: &mut Edit, account: &Entry<Account>) -> Result<Import, Error> {
    if !prompt::is_possible() {
        return Err(Error::usage(
            "what is imported: give an activation by -u FILE, or --src-account ACCOUNT and --remote-subject SUBJECT",
        ));
    }
    let mut found: Vec<(Entry<Account>, usize)> = Vec::new();
    let mut labels = Vec::new();
    for name in edit.operator.accounts()? {
        // One that cannot be read is none to import from; `nkey validate` names it.
        let Ok(exporter) = edit.operator.account(&name) else {
            continue;
        };
        if exporter.sub() == account.sub() {
            continue;
        }
        for (index, export) in exporter.claims.nats.exports.iter().enumerate() {
            labels.push(format!("{name}: {}", label(export)));
            found.push((exporter.clone(), index));
        }
    }
    if found.is_empty() {
        return Err(Error::failed(
            "no other account of the store exports anything",
        ));
    }
    let chosen = edit.ask(false, || prompt::choose("Which export?", &labels))?;
    let (exporter, index) = &found[chosen];
    let export = &exporter.claims.nats.exports[*index];
    let mut import = of_export(ctx, edit, account, exporter, export, &export.subject)?;
    import.name.clone_from(&export.name);
    if import.kind == Some(ExportType::Service) && import.local_subject.is_empty() {
        import.local_subject.clone_from(&import.subject);
    }
    Ok(import)
}
