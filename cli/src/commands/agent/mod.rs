//! `nkey agent`.

pub mod lock;
pub mod start;
pub mod status;
pub mod stop;
pub mod unlock;

use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Command {
    /// Forget every decrypted key until unlock
    Lock(lock::Args),
    /// Start an agent in the background
    Start(start::Args),
    /// Say whether the agent runs and is unlocked
    Status(status::Args),
    /// Stop the agent
    Stop(stop::Args),
    /// Unlock the agent's vault
    Unlock(unlock::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command says.
    pub fn run(&self, ctx: &mut Context) -> Result<(), Error> {
        match self {
            Command::Lock(args) => lock::run(args, ctx),
            Command::Start(args) => start::run(args, ctx),
            Command::Status(args) => status::run(args, ctx),
            Command::Stop(args) => stop::run(args, ctx),
            Command::Unlock(args) => unlock::run(args, ctx),
        }
    }
}
