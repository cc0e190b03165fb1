//! `nkey upgrade-jwt`.

mod backup;
mod plan;

use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::prompt;
use crate::store::{Edit, Entry, Typed};
use plan::{Plan, Step, Tokens};
use serde_json::{Value, json};

/// What is to be known before, as nsc says it.
const BEFORE: &str = "JWTs of version 2 take nats-server 2.2 or later: all servers have to be upgraded before.\n\
     Then whatever has the operator's JWT needs the new one: every nats-server, which is restarted \
     (one after the other is fine), and every store of those for whom others hold this operator.";

#[derive(clap::Args)]
pub struct Args {
    /// Do it without asking
    #[arg(short, long)]
    yes: bool,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// Issues what is of version 1 anew: all of it is issued before any of it is written, the operator
/// last. If it is interrupted it can be run again.
///
/// # Errors
/// If others hold the operator, a key is missing, or nobody says yes.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    if ctx.global.private_key.is_some() {
        return Err(Error::usage(
            "-K: each token is signed by the key that signed it before, or the next that may",
        ));
    }
    let mut edit = Edit::begin(ctx)?;
    let mut plan = Plan::read(ctx, &edit)?;
    let Some(words) = plan.words() else {
        return nothing(args, ctx, &edit, &plan);
    };
    ctx.out.note(BEFORE);
    if !args.yes {
        let question = format!("Issue {words} anew in version 2?");
        edit.ask(false, || prompt::agree(&question, "changed", "--yes"))?;
        // Nobody held the lock meanwhile.
        edit.entry = edit.operator.claims()?;
        plan = Plan::read(ctx, &edit)?;
    }
    let Some(done) = plan.words() else {
        return nothing(args, ctx, &edit, &plan);
    };
    let tokens = plan.issue(ctx)?;
    let backup = backup::write(&edit, ctx.now())?;
    let kept = format!(
        "the JWTs of before are in {}: to go back, put that folder in the place of {}",
        backup.first.as_ref().unwrap_or(&backup.dir).display(),
        edit.operator.dir().display()
    );
    write(ctx, &edit, &tokens).map_err(|error| {
        Error::failed(format!("{}\n{kept}", error.message())).next("nkey upgrade-jwt")
    })?;
    if args.json {
        ctx.out.json(&json!({
            "operator": edit.operator.name(),
            "upgraded": rows(&plan),
            "left": plan.left,
            "backup": backup.dir,
            "first_backup": backup.first,
        }))?;
    } else {
        let name = clean_inline(edit.operator.name());
        ctx.out
            .line(format!("operator {name}: issued {done} in version 2"))?;
        ctx.out.line(clean_inline(&kept))?;
    }
    tell_left(ctx, &plan);
    if plan.operator.is_some() {
        ctx.out.note(
            "give every server the operator's new JWT, then push the accounts\n\
             type: nkey generate config --nats-resolver",
        );
    } else if !plan.accounts.is_empty() {
        ctx.out
            .note("the servers still have the accounts of before\ntype: nkey push -A");
    }
    Ok(())
}

fn nothing(args: &Args, ctx: &mut Context, edit: &Edit, plan: &Plan) -> Result<(), Error> {
    let operator = edit.operator.name();
    tell_left(ctx, plan);
    if args.json {
        return ctx.out.json(&json!({
            "operator": operator,
            "upgraded": [],
            "left": plan.left,
        }));
    }
    ctx.out.line(format!(
        "operator {}: there is nothing of version 1 to issue anew",
        clean_inline(operator)
    ))
}

fn tell_left(ctx: &mut Context, plan: &Plan) {
    for left in &plan.left {
        ctx.out.note(left.line());
    }
}

/// Writes the tokens: while the operator is of version 1, nsc goes no further.
fn write(ctx: &mut Context, edit: &Edit, tokens: &Tokens<'_>) -> Result<(), Error> {
    let (operator, lock) = (&edit.operator, edit.lock()?);
    for (account, issued) in &tokens.users {
        let user = &issued.step.entry;
        let read = Some(user.bytes.as_slice());
        operator.write_user(lock, account, &user.name, &issued.token, read)?;
    }
    for issued in &tokens.accounts {
        let account = &issued.step.entry;
        let read = Some(account.bytes.as_slice());
        operator.write_account(lock, &account.name, &issued.token, read)?;
    }
    if let Some(issued) = &tokens.operator {
        let read = Some(issued.step.entry.bytes.as_slice());
        operator.write_operator(lock, &issued.token, read)?;
    }
    for issued in &tokens.accounts {
        edit.synchronize(ctx, &issued.step.entry.name)?;
    }
    Ok(())
}

fn rows(plan: &Plan) -> Vec<Value> {
    let mut rows = Vec::new();
    rows.extend(plan.operator.iter().map(row));
    rows.extend(plan.accounts.iter().map(row));
    for (account, step) in &plan.users {
        let mut row = row(step);
        row["account"] = account.name.clone().into();
        rows.push(row);
    }
    rows
}

fn row<N: Typed>(step: &Step<N>) -> Value {
    let entry: &Entry<N> = &step.entry;
    json!({
        "type": N::TYPE.name(),
        "name": entry.name,
        "public_key": entry.sub(),
        "issuer": step.signer.key.to_string(),
    })
}
