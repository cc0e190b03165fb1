//! Printing one token: raw, as JSON, one field, or for people.

use super::human;
use crate::context::Context;
use crate::error::Error;
use crate::output::{Style, json_text};
use crate::token;
use nkey_core::claims::Claim;
use nkey_core::claims::owned::UserScope;
use nkey_core::creds;
use std::io::Write;
use std::path::PathBuf;

/// How to show a token; nsc's flags.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Show {
    /// Print the claims as JSON
    #[arg(short = 'J', long, conflicts_with = "raw")]
    pub json: bool,
    /// Print the token itself; into a file, as a decorated block
    #[arg(short = 'R', long, conflicts_with = "field")]
    pub raw: bool,
    /// Print one field of the claims as JSON, such as nats.limits.conn
    #[arg(short = 'F', long, value_name = "PATH")]
    pub field: Option<String>,
    /// Show whole public keys in lists
    #[arg(short = 'W', long)]
    pub long_ids: bool,
    /// Write to FILE instead of standard output
    #[arg(
        short,
        long,
        value_name = "FILE",
        default_value = "--",
        hide_default_value = true
    )]
    pub output_file: PathBuf,
}

/// Prints `token` as the flags say.
///
/// # Errors
/// If it is no token, or its signature is wrong.
pub fn show(token: &str, flags: &Show, ctx: &mut Context) -> Result<(), Error> {
    show_with(token, None, flags, ctx)
}

/// As [`show`]; `scope` is that of the key that signed a user.
///
/// # Errors
/// As [`show`].
pub fn show_with(
    token: &str,
    scope: Option<&UserScope>,
    flags: &Show,
    ctx: &mut Context,
) -> Result<(), Error> {
    let inspection = token::inspect(token)?;
    inspection.require_signed()?;
    for warning in token::warnings(&inspection.notes) {
        ctx.out.note(format!("WARNING: {warning}"));
    }
    // A file is no terminal.
    let to_file = flags.output_file.as_os_str() != "--";
    let style = if to_file {
        Style::default()
    } else {
        ctx.out.style()
    };
    let text = if let Some(path) = &flags.field {
        token::value(&token::field(&inspection.payload, path)?).to_string() + "\n"
    } else if flags.json {
        json_text(&token::value(&inspection.payload))? + "\n"
    } else if flags.raw && to_file {
        decorated(&inspection.claims, token)?
    } else if flags.raw {
        token.to_owned() + "\n"
    } else {
        human::text(&inspection.claims, scope, flags.long_ids, ctx.now(), style)
    };
    if to_file {
        write_file(flags, text.as_bytes())
    } else {
        ctx.out.bytes(text.as_bytes())
    }
}

fn decorated(claims: &impl Claim, token: &str) -> Result<String, Error> {
    let mut buf = vec![0u8; token.len() + 256];
    creds::write_token(claims.claim_type(), token, &mut buf)
        .map(str::to_owned)
        .map_err(Error::failed)
}

fn write_file(flags: &Show, text: &[u8]) -> Result<(), Error> {
    let path = &flags.output_file;
    std::fs::File::create(path)
        .and_then(|mut file| file.write_all(text))
        .map_err(|error| Error::failed(format!("cannot write {}: {error}", path.display())))
}
