//! The tree of commands, and the way from the arguments to one of them.

use crate::commands::{
    add, adopt, agent, completions, decode, delete, describe, edit, env, expirations, export, fix,
    generate, import, init, list, man, openpgp, piv, pkcs11, pull, push, reissue, rename,
    revocations, select, sign, store, token, validate, verify,
};
use crate::context::Context;
use crate::error::Error;
use crate::later::Later;
use crate::seed_guard;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
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
    Init(Later<init::Args>),
    /// Add an operator, account, user, export, import or mapping
    #[command(subcommand)]
    Add(Later<add::Command>),
    /// Bring the seeds of an nsc keystore into the agent
    Adopt(Later<adopt::Args>),
    /// Start, stop, lock and unlock the agent
    #[command(subcommand)]
    Agent(Later<agent::Command>),
    /// Show what a JWT says, and whether its signature is right
    Decode(Later<decode::Args>),
    /// Delete an account, user, export, import or mapping
    #[command(subcommand)]
    Delete(Later<delete::Command>),
    /// Show what an operator, account, user or JWT says
    #[command(subcommand)]
    Describe(Later<describe::Command>),
    /// List when the tokens expire; fails if one does soon
    Expirations(Later<expirations::Args>),
    /// Take keys out of the agent
    #[command(subcommand)]
    Export(Later<export::Command>),
    /// Build a store anew from JWTs, seeds and creds that lie in folders
    Fix(Later<fix::Args>),
    /// Edit an operator, account, signing key, user or export
    #[command(subcommand)]
    Edit(Later<edit::Command>),
    /// Show which store, operator and account commands are about, or choose others
    Env(Later<env::Args>),
    /// Generate keys, activations, creds, configurations and diagrams
    #[command(subcommand)]
    Generate(Later<generate::Command>),
    /// Import keys into the agent, accounts and users into the store
    #[command(subcommand)]
    Import(Later<import::Command>),
    /// List operators, accounts, users and keys
    #[command(subcommand)]
    List(Later<list::Command>),
    /// OpenPGP cards: their signature and authentication keys
    #[command(subcommand)]
    Openpgp(Later<openpgp::Command>),
    /// PIV applets of cards, which holders.toml names
    #[command(subcommand)]
    Piv(Later<piv::Command>),
    /// Tokens of PKCS#11 modules, which holders.toml names
    #[command(subcommand)]
    Pkcs11(Later<pkcs11::Command>),
    /// Bring accounts from the servers into the store
    Pull(Later<pull::Args>),
    /// Send accounts to the servers
    Push(Later<push::Args>),
    /// Issue tokens anew with another key
    #[command(subcommand)]
    Reissue(Later<reissue::Command>),
    /// Rename an account
    #[command(subcommand, hide = true)]
    Rename(Later<rename::Command>),
    /// Revoke users and activations, and take that back
    #[command(subcommand)]
    Revocations(Later<revocations::Command>),
    /// Select the operator or account that commands are about
    #[command(subcommand)]
    Select(Later<select::Command>),
    /// Sign claims with a key of the agent
    Sign(Later<sign::Args>),
    /// Stores of the agent, and keys that others hold
    #[command(subcommand)]
    Store(Later<store::Command>),
    /// Boards that sign only what they have read, such as a Raspberry Pi Pico
    #[command(subcommand)]
    Token(Later<token::Command>),
    /// Check an operator, its accounts and users
    Validate(Later<validate::Args>),
    /// Check the signature, the time and the issuer of a JWT
    Verify(Later<verify::Args>),
    /// Print the completions of a shell
    Completions(Later<completions::Args>),
    /// Print the manual page, or write all of them into a directory
    Man(Later<man::Args>),
}

/// The whole tree, for completions and man pages.
pub fn command() -> clap::Command {
    Cli::command()
}

