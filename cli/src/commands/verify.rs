//! `nkey verify`.

use crate::context::Context;
use crate::error::Error;
use crate::key_argument;
use crate::output::clean_inline;
use crate::text;
use crate::token;
use nkey_core::claims::Claim;
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    /// A JWT, a file with one (bare, decorated or creds), or - for standard input
    #[arg(value_name = "TOKEN|FILE|-")]
    pub token: Option<String>,
    /// Accept only tokens that this public key signed; may be given several times
    #[arg(long, value_name = "PUB")]
    pub issuer: Vec<String>,
    /// Print JSON
    #[arg(long, short = 'J')]
    pub json: bool,
}

/// Checks a token: signature, kind of issuer, time and, if given, the issuer itself.
///
/// # Errors
/// Exit 1 says everything that is wrong.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let issuers = args
        .issuer
        .iter()
        .map(|text| key_argument::public("--issuer", text))
        .collect::<Result<Vec<_>, _>>()?;
    let token = token::read(args.token.as_deref())?;
    let inspection = token::inspect(&token)?;
    let standard = inspection.claims.standard();
    let now = ctx.now();
    let mut problems = Vec::new();
    match &inspection.signed {
        Ok(key) if !issuers.is_empty() && !issuers.contains(key) => {
            problems.push(format!(
                "the issuer {key} is none of those given by --issuer"
            ));
        }
        Ok(_) => {}
        Err(error) => problems.push(error.to_string()),
    }
    if standard.exp != 0 && now > standard.exp {
        problems.push(format!("it expired at {}", text::time(standard.exp)));
    }
    if standard.nbf > now {
        problems.push(format!(
            "it is not valid before {}",
            text::time(standard.nbf)
        ));
    }
    let warnings = token::warnings(&inspection.notes);
    let claim_type = inspection.claims.claim_type().name();
    if args.json {
        ctx.out.json(&json!({
            "valid": problems.is_empty(),
            "type": claim_type,
            "name": standard.name,
            "subject": standard.sub,
            "issuer": standard.iss,
            "issued": standard.iat,
            "expires": standard.exp,
            "problems": problems,
            "warnings": warnings,
        }))?;
    } else {
        for warning in &warnings {
            ctx.out.note(format!("WARNING: {warning}"));
        }
        if problems.is_empty() {
            let expires = match standard.exp {
                0 => "does not expire".to_owned(),
                exp => format!("expires {}", text::time(exp)),
            };
            let subject = clean_inline(&standard.sub);
            let name = clean_inline(&standard.name);
            let issuer = clean_inline(&standard.iss);
            ctx.out.line(format!(
                "valid: {claim_type} {name} {subject}, signed by {issuer}, {expires}"
            ))?;
            if issuers.is_empty() {
                ctx.out.note(
                    "whether that issuer is trusted was not checked: name trusted keys by --issuer",
                );
            }
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    ctx.out.flush()?;
    Err(Error::failed(format!("not valid: {}", problems.join("; "))))
}
