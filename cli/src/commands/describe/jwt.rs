//! `nkey describe jwt`.

use super::show::{Show, show};
use crate::context::Context;
use crate::error::Error;
use crate::token;

#[derive(clap::Args)]
pub struct Args {
    /// A file with a JWT, bare or decorated, a creds file, or - for standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: String,
    #[command(flatten)]
    pub show: Show,
}

/// Shows the JWT of a file.
///
/// # Errors
/// If there is none, or its signature is wrong.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let token = token::read(Some(&args.file))?;
    show(&token, &args.show, ctx)
}
