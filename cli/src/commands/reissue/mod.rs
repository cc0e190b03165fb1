//! `nkey reissue`.

pub mod operator;

use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Give the operator another identity key, and sign anew what the old one signed
    Operator(operator::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command says.
    pub fn run(&self, ctx: &mut Context) -> Result<(), Error> {
        match self {
            Command::Operator(args) => operator::run(args, ctx),
        }
    }
}
