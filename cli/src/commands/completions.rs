//! `nkey completions`.

use crate::cli;
use crate::context::Context;
use crate::error::Error;
use clap_complete::Shell;

#[derive(clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints the completions of a shell.
///
/// # Errors
/// If standard output cannot be written.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "nkey", &mut text);
    ctx.out.bytes(&text)
}
