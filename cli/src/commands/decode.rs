//! `nkey decode`.

use crate::context::Context;
use crate::error::Error;
use crate::output::clean;
use crate::token::{self, Inspection};
use nkey_core::claims::Claim;
use nkey_core::jwt::Algorithm;
use serde_json::{Value, json};

#[derive(clap::Args)]
pub struct Args {
    /// A JWT, a file with one (bare, decorated or creds), or - for standard input
    #[arg(value_name = "TOKEN|FILE|-")]
    pub token: Option<String>,
    /// Print JSON
    #[arg(long, short = 'J')]
    pub json: bool,
}

/// Shows a token's claims as they stand. Exit 1 if its signature is wrong.
///
/// # Errors
/// If there are no claims to be read, or the token is not one that servers take.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let token = token::read(args.token.as_deref())?;
    let inspection = token::inspect(&token)?;
    if args.json {
        ctx.out.json(&report(&inspection))?;
    } else {
        human(&inspection, ctx)?;
    }
    match inspection.signed {
        Ok(_) => Ok(()),
        Err(error) => {
            ctx.out.flush()?;
            Err(Error::failed(format!(
                "servers do not take this token: {error}"
            )))
        }
    }
}

fn human(inspection: &Inspection, ctx: &mut Context) -> Result<(), Error> {
    let version = match inspection.algorithm {
        Algorithm::V1 => "ed25519 (version 1)",
        Algorithm::V2 => "ed25519-nkey (version 2)",
    };
    ctx.out.line(format!("Header     {version}"))?;
    ctx.out
        .line(format!("Claim      {}", inspection.claims.claim_type()))?;
    match &inspection.signed {
        Ok(key) => ctx.out.line(format!("Signature  right, by {key}"))?,
        Err(error) => ctx.out.line(format!(
            "Signature  NOT VALID: {}",
            clean(&error.to_string())
        ))?,
    }
    for warning in token::warnings(&inspection.notes) {
        ctx.out.line(format!("WARNING    {}", clean(&warning)))?;
    }
    ctx.out.line("")?;
    // Go's escapes leave no control characters, but direction marks and DEL may stand there.
    ctx.out.line(clean(&token::indented(&inspection.payload)))
}

fn report(inspection: &Inspection) -> Value {
    let (signed, problem) = match &inspection.signed {
        Ok(key) => (Some(key.to_string()), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let unknown: Vec<Value> = inspection
        .notes
        .unknown
        .iter()
        .map(|(member, value)| json!({"member": member, "value": token::value(value)}))
        .collect();
    json!({
        "type": inspection.claims.claim_type().name(),
        "signed_by": signed,
        "problem": problem,
        "claims": token::value(&inspection.payload),
        "unknown": unknown,
        "other_case": inspection.notes.spelled,
        "repeated": inspection.notes.repeated,
    })
}
