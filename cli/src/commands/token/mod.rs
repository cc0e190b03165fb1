//! `nkey token`.

pub mod ask;
pub mod attest;
mod bench;
mod bootsel;
mod counters;
mod device;
mod erase;
mod export;
mod flash;
pub mod generate;
pub mod import;
mod info;
mod init;
pub mod keys;
pub mod line;
mod list;
mod lock;
mod name;
mod pin;
pub mod policy;
mod receive;
mod reset;
mod sealed;
mod statement;
mod udev;
mod unlock;
mod verify_attestation;
mod words;

use crate::context::Context;
use crate::error::Error;
use clap::Subcommand;

/// Boards that sign what they have read, such as a Raspberry Pi Pico
#[derive(Subcommand)]
pub enum Command {
    /// Have a token state what it holds
    Attest(attest::Args),
    /// Measure how fast a token is
    Bench(bench::Args),
    /// Restart a token in its bootloader
    Bootsel(bootsel::Args),
    /// Show what a token has counted: signatures, times, tries
    Counters(counters::Args),
    /// Wipe one key
    Erase(erase::Args),
    /// Seal a key to the backup peer
    Export(export::Args),
    /// Put firmware on a board
    Flash(flash::Args),
    /// Make a key in a token, which never gives it away
    Generate(generate::Args),
    /// Bring a seed into a token that was initialised for it
    Import(import::Args),
    /// Show a token and its keys
    Info(info::Args),
    /// Give a token its PIN
    Init(init::Args),
    /// List the tokens that are plugged in
    List(list::Args),
    /// End the session that the agent has with a token
    Lock(lock::Args),
    /// Name a key
    Name(name::Args),
    /// Change the PIN
    Pin(pin::Args),
    /// Show what a key may sign, or change it
    Policy(policy::Args),
    /// Take a key that the backup peer exported
    Receive(receive::Args),
    /// Wipe a token, also one whose PIN is lost
    Reset(reset::Args),
    /// Print the udev rule that lets whoever sits at the machine use tokens
    Udev(udev::Args),
    /// Open a session between the agent and a token
    Unlock(unlock::Args),
    /// Check what a token stated
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
            Command::Bench(args) => bench::run(args, ctx),
            Command::Bootsel(args) => bootsel::run(args, ctx),
            Command::Counters(args) => counters::run(args, ctx),
            Command::Erase(args) => erase::run(args, ctx),
            Command::Export(args) => export::run(args, ctx),
            Command::Flash(args) => flash::run(args, ctx),
            Command::Generate(args) => generate::run(args, ctx),
            Command::Import(args) => import::run(args, ctx),
            Command::Info(args) => info::run(args, ctx),
            Command::Init(args) => init::run(args, ctx),
            Command::List(args) => list::run(args, ctx),
            Command::Lock(args) => lock::run(args, ctx),
            Command::Name(args) => name::run(args, ctx),
            Command::Pin(args) => pin::run(args, ctx),
            Command::Policy(args) => policy::run(args, ctx),
            Command::Receive(args) => receive::run(args, ctx),
            Command::Reset(args) => reset::run(args, ctx),
            Command::Udev(args) => udev::run(args, ctx),
            Command::Unlock(args) => unlock::run(args, ctx),
            Command::VerifyAttestation(args) => verify_attestation::run(args, ctx),
        }
    }
}
