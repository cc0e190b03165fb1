//! The tree of commands, and the way from the arguments to one of them.

use crate::commands::{
    add, adopt, agent, completions, decode, delete, describe, edit, env, expirations, export, fix,
    generate, import, init, list, man, migrate, openpgp, piv, pkcs11, pull, push, reissue, rename,
    revocations, select, sign, store, token, upgrade_jwt, validate, verify,
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

/// The name of a command: its module's, unless that cannot be one.
macro_rules! name {
    ($module:ident) => {
        stringify!($module)
    };
    ($module:ident $name:literal) => {
        $name
    };
}

/// How a command is built: its flags, or the commands below it.
macro_rules! build {
    ($module:ident Args $base:ident $arguments:ident) => {
        $module::Args::augment_args($base)
    };
    ($module:ident Command $base:ident $arguments:ident) => {
        only(
            $module::Command::augment_subcommands($base.clone()),
            $base,
            $arguments,
        )
    };
}

/// How a command is run.
macro_rules! run {
    ($module:ident Args $args:ident $ctx:ident) => {
        $module::run($args, $ctx)
    };
    ($module:ident Command $command:ident $ctx:ident) => {
        $command.run($ctx)
    };
}

/// The first commands, each named as its module: `Name(module::Args)`, or `Name(module::Command)`
/// if others are below it; `Name(module::Args as "name")` where a module cannot have its name.
macro_rules! commands {
    ($( $(#[$about:meta])* $variant:ident($module:ident::$kind:ident $(as $name:literal)?), )*) => {
        #[derive(Subcommand)]
        #[expect(
            clippy::large_enum_variant,
            reason = "there is one, and it lives as long as the process"
        )]
        enum Command {
            $( $(#[$about])* $variant(Later<$module::$kind>), )*
        }

        impl Command {
            /// The command `name`, with only those below it that the arguments name.
            fn build(name: &str, arguments: &[OsString]) -> Option<clap::Command> {
                $( if name == name!($module $($name)?) {
                    let base = clap::Command::new(name!($module $($name)?));
                    return Some(build!($module $kind base arguments));
                } )*
                None
            }

            fn run(&self, ctx: &mut Context) -> Result<(), Error> {
                match self {
                    $( Command::$variant(command) => run!($module $kind command ctx), )*
                }
            }
        }
    };
}

commands! {
    /// Create an operator, a system account, an account and a user
    Init(init::Args),
    /// Add an operator, account, user, export, import or mapping
    #[command(subcommand)]
    Add(add::Command),
    /// Bring the seeds of an nsc keystore into the agent
    Adopt(adopt::Args),
    /// Start, stop, lock and unlock the agent
    #[command(subcommand)]
    Agent(agent::Command),
    /// Show what a JWT says, and whether its signature is right
    Decode(decode::Args),
    /// Delete an account, user, export, import or mapping
    #[command(subcommand)]
    Delete(delete::Command),
    /// Show what an operator, account, user or JWT says
    #[command(subcommand)]
    Describe(describe::Command),
    /// List when the tokens expire; fails if one does soon
    Expirations(expirations::Args),
    /// Take keys out of the agent
    #[command(subcommand)]
    Export(export::Command),
    /// Build a store anew from JWTs, seeds and creds that lie in folders
    Fix(fix::Args),
    /// Edit an operator, account, signing key, user or export
    #[command(subcommand)]
    Edit(edit::Command),
    /// Show which store, operator and account commands are about, or choose others
    Env(env::Args),
    /// Generate keys, activations, creds, configurations and diagrams
    #[command(subcommand)]
    Generate(generate::Command),
    /// Import keys into the agent, accounts and users into the store
    #[command(subcommand)]
    Import(import::Command),
    /// List operators, accounts, users and keys
    #[command(subcommand)]
    List(list::Command),
    /// Bring accounts and their users under the selected operator
    #[command(hide = true)]
    Migrate(migrate::Args),
    /// OpenPGP cards: their signature and authentication keys
    #[command(subcommand)]
    Openpgp(openpgp::Command),
    /// PIV applets of cards, which holders.toml names
    #[command(subcommand)]
    Piv(piv::Command),
    /// Tokens of PKCS#11 modules, which holders.toml names
    #[command(subcommand)]
    Pkcs11(pkcs11::Command),
    /// Bring accounts from the servers into the store
    Pull(pull::Args),
    /// Send accounts to the servers
    Push(push::Args),
    /// Issue tokens anew with another key
    #[command(subcommand)]
    Reissue(reissue::Command),
    /// Rename an account
    #[command(subcommand, hide = true)]
    Rename(rename::Command),
    /// Revoke users and activations, and take that back
    #[command(subcommand)]
    Revocations(revocations::Command),
    /// Select the operator or account that commands are about
    #[command(subcommand)]
    Select(select::Command),
    /// Sign claims with a key of the agent
    Sign(sign::Args),
    /// Stores of the agent, and keys that others hold
    #[command(subcommand)]
    Store(store::Command),
    /// Boards that sign only what they have read, such as a Raspberry Pi Pico
    #[command(subcommand)]
    Token(token::Command),
    /// Issue the tokens of version 1 anew in version 2
    #[command(hide = true)]
    UpgradeJwt(upgrade_jwt::Args as "upgrade-jwt"),
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

/// The tree with only those commands that the arguments name, and without help: clap copies every
/// global flag into each command it knows, which takes longer than the rest of parsing.
fn named(arguments: &[OsString]) -> clap::Command {
    let mut tree = Global::augment_args(clap::Command::new("nkey"))
        .subcommand_required(true)
        .disable_help_flag(true)
        .disable_help_subcommand(true);
    for word in arguments.iter().filter_map(|word| word.to_str()) {
        if tree.find_subcommand(word).is_none()
            && let Some(command) = Command::build(word, arguments)
        {
            tree = tree.subcommand(command);
        }
    }
    tree
}

/// The commands of `whole` that the arguments name, below `base`.
fn only(whole: clap::Command, base: clap::Command, arguments: &[OsString]) -> clap::Command {
    let is_named =
        |command: &&clap::Command| arguments.iter().any(|word| word == command.get_name());
    base.subcommand_required(true)
        .args(whole.get_arguments())
        .groups(whole.get_groups())
        .subcommands(whole.get_subcommands().filter(is_named))
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
    cli.command.run(&mut ctx)?;
    ctx.out.flush()
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
            same(line);
        }
    }

    fn same(line: &str) {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let what = |read: Result<Cli, clap::Error>| {
            read.map(|cli| (cli.global.all_dirs, std::mem::discriminant(&cli.command)))
                .map_err(|error| error.to_string())
        };
        let whole = what(Cli::try_parse_from(arguments.clone()));
        assert_eq!(what(parse(arguments)), whole, "{line}");
    }

    /// The lines of all commands, from the first to the last word.
    fn lines(command: &clap::Command, before: &str, all: &mut Vec<String>) {
        for command in command.get_subcommands() {
            let line = format!("{before} {}", command.get_name());
            lines(command, &line, all);
            all.push(line);
        }
    }

    #[test]
    fn every_command_is_found_by_its_name_and_takes_the_same() {
        let mut tree = command();
        tree.build();
        let mut all = Vec::new();
        lines(&tree, "nkey", &mut all);
        let named = |line: &str| !line.contains(" help");
        let all: Vec<String> = all.into_iter().filter(|line| named(line)).collect();
        assert!(all.len() > 100, "{}", all.len());
        for line in &all {
            let name = line.split(' ').nth(1).unwrap();
            assert!(Command::build(name, &[]).is_some(), "{name}");
            for rest in ["", " --help", " -H dir", " -i x", " --bogus", " -n u -a A"] {
                same(&format!("{line}{rest}"));
            }
        }
    }
}
