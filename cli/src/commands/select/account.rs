//! `nkey select account`.

use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::prompt;
use crate::store::Store;

#[derive(clap::Args)]
pub struct Args {
    /// The account, by name or public key
    #[arg(value_name = "ACCOUNT")]
    account: Option<String>,
}

/// Remembers an account in `nsc.json`, as nsc does.
///
/// # Errors
/// If there is no such account.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut store = Store::open(&ctx.global)?;
    let operator = store.operator(None)?;
    let names = operator.accounts()?;
    let name = match &args.account {
        Some(wanted) => operator.find_account(&names, wanted)?,
        None if prompt::is_possible() && !names.is_empty() => {
            names[prompt::choose("Which account?", &names)?].clone()
        }
        None => return Err(Error::usage("which account: nkey select account NAME")),
    };
    let lock = store.lock()?;
    store.select(&lock, operator.name(), Some(&name), ctx.now())?;
    ctx.out
        .line(format!("selected account {}", clean_inline(&name)))
}
