//! `nkey edit`.

pub mod account;
pub mod authcallout;
pub mod export;
mod jetstream;
pub mod operator;
pub mod signing_key;
pub mod user;
pub mod users;

use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Edit an account
    Account(account::Args),
    /// Edit an account's authorization callout
    Authcallout(authcallout::Args),
    /// Edit an export
    Export(export::Args),
    /// Edit the operator
    Operator(operator::Args),
    /// Edit a signing key's role and what its users may do
    SigningKey(signing_key::Args),
    /// Edit a user
    User(user::Args),
    /// Edit many users alike: by a pattern of their names, or by tag
    Users(users::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command says.
    pub fn run(&self, ctx: &mut Context) -> Result<(), Error> {
        match self {
            Command::Account(args) => account::run(args, ctx),
            Command::Authcallout(args) => authcallout::run(args, ctx),
            Command::Export(args) => export::run(args, ctx),
            Command::Operator(args) => operator::run(args, ctx),
            Command::SigningKey(args) => signing_key::run(args, ctx),
            Command::User(args) => user::run(args, ctx),
            Command::Users(args) => users::run(args, ctx),
        }
    }
}

/// No flag says what to change.
fn nothing_to_do() -> Error {
    Error::usage("no flag says what to change: --help lists them")
}
