//! `nkey delete import`.

use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::prompt;
use crate::store::keys::Fresh;
use crate::store::{Edit, Entry, Operator};
use nkey_core::claims::ExportType;
use nkey_core::claims::owned::{Account, Import};

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The exporter's subject
    #[arg(short, long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// The exporting account, by name or public key, where several export the subject
    #[arg(long, value_name = "ACCOUNT")]
    src_account: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Deletes an import of an account.
///
/// # Errors
/// If there is none, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let (mut edit, account) = Edit::account(ctx, args.account.as_deref())?;
    let source = match &args.src_account {
        Some(wanted) => Some(source(&edit.operator, wanted)?),
        None => None,
    };
    let subject = args.subject.as_deref();
    let index = edit.ask(subject.is_some(), || {
        find(&account, subject, source.as_deref())
    })?;
    Fresh::begin(ctx)?;
    let mut claims = account.claims.clone();
    let import = claims.nats.imports.remove(index);
    let issued = edit.write_account(ctx, &account, claims)?;
    let headline = format!(
        "deleted import of {} from account {}",
        clean_inline(&label(&import)),
        clean_inline(&account.name)
    );
    issued.report(ctx, args.json, &headline)
}

/// The public key of an account of the store, or any public key.
fn source(operator: &Operator, wanted: &str) -> Result<String, Error> {
    match operator.find_account(&operator.accounts()?, wanted) {
        Ok(name) => Ok(operator.account(&name)?.sub().to_owned()),
        Err(_) if wanted.len() == 56 => Ok(wanted.to_owned()),
        Err(error) => Err(error),
    }
}

fn label(import: &Import) -> String {
    let kind = import.kind.map_or("unknown", ExportType::name);
    format!("{kind} {} of {}", import.subject, import.account)
}

fn find(
    account: &Entry<Account>,
    subject: Option<&str>,
    source: Option<&str>,
) -> Result<usize, Error> {
    let of = clean_inline(&account.name);
    let imports = account.claims.nats.imports.iter().enumerate();
    let found: Vec<(usize, &Import)> = imports
        .filter(|(_, import)| {
            subject.is_none_or(|subject| import.subject == subject)
                && source.is_none_or(|source| import.account == source)
        })
        .collect();
    let labels = |imports: &[Import]| imports.iter().map(label).collect::<Vec<_>>();
    match found.as_slice() {
        [(index, _)] => Ok(*index),
        [] if account.claims.nats.imports.is_empty() => {
            Err(Error::failed(format!("account {of} has no imports")))
        }
        [] => Err(Error::failed(format!(
            "account {of} has no such import; it has: {}",
            clean_inline(&labels(&account.claims.nats.imports).join(", "))
        ))),
        several => {
            let labels: Vec<String> = several.iter().map(|(_, import)| label(import)).collect();
            if prompt::is_possible() {
                return Ok(several[prompt::choose("Which import?", &labels)?].0);
            }
            Err(Error::usage(format!(
                "account {of} has several such imports: name one by -s and --src-account: {}",
                clean_inline(&labels.join(", "))
            )))
        }
    }
}
