//! `nkey list`.

pub mod accounts;
pub mod keys;
pub mod operators;
pub mod users;

use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// List the accounts of the operator
    #[command(alias = "account")]
    Accounts(accounts::Args),
    /// List the keys of the agent
    #[command(alias = "key")]
    Keys(keys::Args),
    /// List the operators
    #[command(alias = "operator")]
    Operators(operators::Args),
    /// List the users of an account
    #[command(alias = "user")]
    Users(users::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command says.
    pub fn run(&self, ctx: &mut Context) -> Result<(), Error> {
        match self {
            Command::Accounts(args) => accounts::run(args, ctx),
            Command::Keys(args) => keys::run(args, ctx),
            Command::Operators(args) => operators::run(args, ctx),
            Command::Users(args) => users::run(args, ctx),
        }
    }
}
