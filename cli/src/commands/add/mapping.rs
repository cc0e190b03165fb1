//! `nkey add mapping`.

use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::prompt;
use crate::store::Edit;
use crate::store::keys::Fresh;
use nkey_core::claims::owned::WeightedMapping;

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The subject that is mapped
    #[arg(short, long, value_name = "SUBJECT")]
    from: Option<String>,
    /// Where its messages go
    #[arg(short, long, value_name = "SUBJECT")]
    to: Option<String>,
    /// Its share in per cent, 1 to 100 [default: 100]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    weight: Option<u8>,
    /// The cluster in which it applies [default: all]
    #[arg(long, value_name = "CLUSTER")]
    cluster: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Adds where a subject goes, or changes the weight of one that is there.
///
/// # Errors
/// If servers would refuse it then, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let (mut edit, account) = Edit::account(ctx, args.account.as_deref())?;
    let (from, to) = (args.from.as_deref(), args.to.as_deref());
    let (from, to) = edit.ask(from.is_some() && to.is_some(), || {
        let missing =
            "which subject is mapped, and where to: give them by -f SUBJECT and -t SUBJECT";
        let from = prompt::or_line(from, "Subject to map:", missing)?;
        Ok((from, prompt::or_line(to, "Where to:", missing)?))
    })?;
    Fresh::begin(ctx)?;
    let mut claims = account.claims.clone();
    let target = WeightedMapping {
        subject: Some(to.clone()),
        weight: args.weight.unwrap_or(0),
        cluster: args.cluster.clone().unwrap_or_default(),
    };
    let targets = claims.nats.mappings.entry(from.clone()).or_default();
    let same = |known: &&mut WeightedMapping| {
        known.subject == target.subject && known.cluster == target.cluster
    };
    match targets.iter_mut().find(same) {
        Some(known) => *known = target,
        None => targets.push(target),
    }
    let issued = edit.write_account(ctx, &account, claims)?;
    let headline = format!(
        "account {} maps {} to {}",
        clean_inline(&account.name),
        clean_inline(&from),
        clean_inline(&to)
    );
    issued.report(ctx, args.json, &headline)
}
