//! `nkey add`.

pub mod account;
mod columns;
pub mod export;
pub mod import;
pub mod mapping;
pub mod operator;
pub mod user;
pub mod users;

use crate::context::Context;
use crate::error::Error;
use crate::later::Later;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Add an account
    Account(Later<account::Args>),
    /// Add an export to an account
    Export(Later<export::Args>),
    /// Add an import to an account
    Import(Later<import::Args>),
    /// Add a mapping to an account, or change its weight
    Mapping(Later<mapping::Args>),
    /// Add an operator
    Operator(Later<operator::Args>),
    /// Add a user to an account
    User(Later<user::Args>),
    /// Add many users to an account
    Users(Later<users::Args>),
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
            Command::Operator(args) => operator::run(args, ctx),
            Command::User(args) => user::run(args, ctx),
            Command::Users(args) => users::run(args, ctx),
        }
    }
}
