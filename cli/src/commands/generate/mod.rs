//! `nkey generate`.

pub mod activation;
pub mod config;
pub mod creds;
pub mod nkey;

use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

/// Generate keys, creds, activations and server configurations
#[derive(Subcommand)]
pub enum Command {
    /// Generate an activation, with which another account imports a private export
    Activation(activation::Args),
    /// Generate a server's configuration
    Config(config::Args),
    /// Generate a creds file for a user
    Creds(creds::Args),
    /// Generate a key, in the agent or on the terminal
    Nkey(nkey::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command says.
    pub fn run(&self, ctx: &mut Context) -> Result<(), Error> {
        match self {
            Command::Activation(args) => activation::run(args, ctx),
            Command::Config(args) => config::run(args, ctx),
            Command::Creds(args) => creds::run(args, ctx),
            Command::Nkey(args) => nkey::run(args, ctx),
        }
    }
}
