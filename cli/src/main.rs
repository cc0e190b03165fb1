//! `nkey`: the command line of nkey-agent. It holds no key and signs nothing; the agent does.

mod cli;
mod commands;
mod context;
mod difference;
mod error;
mod found;
mod input;
mod key_argument;
mod key_flags;
mod later;
mod nats;
mod output;
mod prompt;
mod seed_guard;
mod source;
mod store;
mod text;
mod token;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run(std::env::args_os().collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}
