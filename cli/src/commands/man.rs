//! `nkey man`.

use crate::cli;
use crate::context::Context;
use crate::error::Error;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// Write the pages of all commands into DIR, one file each
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Prints the manual page of `nkey`, or writes those of all commands.
///
/// # Errors
/// If they cannot be written.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let command = cli::command();
    if let Some(dir) = &args.dir {
        let failed = |error| Error::failed(format!("cannot write to {}: {error}", dir.display()));
        std::fs::create_dir_all(dir).map_err(failed)?;
        return clap_mangen::generate_to(command, dir).map_err(failed);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Error::failed(format!("cannot make the page: {error}")))?;
    ctx.out.bytes(&page)
}
