//! `nkey agent unlock`.

use crate::context::Context;
use crate::error::Error;
use crate::output::clean;
use crate::prompt::Terminal;
use crate::source;
use nkey_agent::client::{self, Prompt};
use serde_json::json;
use zeroize::Zeroizing;

/// The longest passphrase file, in bytes.
const MAX_PASSPHRASE: usize = 64 * 1024;

#[derive(clap::Args)]
pub struct Args {
    /// A file with the vault's passphrase (one last newline is no part of it), or - for standard input
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    pub json: bool,
}

/// Unlocks the agent; its questions are answered from the file, or on this terminal.
///
/// # Errors
/// Exit 3 if the answers are wrong, 4 if there is no agent.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let unlocked = match &args.passphrase_file {
        Some(file) => {
            let text = source::read(file, MAX_PASSPHRASE)?;
            let passphrase = text.strip_suffix('\n').unwrap_or(&text).to_owned();
            ctx.agent()?
                .unlock(&mut Given(Some(Zeroizing::new(passphrase))))
        }
        None => {
            let mut terminal = Terminal::default();
            let unlocked = ctx.agent()?.unlock(&mut terminal);
            match (unlocked, terminal.failure) {
                (Err(client::Error::Cancelled), Some(failure)) => return Err(failure),
                (unlocked, _) => unlocked,
            }
        }
    };
    let status = unlocked.map_err(|error| Error::from(error).next("nkey agent unlock"))?;
    for warning in &status.warnings {
        ctx.out.note(format!("warning: {warning}"));
    }
    if args.json {
        return ctx.out.json(&json!({ "locked": false }));
    }
    ctx.out.note("unlocked");
    Ok(())
}

/// Answers one question for a secret; there is nobody to answer others.
struct Given(Option<Zeroizing<String>>);

impl Prompt for Given {
    fn message(&mut self, text: &str) {
        eprintln!("{}", clean(text));
    }

    fn secret(&mut self, _text: &str) -> Option<Zeroizing<String>> {
        self.0.take()
    }

    fn public(&mut self, _text: &str) -> Option<String> {
        None
    }

    fn confirm(&mut self, _text: &str) -> Option<bool> {
        None
    }
}