/// The tree with only those of its first commands that the arguments name: clap copies every global
/// flag into each command it knows, which takes longer than the rest of parsing.
fn named(arguments: &[OsString]) -> clap::Command {
    let whole = Cli::command();
    let mut tree = clap::Command::new("nkey")
        .args(whole.get_arguments())
        .subcommand_required(true);
    for command in whole.get_subcommands() {
        if arguments.iter().any(|word| word == command.get_name()) {
            tree = tree.subcommand(command);
        }
    }
    tree
}

/// What the arguments say. The whole tree has the last word on what is wrong, and on help.
fn parse(arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    if let Ok(matches) = named(&arguments).try_get_matches_from(&arguments)
        && let Ok(cli) = Cli::from_arg_matches(&matches)
    {
        return Ok(cli);
    }
    Cli::try_parse_from(arguments)
}

/// Runs the command that the arguments (the program's name first) ask for.
///
/// # Errors
/// What the command says, or how the arguments are wrong.
pub fn run(arguments: Vec<OsString>) -> Result<(), Error> {
    // Before clap sees them: its errors quote arguments.
    seed_guard::check_arguments(&arguments)?;
    let cli = parse(arguments).map_err(Error::Arguments)?;
    let mut ctx = Context::new(cli.global);
    let result = match &cli.command {
        Command::Init(args) => init::run(args, &mut ctx),
        Command::Add(command) => command.run(&mut ctx),
        Command::Adopt(args) => adopt::run(args, &mut ctx),
        Command::Agent(command) => command.run(&mut ctx),
        Command::Decode(args) => decode::run(args, &mut ctx),
        Command::Delete(command) => command.run(&mut ctx),
        Command::Describe(command) => command.run(&mut ctx),
        Command::Expirations(args) => expirations::run(args, &mut ctx),
        Command::Export(command) => command.run(&mut ctx),
        Command::Fix(args) => fix::run(args, &mut ctx),
        Command::Edit(command) => command.run(&mut ctx),
        Command::Env(args) => env::run(args, &mut ctx),
        Command::Generate(command) => command.run(&mut ctx),
        Command::Import(command) => command.run(&mut ctx),
        Command::List(command) => command.run(&mut ctx),
        Command::Openpgp(command) => command.run(&mut ctx),
        Command::Piv(command) => command.run(&mut ctx),
        Command::Pull(args) => pull::run(args, &mut ctx),
        Command::Pkcs11(command) => command.run(&mut ctx),
        Command::Push(args) => push::run(args, &mut ctx),
        Command::Reissue(command) => command.run(&mut ctx),
        Command::Rename(command) => command.run(&mut ctx),
        Command::Revocations(command) => command.run(&mut ctx),
        Command::Select(command) => command.run(&mut ctx),
        Command::Sign(args) => sign::run(args, &mut ctx),
        Command::Store(command) => command.run(&mut ctx),
        Command::Token(command) => command.run(&mut ctx),
        Command::Validate(args) => validate::run(args, &mut ctx),
        Command::Verify(args) => verify::run(args, &mut ctx),
        Command::Completions(args) => completions::run(args, &mut ctx),
        Command::Man(args) => man::run(args, &mut ctx),
    };
    result.and_then(|()| ctx.out.flush())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Arguments are read, or refused with a text, as by the tree of all commands.
    #[test]
    fn parsing_by_what_is_named_changes_nothing() {
        for line in [
            "nkey",
            "nkey --version",
            "nkey --help",
            "nkey add",
            "nkey add user --help",
            "nkey add usr -n name",
            "nkey list usr add",
            "nkey -H add list operators",
            "nkey --bogus add user",
            "nkey add user -a account -n push --bogus",
            "nkey add user -a account -n push",
            "nkey describe user -n",
            "nkey help add",
            "nkey ad user",
        ] {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let what = |read: Result<Cli, clap::Error>| {
                read.map(|cli| (cli.global.all_dirs, std::mem::discriminant(&cli.command)))
                    .map_err(|error| error.to_string())
            };
            let whole = what(Cli::try_parse_from(arguments.clone()));
            assert_eq!(what(parse(arguments)), whole, "{line}");
        }
    }
}
