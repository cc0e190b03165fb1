//! `nkey list accounts`.

use crate::context::Context;
use crate::error::Error;
use crate::store::Store;
use crate::store::table::{Row, write_rows};

#[derive(clap::Args)]
pub struct Args {
    /// The operator; it stays selected, as in nsc
    #[arg(short, long, value_name = "OPERATOR")]
    operator: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Lists the accounts of an operator.
///
/// # Errors
/// If a token cannot be read, after all were listed.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut store = Store::open(&ctx.global)?;
    let operator = store.operator(args.operator.as_deref())?;
    if args.operator.is_some() {
        store.remember(operator.name(), ctx.now())?;
    }
    let row = |name: String| {
        let sub = operator
            .account(&name)
            .map(|entry| entry.claims.standard.sub);
        Row::new(name, sub)
    };
    let rows: Vec<Row> = operator.accounts()?.into_iter().map(row).collect();
    write_rows(&mut ctx.out, &rows, args.json)
}
