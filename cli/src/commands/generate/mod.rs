//! `nkey generate`.

pub mod activation;
pub mod config;
pub mod context;
pub mod creds;
pub mod diagram;
pub mod nkey;
pub mod profile;

use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Generate an activation, with which another account imports a private export
    Activation(activation::Args),
    /// Generate a server's configuration
    Config(config::Args),
    /// Generate a context of the nats CLI for a user
    Context(context::Args),
    /// Generate a creds file for a user
    Creds(creds::Args),
    /// Generate a picture of the store
    #[command(subcommand)]
    Diagram(diagram::Command),
    /// Generate a key, in the agent or on the terminal
    Nkey(nkey::Args),
    /// Generate what tools ask nsc for, from a URL such as nsc://operator/account/user
    Profile(profile::Args),
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
            Command::Context(args) => context::run(args, ctx),
            Command::Creds(args) => creds::run(args, ctx),
            Command::Diagram(command) => command.run(ctx),
            Command::Nkey(args) => nkey::run(args, ctx),
            Command::Profile(args) => profile::run(args, ctx),
        }
    }
}
