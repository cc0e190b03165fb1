//! `nkey delete`.

pub mod account;
pub mod export;
pub mod import;
mod keys;
pub mod mapping;
pub mod user;
pub mod users;

use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Delete an account and its users
    Account(account::Args),
    /// Delete an export
    Export(export::Args),
    /// Delete an import
    Import(import::Args),
    /// Delete a mapping
    Mapping(mapping::Args),
    /// Delete users
    User(user::Args),
    /// Delete many users: by a pattern of their names, or by tag
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
            Command::Export(args) => export::run(args, ctx),
            Command::Import(args) => import::run(args, ctx),
            Command::Mapping(args) => mapping::run(args, ctx),
            Command::User(args) => user::run(args, ctx),
            Command::Users(args) => users::run(args, ctx),
        }
    }
}
