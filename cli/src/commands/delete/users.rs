//! `nkey delete users`.

use super::user::Removal;
use crate::context::Context;
use crate::error::Error;
use crate::input::selection::Selection;
use crate::output::clean_inline;
use crate::prompt;
use crate::store::Edit;

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    #[command(flatten)]
    removal: Removal,
    #[command(flatten)]
    selection: Selection,
    /// Print JSON
    #[arg(short = 'J', long, help_heading = "Options")]
    json: bool,
}

/// Deletes many users, after showing which.
///
/// # Errors
/// If there is none, or nobody says yes.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let (mut edit, account) = Edit::account(ctx, args.account.as_deref())?;
    let users = args.selection.find(&edit.operator, &account)?;
    let of = clean_inline(&account.name);
    if !args.selection.force {
        for user in &users {
            let line = format!("user {of}/{}  {}", clean_inline(&user.name), user.sub());
            match args.json {
                true => ctx.out.note(line),
                false => ctx.out.line(line)?,
            }
        }
    }
    if args.selection.dry_run {
        ctx.out
            .note(format!("{} users would be deleted", users.len()));
        return Ok(());
    }
    if !args.selection.force {
        let question = format!("Delete {} users of account {of}?", users.len());
        ctx.out.flush()?;
        edit.ask(false, || prompt::agree(&question, "deleted", "--force"))?;
    }
    args.removal
        .run(ctx, &mut edit, &account, &users, args.json)
}
