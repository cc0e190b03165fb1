//! `nkey openpgp`.

pub mod generate;
pub mod info;
pub mod list;
pub mod pin;

use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

/// OpenPGP cards: their signature and authentication keys
#[derive(Subcommand)]
pub enum Command {
    /// Make a key in a card and, if holders.toml names the card, enrol it
    Generate(generate::Args),
    /// Show a card, its PINs and its keys
    Info(info::Args),
    /// List the cards that are there
    List(list::Args),
    /// Change the PIN or the admin PIN, or set a new PIN with the admin PIN
    Pin(pin::Args),
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
            Command::Pin(args) => pin::run(args, ctx),
        }
    }
}
