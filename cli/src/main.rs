//! `nkey`: the command line of nkey-agent. It holds no key and signs nothing; the agent does.

mod card;
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
#[cfg(test)]
mod nsc_table;
mod output;
mod progress;
mod prompt;
mod seed_guard;
mod source;
mod store;
mod text;
mod token;
#[cfg(test)]
mod token_docs;

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use std::process::ExitCode;
use zeroizing_alloc::ZeroAlloc;

/// Passphrases and seeds pass through here: no core dumps, and nobody looks in.
fn protect() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Neither can fail for a process's own; without them everything works all the same.
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Freed memory is wiped, whoever freed it.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    protect();
    match cli::run(std::env::args_os().collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}
