//! `nkey piv`.

pub mod attest;
pub mod card;
mod chain;
pub mod delete;
pub mod flags;
pub mod generate;
pub mod import;
pub mod info;
pub mod init;
pub mod list;
pub mod management_key;
pub mod pin;
pub mod puk;
pub mod verify_attestation;

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
    /// Print a card's word that it made a key itself
    Attest(attest::Args),
    /// Delete a key from a card
    Delete(delete::Args),
    /// Make a key in a card
    Generate(generate::Args),
    /// Put a seed into a card
    Import(import::Args),
    /// Show a card and its keys
    Info(info::Args),
    /// Change what is still as the card came: PIN, PUK and management key
    Init(init::Args),
    /// List the cards
    List(list::Args),
    /// Set a new management key, stored under the PIN
    ManagementKey(management_key::Args),
    /// Change the PIN, or unblock it with the PUK
    Pin(pin::Args),
    /// Change the PUK
    Puk(puk::Args),
    /// Check that a card made a key itself
    VerifyAttestation(verify_attestation::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command says.
    pub fn run(&self, ctx: &mut Context) -> Result<(), Error> {
        match self {
            Command::Attest(args) => attest::run(args, ctx),
            Command::Delete(args) => delete::run(args, ctx),
            Command::Generate(args) => generate::run(args, ctx),
            Command::Import(args) => import::run(args, ctx),
            Command::Info(args) => info::run(args, ctx),
            Command::Init(args) => init::run(args, ctx),
            Command::List(args) => list::run(args, ctx),
            Command::ManagementKey(args) => management_key::run(args, ctx),
            Command::Pin(args) => pin::run(args, ctx),
            Command::Puk(args) => puk::run(args, ctx),
            Command::VerifyAttestation(args) => verify_attestation::run(args, ctx),
        }
    }
}
