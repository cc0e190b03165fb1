//! `nkey list operators`.

use crate::context::Context;
use crate::error::Error;
use crate::store::Store;
use crate::store::table::{Row, write_rows};

#[derive(clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Lists the operators of the store.
///
/// # Errors
/// If a token cannot be read, after all were listed.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let store = Store::open(&ctx.global)?;
    let row = |name: String| {
        let sub = store
            .operator(Some(&name))
            .and_then(|operator| Ok(operator.claims()?.claims.standard.sub));
        Row::new(name, sub)
    };
    let rows: Vec<Row> = store.operators()?.into_iter().map(row).collect();
    if rows.is_empty() {
        ctx.out.note(format!(
            "there is no operator in {}\ntype: nkey init -n NAME",
            store.root().display()
        ));
    }
    write_rows(&mut ctx.out, &rows, args.json)
}
