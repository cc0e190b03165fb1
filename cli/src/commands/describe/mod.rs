//! `nkey describe`. Each command finds a token; [`show::show`] prints it by the flags of
//! [`show::Show`], which every `Args` here flattens.

pub mod account;
mod human;
pub mod jwt;
pub mod operator;
pub mod show;
pub mod user;

use crate::context::Context;
use crate::error::Error;
use crate::later::Later;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Show an account
    Account(Later<account::Args>),
    /// Show a JWT or creds file
    Jwt(Later<jwt::Args>),
    /// Show the operator
    Operator(Later<operator::Args>),
    /// Show a user
    User(Later<user::Args>),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command says.
    pub fn run(&self, ctx: &mut Context) -> Result<(), Error> {
        match self {
            Command::Account(args) => account::run(args, ctx),
            Command::Jwt(args) => jwt::run(args, ctx),
            Command::Operator(args) => operator::run(args, ctx),
            Command::User(args) => user::run(args, ctx),
        }
    }
}
