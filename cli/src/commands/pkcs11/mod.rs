//! `nkey pkcs11`.

pub mod generate;
pub mod info;
pub mod list;

use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

/// What the names of these stores begin with.
const PREFIX: &str = "pkcs11:";

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

/// The store that a person names, with or without what it begins with.
fn store_name(text: &str) -> String {
    if text.starts_with(PREFIX) {
        text.to_owned()
    } else {
        format!("{PREFIX}{text}")
    }
}
