//! `nkey import`.

pub mod keys;

use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

/// Import keys into the agent
#[derive(Subcommand)]
pub enum Command {
    /// Put seeds into the agent
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
