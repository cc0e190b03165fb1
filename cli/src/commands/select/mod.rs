//! `nkey select`.

pub mod account;
pub mod operator;

use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Select an account
    Account(account::Args),
    /// Select an operator
    Operator(operator::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command says.
    pub fn run(&self, ctx: &mut Context) -> Result<(), Error> {
        match self {
            Command::Account(args) => account::run(args, ctx),
            Command::Operator(args) => operator::run(args, ctx),
        }
    }
}
