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
    /// A file with the PIN of a store (one last newline is no part of it); may be repeated
    #[arg(long, value_name = "STORE=FILE")]
    pub pin_file: Vec<String>,
}

/// Unlocks the agent; its questions are answered from the file, or on this terminal.
///
/// # Errors
/// Exit 3 if the answers are wrong, 4 if there is no agent.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut given = Given {
        passphrase: args.passphrase_file.as_deref().map(read).transpose()?,
        pins: Vec::new(),
        // Somebody at a terminal is asked for what no file answers, unless all comes from files.
        terminal: args.passphrase_file.is_none().then(Terminal::default),
    };
    for pin in &args.pin_file {
        let (store, file) = pin
            .split_once('=')
            .ok_or_else(|| Error::usage("--pin-file needs STORE=FILE"))?;
        given.pins.push((format!("PIN of {store} "), read(file)?));
    }
    let unlocked = ctx.agent()?.unlock(&mut given);
    let failure = given.terminal.and_then(|terminal| terminal.failure);
    if let (Err(client::Error::Cancelled), Some(failure)) = (&unlocked, failure) {
        return Err(failure);
    }
    let status = unlocked.map_err(|error| Error::from(error).next("nkey agent unlock"))?;
    for warning in &status.warnings {
        ctx.out.note(format!("warning: {warning}"));
    }
    if args.json {
        let stores = status.locked_stores();
        return ctx
            .out
            .json(&json!({ "locked": status.is_locked(), "locked_stores": stores }));
    }
    ctx.out.note(match status.locked_stores()[..] {
        [] => "unlocked".to_owned(),
        ref stores => format!("unlocked; still locked: {}", stores.join(", ")),
    });
    Ok(())
}

fn read(file: &str) -> Result<Zeroizing<String>, Error> {
    let text = source::read(file, MAX_PASSPHRASE)?;
    Ok(Zeroizing::new(
        text.strip_suffix('\n').unwrap_or(&text).to_owned(),
    ))
}

/// Answers from files, else on the terminal. A passphrase is never given as a PIN: it would cost
/// a try.
struct Given {
    passphrase: Option<Zeroizing<String>>,
    /// How the question begins, and its answer.
    pins: Vec<(String, Zeroizing<String>)>,
    terminal: Option<Terminal>,
}

impl Prompt for Given {
    fn message(&mut self, text: &str) {
        eprintln!("{}", clean(text));
    }

    fn secret(&mut self, text: &str) -> Option<Zeroizing<String>> {
        if let Some(at) = self
            .pins
            .iter()
            .position(|(start, _)| text.starts_with(start))
        {
            return Some(self.pins.swap_remove(at).1);
        }
        match &mut self.terminal {
            Some(terminal) => terminal.secret(text),
            // Its holder stays locked.
            None if text.starts_with("PIN of ") => Some(Zeroizing::default()),
            None => self.passphrase.take(),
        }
    }

    fn public(&mut self, text: &str) -> Option<String> {
        self.terminal.as_mut()?.public(text)
    }

    fn confirm(&mut self, text: &str) -> Option<bool> {
        match &mut self.terminal {
            Some(terminal) => terminal.confirm(text),
            // A file agrees to nothing; whoever asked says what that means.
            None => Some(false),
        }
    }
}
