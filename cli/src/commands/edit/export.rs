//! `nkey edit export`.

use super::nothing_to_do;
use crate::commands::add::export::{ResponseType, Sampling, sampling};
use crate::context::Context;
use crate::error::Error;
use crate::input::{boolean, duration};
use crate::output::clean_inline;
use crate::store::edit::Issued;
use crate::store::keys::Fresh;
use crate::store::{Edit, Entry, exports};
use nkey_core::claims::ExportType;
use nkey_core::claims::owned::{Account, Export, ServiceLatency};

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The export's subject
    #[arg(short, long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// Its name
    #[arg(short, long, value_name = "NAME")]
    name: Option<String>,
    /// It is a service; --service=false makes it a stream
    #[arg(
        short = 'r', long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = boolean::parse
    )]
    service: Option<bool>,
    /// Importers need an activation
    #[arg(
        short, long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = boolean::parse
    )]
    private: Option<bool>,
    /// Where the latency of a service is reported
    #[arg(long, value_name = "SUBJECT")]
    latency: Option<String>,
    /// How often latency is measured: 1 to 100 per cent, `header` where a request asks for it, 0 never
    #[arg(long, value_name = "PERCENT|header", value_parser = sampling)]
    sampling: Option<Sampling>,
    /// Do not report latency any more
    #[arg(long, conflicts_with_all = ["latency", "sampling"])]
    rm_latency_sampling: bool,
    /// How a service answers
    #[arg(long, value_name = "TYPE", value_enum, ignore_case = true)]
    response_type: Option<ResponseType>,
    /// How long an answer may take, such as 5s; 0 is for ever
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    response_threshold: Option<i64>,
    /// Let message traces pass
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = boolean::parse
    )]
    allow_trace: Option<bool>,
    /// Description
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Where to read more
    #[arg(long, value_name = "URL")]
    info_url: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

impl Args {
    fn is_empty(&self) -> bool {
        // As in nsc, the subject alone is an edit: it signs the account again.
        self.subject.is_none()
            && self.name.is_none()
            && self.service.is_none()
            && self.private.is_none()
            && self.latency.is_none()
            && self.sampling.is_none()
            && !self.rm_latency_sampling
            && self.response_type.is_none()
            && self.response_threshold.is_none()
            && self.allow_trace.is_none()
            && self.description.is_none()
            && self.info_url.is_none()
    }
}

/// Changes an export.
///
/// # Errors
/// If servers would refuse it then, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    if args.is_empty() {
        return Err(nothing_to_do());
    }
    let (mut edit, account) = Edit::account(ctx, args.account.as_deref())?;
    let subject = args.subject.as_deref();
    let index = edit.ask(subject.is_some(), || exports::find(&account, subject))?;
    Fresh::begin(ctx)?;
    let issued = change(args, ctx, &edit, &account, index)?;
    let headline = format!(
        "edited export {} of account {}",
        clean_inline(&account.claims.nats.exports[index].subject),
        clean_inline(&account.name)
    );
    issued.report(ctx, args.json, &headline)
}

fn change(
    args: &Args,
    ctx: &mut Context,
    edit: &Edit,
    account: &Entry<Account>,
    index: usize,
) -> Result<Issued, Error> {
    let mut claims = account.claims.clone();
    let export = &mut claims.nats.exports[index];
    let before = (export.kind, export.token_req);
    if let Some(name) = &args.name {
        export.name.clone_from(name);
    }
    if let Some(service) = args.service {
        export.kind = Some(exports::kind(service));
    }
    if let Some(private) = args.private {
        export.token_req = private;
    }
    if let Some(trace) = args.allow_trace {
        export.allow_trace = trace;
    }
    if let Some(text) = &args.description {
        export.description.clone_from(text);
    }
    if let Some(url) = &args.info_url {
        export.info_url.clone_from(url);
    }
    service(args, export)?;
    if (export.kind, export.token_req) != before {
        ctx.out.note(
            "whether the export is a stream or service, private or public has changed: accounts that import it must import it anew",
        );
    }
    edit.write_account(ctx, account, claims)
}

/// What only services have.
fn service(args: &Args, export: &mut Export) -> Result<(), Error> {
    if export.kind != Some(ExportType::Service) {
        let flags = [
            ("--latency", args.latency.is_some()),
            ("--sampling", args.sampling.is_some()),
            ("--response-type", args.response_type.is_some()),
            (
                "--response-threshold",
                args.response_threshold.is_some_and(|time| time != 0),
            ),
            ("--allow-trace", args.allow_trace == Some(true)),
        ];
        if let Some((flag, _)) = flags.iter().find(|(_, given)| *given) {
            return Err(Error::usage(format!(
                "{flag} is for services, and this is a stream"
            )));
        }
        export.response_type.clear();
        export.response_threshold = 0;
        export.service_latency = None;
        export.allow_trace = false;
        return Ok(());
    }
    if let Some(kind) = args.response_type {
        export.response_type = kind.name().to_owned();
    } else if args.service == Some(true) && export.response_type.is_empty() {
        export.response_type = ResponseType::Singleton.name().to_owned();
    }
    if let Some(time) = args.response_threshold {
        export.response_threshold = time;
    }
    if args.rm_latency_sampling || args.sampling == Some(Sampling::Never) {
        export.service_latency = None;
        return Ok(());
    }
    if let Some(subject) = &args.latency {
        export.service_latency.get_or_insert_default().results = Some(subject.clone());
    }
    if let Some(sampling) = args.sampling {
        match &mut export.service_latency {
            Some(latency) => latency.sampling = Some(sampling.claim()),
            None => {
                return Err(Error::usage(
                    "--sampling needs a subject to report to: give it by --latency",
                ));
            }
        }
    }
    if let Some(ServiceLatency {
        sampling: sampling @ None,
        ..
    }) = &mut export.service_latency
    {
        *sampling = Some(Sampling::Header.claim());
    }
    Ok(())
}
