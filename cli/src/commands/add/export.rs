//! `nkey add export`.

use crate::context::Context;
use crate::error::Error;
use crate::input::{boolean, duration};
use crate::output::clean_inline;
use crate::prompt;
use crate::store::keys::Fresh;
use crate::store::{Edit, exports};
use nkey_core::claims;
use nkey_core::claims::owned::{Export, ServiceLatency};

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The subject
    #[arg(short, long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// Its name [default: the subject]
    #[arg(short, long, value_name = "NAME")]
    name: Option<String>,
    /// Export a service; otherwise it is a stream
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
    /// How often latency is measured: 1 to 100 per cent, or `header` where a request asks for it
    #[arg(long, value_name = "PERCENT|header", value_parser = sampling, requires = "latency")]
    sampling: Option<Sampling>,
    /// How a service answers [default: Singleton]
    #[arg(long, value_name = "TYPE", value_enum, ignore_case = true)]
    response_type: Option<ResponseType>,
    /// How long an answer may take, such as 5s
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    response_threshold: Option<i64>,
    /// Which token of the subject must be the importer's public key, from 1
    #[arg(long, value_name = "N")]
    account_token_position: Option<u64>,
    /// Let message traces pass
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = boolean::parse
    )]
    allow_trace: Option<bool>,
    /// Advertise the export
    #[arg(
        long, hide = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_parser = boolean::parse
    )]
    advertise: Option<bool>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// How a service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "PascalCase")]
pub enum ResponseType {
    /// One message
    Singleton,
    /// Any number of messages
    Stream,
    /// One message in parts
    Chunked,
}

impl ResponseType {
    /// The text in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            ResponseType::Singleton => "Singleton",
            ResponseType::Stream => "Stream",
            ResponseType::Chunked => "Chunked",
        }
    }
}

/// How often latency is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Not at all.
    Never,
    /// Where the headers of a request ask for it.
    Header,
    /// Per cent of requests.
    Percent(u8),
}

impl Sampling {
    /// The value in claims.
    pub fn claim(self) -> claims::Sampling {
        match self {
            Sampling::Never | Sampling::Header => claims::Sampling(0),
            Sampling::Percent(percent) => claims::Sampling(percent.into()),
        }
    }
}

/// Reads `--sampling`.
///
/// # Errors
/// Names the forms.
pub fn sampling(text: &str) -> Result<Sampling, String> {
    if ["header", "headers"].contains(&text.to_lowercase().as_str()) {
        return Ok(Sampling::Header);
    }
    match text.trim_end_matches('%').parse() {
        Ok(0) => Ok(Sampling::Never),
        Ok(percent @ 1..=100) => Ok(Sampling::Percent(percent)),
        _ => Err("it is 1 to 100 per cent, or header".to_owned()),
    }
}

/// Adds an export to an account.
///
/// # Errors
/// If servers would refuse it then, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let (mut edit, account) = Edit::account(ctx, args.account.as_deref())?;
    let subject = args.subject.as_deref();
    let subject = edit.ask(subject.is_some(), || {
        let missing = "which subject is exported: give it by -s SUBJECT";
        prompt::or_line(subject, "Subject to export:", missing)
    })?;
    Fresh::begin(ctx)?;
    let export = export(args, subject)?;
    let (kind, shown) = (exports::label(&export), clean_inline(&account.name));
    let mut claims = account.claims.clone();
    claims.nats.exports.push(export);
    let issued = edit.write_account(ctx, &account, claims)?;
    let headline = format!("added {} to account {shown}", clean_inline(&kind));
    issued.report(ctx, args.json, &headline)
}

fn export(args: &Args, subject: String) -> Result<Export, Error> {
    let service = args.service == Some(true);
    let private = args.private == Some(true);
    let position = args.account_token_position.unwrap_or(0);
    if private && position != 0 {
        return Err(Error::usage(
            "--account-token-position is for public exports: a private one names its importers by activations",
        ));
    }
    if !service {
        let flags = [
            ("--response-type", args.response_type.is_some()),
            (
                "--response-threshold",
                args.response_threshold.is_some_and(|time| time != 0),
            ),
            ("--latency", args.latency.is_some()),
            ("--allow-trace", args.allow_trace == Some(true)),
        ];
        if let Some((flag, _)) = flags.iter().find(|(_, given)| *given) {
            return Err(Error::usage(format!(
                "{flag} is for services: add --service"
            )));
        }
    }
    if args.sampling == Some(Sampling::Never) {
        return Err(Error::usage(
            "--sampling 0 measures nothing: leave out --latency",
        ));
    }
    let latency = args.latency.clone().map(|results| ServiceLatency {
        results: Some(results),
        sampling: Some(args.sampling.unwrap_or(Sampling::Header).claim()),
    });
    let response = args.response_type.unwrap_or(ResponseType::Singleton).name();
    Ok(Export {
        name: args.name.clone().unwrap_or_else(|| subject.clone()),
        subject,
        kind: Some(exports::kind(service)),
        token_req: private,
        response_type: if service { response } else { "" }.to_owned(),
        response_threshold: args.response_threshold.unwrap_or(0),
        service_latency: latency,
        account_token_position: position,
        advertise: args.advertise == Some(true),
        allow_trace: args.allow_trace == Some(true),
        ..Export::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampling_is_a_share_or_left_to_headers() {
        assert_eq!(sampling("Header"), Ok(Sampling::Header));
        assert_eq!(sampling("1"), Ok(Sampling::Percent(1)));
        assert_eq!(sampling("100%"), Ok(Sampling::Percent(100)));
        assert_eq!(sampling("0"), Ok(Sampling::Never));
        for text in ["", "101", "-1", "often"] {
            sampling(text).unwrap_err();
        }
    }
}
