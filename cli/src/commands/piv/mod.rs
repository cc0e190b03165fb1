//! `nkey piv`.

pub mod info;
pub mod list;

use crate::commands::store::family::Family;
use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

/// PIV applets of cards.
const FAMILY: Family = Family {
    prefix: "piv:",
    one: "card",
};

/// PIV applets of cards, which holders.toml names
#[derive(Subcommand)]
pub enum Command {
    /// Show a card and its keys
    Info(info::Args),
    /// List the cards
    List(list::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command says.
    pub fn run(&self, ctx: &mut Context) -> Result<(), Error> {
        match self {
            Command::Info(args) => info::run(args, ctx),
            Command::List(args) => list::run(args, ctx),
        }
    }
}
