//! `nkey select operator`.

use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::prompt;
use crate::store::Store;

#[derive(clap::Args)]
pub struct Args {
    /// The operator, by name or public key
    #[arg(value_name = "OPERATOR")]
    operator: Option<String>,
}

/// Remembers an operator in `nsc.json`, as nsc does.
///
/// # Errors
/// If there is no such operator.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut store = Store::open(&ctx.global)?;
    let names = store.operators()?;
    let wanted = match &args.operator {
        Some(wanted) => wanted.clone(),
        None if prompt::is_possible() && !names.is_empty() => {
            names[prompt::choose("Which operator?", &names)?].clone()
        }
        None => return Err(Error::usage("which operator: nkey select operator NAME")),
    };
    let operator = store.operator(Some(&wanted))?;
    let account = store.kept_account(&operator)?;
    let lock = store.lock()?;
    store.select(&lock, operator.name(), account.as_deref(), ctx.now())?;
    ctx.out.line(format!(
        "selected operator {}",
        clean_inline(operator.name())
    ))
}
