//! `nkey import`.

pub mod account;
pub mod keys;
mod token_file;
pub mod user;

use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Put an account's JWT into the store
    Account(account::Args),
    /// Put seeds into the agent
    Keys(keys::Args),
    /// Put a user's JWT into the store, and of creds the seed into the agent
    User(user::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command says.
    pub fn run(&self, ctx: &mut Context) -> Result<(), Error> {
        match self {
            Command::Account(args) => account::run(args, ctx),
            Command::Keys(args) => keys::run(args, ctx),
            Command::User(args) => user::run(args, ctx),
        }
    }
}
