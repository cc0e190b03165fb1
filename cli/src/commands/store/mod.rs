//! `nkey store`.

pub mod enrol;
pub mod family;
pub mod list;

use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Enrol a key that a holder has: it proves possession, and the agent pins it
    #[command(alias = "enroll")]
    Enrol(enrol::Args),
    /// List the stores, or the slots of one
    List(list::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command says.
    pub fn run(&self, ctx: &mut Context) -> Result<(), Error> {
        match self {
            Command::Enrol(args) => enrol::run(args, ctx),
            Command::List(args) => list::run(args, ctx),
        }
    }
}
