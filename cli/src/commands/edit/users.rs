//! `nkey edit users`.

use super::user::Changes;
use crate::context::Context;
use crate::difference::{Change, compare};
use crate::error::Error;
use crate::input::selection::Selection;
use crate::output::clean_inline;
use crate::progress::Progress;
use crate::prompt;
use crate::store::Edit;
use crate::store::issue::refuse_blocking;
use crate::store::keys::Fresh;
use crate::store::reissue::value;
use crate::store::signer::Signer;
use serde_json::json;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Users that are shown before the question.
const SHOWN: usize = 20;
/// Users that are changed without a bar.
const AT_ONCE: usize = 100;
/// Users that are written together.
const GROUP: usize = 500;

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    selection: Selection,
    /// Print JSON
    #[arg(short = 'J', long, help_heading = "Options")]
    json: bool,
}

/// Changes many users alike, after showing what would change.
///
/// # Errors
/// If one of them cannot be changed: then none is; or nobody says yes.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    args.changes.require()?;
    let (mut edit, account) = Edit::account(ctx, args.account.as_deref())?;
    let users = args.selection.find(&edit.operator, &account)?;
    Fresh::begin(ctx)?;
    let mut planned = Vec::new();
    let mut signers: HashMap<String, Signer> = HashMap::new();
    for user in users {
        let user = edit.user(&account, Some(&user.name), args.changes.resign)?;
        let signer = match signers.entry(user.claims.standard.iss.clone()) {
            // Who signs is the same for all that one key signed before.
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(new) => {
                let signer = edit.user_signer(ctx, &account, &user)?;
                new.insert(signer).clone()
            }
        };
        let claims = args.changes.apply(ctx, &account, &user, &signer)?;
        refuse_blocking(claims.clone(), ctx.now())
            .map_err(|error| error.within(&format!("user {}", clean_inline(&user.name))))?;
        let changes = compare(&value(&user.claims), &value(&claims));
        if !changes.is_empty() || args.changes.resign {
            planned.push(((user, signer, claims), changes));
        }
    }
    let of = clean_inline(&account.name);
    let shown = if args.selection.dry_run {
        usize::MAX
    } else {
        SHOWN
    };
    let preview = |ctx: &mut Context, line: String| match args.json {
        true => ctx.out.note(line),
        false => drop(ctx.out.line(line)),
    };
    for ((user, _, _), changes) in planned.iter().take(shown) {
        preview(ctx, format!("user {of}/{}", clean_inline(&user.name)));
        for change in changes {
            preview(ctx, format!("  {}", Change::line(change)));
        }
    }
    if planned.len() > shown {
        preview(ctx, format!("and {} more", planned.len() - shown));
    }
    if planned.is_empty() {
        ctx.out.note("every one of them says so already");
    }
    if args.selection.dry_run {
        ctx.out
            .note(format!("{} users would change", planned.len()));
        return Ok(());
    }
    if !planned.is_empty() && !args.selection.force {
        let question = format!("Change {} users of account {of}?", planned.len());
        ctx.out.flush()?;
        edit.ask(false, || prompt::agree(&question, "changed", "--force"))?;
        // Whoever was revoked during the question must not get a newer token.
        if edit.find_account(&account.name)?.bytes != account.bytes {
            return Err(Error::failed(format!(
                "account {of} was changed meanwhile: nothing was done. Run the command again"
            )));
        }
    }
    let progress = Progress::new(planned.len(), AT_ONCE);
    let mut rows = Vec::new();
    let (planned, changes): (Vec<_>, Vec<_>) = planned.into_iter().unzip();
    for group in planned.chunks(GROUP) {
        edit.write_users(ctx, &account, group).map_err(|error| {
            let done = rows.len();
            error.within(&format!(
                "{done} users were changed, and perhaps some of the next {} (run again, it passes over those)",
                group.len()
            ))
        })?;
        rows.extend(group.iter().zip(&changes[rows.len()..]).map(
            |((user, _, _), changes)| {
                json!({ "name": user.name, "public_key": user.sub(), "changes": changes })
            },
        ));
        progress.at(rows.len());
    }
    drop(progress);
    if args.json {
        return ctx.out.json(&rows);
    }
    ctx.out
        .line(format!("edited {} users of account {of}", rows.len()))
}
