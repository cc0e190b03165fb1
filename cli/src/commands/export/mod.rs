//! `nkey export`.

pub mod keys;
mod sealing;

use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Write the seeds of exportable keys to files, encrypted
    Keys(keys::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command says.
    pub fn run(&self, ctx: &mut Context) -> Result<(), Error> {
        match self {
            Command::Keys(args) => keys::run(args, ctx),
        }
    }
}
