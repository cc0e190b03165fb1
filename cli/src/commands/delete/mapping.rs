//! `nkey delete mapping`.

use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::prompt;
use crate::store::keys::Fresh;
use crate::store::{Edit, Entry};
use nkey_core::claims::owned::{Account, WeightedMapping};

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The subject that is mapped
    #[arg(short, long, value_name = "SUBJECT")]
    from: Option<String>,
    /// Only where it goes to this subject
    #[arg(short, long, value_name = "SUBJECT")]
    to: Option<String>,
    /// Only in this cluster
    #[arg(long, value_name = "CLUSTER")]
    cluster: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Deletes where a subject goes.
///
/// # Errors
/// If there is no such mapping, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let (mut edit, account) = Edit::account(ctx, args.account.as_deref())?;
    let from = edit.ask(args.from.is_some(), || from(args, &account))?;
    Fresh::begin(ctx)?;
    let of = clean_inline(&account.name);
    let mut claims = account.claims.clone();
    let mappings = &mut claims.nats.mappings;
    let targets = mappings.entry(from.clone()).or_default();
    let before = targets.len();
    targets.retain(|target| {
        let to = args.to.as_deref();
        let here = to.is_none_or(|to| target.subject.as_deref() == Some(to));
        // Of one target nsc means the entry for all clusters, unless one is named.
        let cluster = match (&args.cluster, to) {
            (Some(cluster), _) => target.cluster == *cluster,
            (None, Some(_)) => target.cluster.is_empty(),
            (None, None) => true,
        };
        !(here && cluster)
    });
    if targets.len() == before {
        let known: Vec<String> = account
            .claims
            .nats
            .mappings
            .iter()
            .flat_map(|(from, targets)| targets.iter().map(move |target| label(from, target)))
            .collect();
        let has = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        return Err(Error::failed(format!(
            "account {of} has no such mapping of {}; it has: {}",
            clean_inline(&from),
            clean_inline(&has)
        )));
    }
    mappings.retain(|_, targets| !targets.is_empty());
    let issued = edit.write_account(ctx, &account, claims)?;
    let headline = format!(
        "deleted mapping of {} from account {of}",
        clean_inline(&from)
    );
    issued.report(ctx, args.json, &headline)
}

fn from(args: &Args, account: &Entry<Account>) -> Result<String, Error> {
    if let Some(from) = &args.from {
        return Ok(from.clone());
    }
    let known: Vec<String> = account.claims.nats.mappings.keys().cloned().collect();
    if known.is_empty() {
        return Err(Error::failed(format!(
            "account {} has no mappings",
            clean_inline(&account.name)
        )));
    }
    if !prompt::is_possible() {
        return Err(Error::usage(
            "which subject is meant: give it by --from SUBJECT",
        ));
    }
    let chosen = prompt::choose("Which mapping?", &known)?;
    Ok(known[chosen].clone())
}

fn label(from: &str, target: &WeightedMapping) -> String {
    let to = target.subject.as_deref().unwrap_or_default();
    match target.cluster.as_str() {
        "" => format!("{from} to {to}"),
        cluster => format!("{from} to {to} in {cluster}"),
    }
}
