//! `nkey pkcs11`.

pub mod generate;
pub mod info;
pub mod list;

use crate::commands::store::family::Family;
use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

/// Tokens of PKCS#11 modules.
const FAMILY: Family = Family {
    prefix: "pkcs11:",
    one: "token",
};

/// Tokens of PKCS#11 modules, which holders.toml names
#[derive(Subcommand)]
pub enum Command {
    /// Make a key in a token and enrol it
    Generate(generate::Args),
    /// Show a token and its keys
    Info(info::Args),
    /// List the tokens
    List(list::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command says.
    pub fn run(&self, ctx: &mut Context) -> Result<(), Error> {
        match self {
            Command::Generate(args) => generate::run(args, ctx),
            Command::Info(args) => info::run(args, ctx),
            Command::List(args) => list::run(args, ctx),
        }
    }
}
