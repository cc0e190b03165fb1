//! The tree of commands, and the way from the arguments to one of them.

use crate::commands::{
    add, agent, completions, decode, describe, generate, import, init, list, man, piv, pkcs11,
    push, sign, store, validate, verify,
};
use crate::context::Context;
use crate::error::Error;
use crate::seed_guard;
use clap::{Args, CommandFactory, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// NATS operators, accounts and users whose seeds stay in an agent.
#[derive(Parser)]
#[command(
    name = "nkey",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// The flags that every command takes; nsc's, and the agent's socket.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Set --config-dir, --data-dir and --keystore-dir to DIR
    #[arg(short = 'H', long, global = true, value_name = "DIR")]
    pub all_dirs: Option<PathBuf>,
    /// Where nsc.json is
    #[arg(long, global = true, value_name = "DIR")]
    pub config_dir: Option<PathBuf>,
    /// Where the operators' JWTs are
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where creds are, and the seeds that nsc keeps
    #[arg(long, global = true, value_name = "DIR")]
    pub keystore_dir: Option<PathBuf>,
    /// Ask for what is missing
    #[arg(short, long, global = true)]
    pub interactive: bool,
    /// Sign with this key of the agent: a public key, a name or a role; never a seed
    #[arg(short = 'K', long, global = true, value_name = "KEY")]
    pub private_key: Option<String>,
    /// The agent's socket, instead of $NKEY_AUTH_SOCK or the default one
    #[arg(long, global = true, value_name = "PATH")]
    pub socket: Option<PathBuf>,
}

#[derive(Subcommand)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one, and it lives as long as the process"
)]
enum Command {
    /// Create an operator, a system account, an account and a user
    Init(init::Args),
    #[command(subcommand)]
    Add(add::Command),
    #[command(subcommand)]
    Agent(agent::Command),
    /// Show what a JWT says, and whether its signature is right
    Decode(decode::Args),
    #[command(subcommand)]
    Describe(describe::Command),
    #[command(subcommand)]
    Generate(generate::Command),
    #[command(subcommand)]
    Import(import::Command),
    #[command(subcommand)]
    List(list::Command),
    #[command(subcommand)]
    Piv(piv::Command),
    #[command(subcommand)]
    Pkcs11(pkcs11::Command),
    /// Send accounts to the servers
    Push(push::Args),
    /// Sign claims with a key of the agent
    Sign(sign::Args),
    #[command(subcommand)]
    Store(store::Command),
    /// Check an operator, its accounts and users
    Validate(validate::Args),
    /// Check the signature, the time and the issuer of a JWT
    Verify(verify::Args),
    /// Print the completions of a shell
    Completions(completions::Args),
    /// Print the manual page, or write all of them into a directory
    Man(man::Args),
}

/// The whole tree, for completions and man pages.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command that the arguments (the program's name first) ask for.
///
/// # Errors
/// What the command says, or how the arguments are wrong.
pub fn run(arguments: Vec<OsString>) -> Result<(), Error> {
    // Before clap sees them: its errors quote arguments.
    seed_guard::check_arguments(&arguments)?;
    let cli = Cli::try_parse_from(arguments).map_err(Error::Arguments)?;
    let mut ctx = Context::new(cli.global);
    let result = match &cli.command {
        Command::Init(args) => init::run(args, &mut ctx),
        Command::Add(command) => command.run(&mut ctx),
        Command::Agent(command) => command.run(&mut ctx),
        Command::Decode(args) => decode::run(args, &mut ctx),
        Command::Describe(command) => command.run(&mut ctx),
        Command::Generate(command) => command.run(&mut ctx),
        Command::Import(command) => command.run(&mut ctx),
        Command::List(command) => command.run(&mut ctx),
        Command::Piv(command) => command.run(&mut ctx),
        Command::Pkcs11(command) => command.run(&mut ctx),
        Command::Push(args) => push::run(args, &mut ctx),
        Command::Sign(args) => sign::run(args, &mut ctx),
        Command::Store(command) => command.run(&mut ctx),
        Command::Validate(args) => validate::run(args, &mut ctx),
        Command::Verify(args) => verify::run(args, &mut ctx),
        Command::Completions(args) => completions::run(args, &mut ctx),
        Command::Man(args) => man::run(args, &mut ctx),
    };
    result.and_then(|()| ctx.out.flush())
}
