//! `nkey generate context`.

use super::creds::with_seed;
use crate::context::Context;
use crate::error::Error;
use crate::key_argument::shell_word;
use crate::output::clean_inline;
use crate::store::{Store, check_name, file};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The user
    #[arg(short, long, value_name = "USER")]
    user: Option<String>,
    /// The context's name
    #[arg(long, value_name = "NAME")]
    context: String,
    /// Write the user's creds, which the nats CLI needs and which hold the seed, if they are not there
    #[arg(long)]
    creds: bool,
}

/// Writes a context of the nats CLI.
///
/// # Errors
/// If the user has no creds file: the nats CLI does not sign in through an agent.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let name = args.context.strip_suffix(".json").unwrap_or(&args.context);
    check_name("a context", name)?;
    let store = Store::open(&ctx.global)?;
    let operator = store.operator(None)?;
    let account = store.account(&operator, args.account.as_deref())?;
    let user = operator.find_user(&account, args.user.as_deref())?;
    let creds = store
        .keystore()
        .creds(operator.name(), &account, &user.name);
    let creds = std::path::absolute(&creds)
        .map_err(|error| Error::failed(format!("{}: {error}", creds.display())))?;
    if !creds.is_file() {
        let (of, named) = (shell_word(&account), shell_word(&user.name));
        if !args.creds {
            return Err(Error::failed(format!(
                "{} is missing: the nats CLI reads the seed from it",
                creds.display()
            ))
            .next(format!(
                "nkey generate context -a {of} -u {named} --context {} --creds",
                shell_word(name)
            )));
        }
        let text = with_seed(ctx, &account, &user)?;
        if let Some(dir) = creds.parent() {
            file::make_dir(dir)?;
        }
        file::write_output(&creds, text.as_bytes(), false)?;
        ctx.out.note(format!("wrote {}", creds.display()));
    }
    let path = contexts()?.join(format!("{name}.json"));
    let creds = creds.to_str().ok_or_else(|| {
        Error::failed(format!(
            "{} is not UTF-8, which JSON needs",
            creds.display()
        ))
    })?;
    let entry = operator.claims()?;
    // nsc puts a member "nsc" here, for which the nats CLI runs nsc at each start.
    let mut context = Map::new();
    let what = format!("{}/{account}/{}", operator.name(), user.name);
    context.insert("description".into(), json!(what));
    if let Some(url) = entry.claims.nats.operator_service_urls.first() {
        context.insert("url".into(), json!(url));
    }
    context.insert("creds".into(), json!(creds));
    let text = crate::output::json_text(&Value::Object(context))? + "\n";
    if let Some(dir) = path.parent() {
        file::make_dir(dir)?;
    }
    file::write_output(&path, text.as_bytes(), true)?;
    ctx.out.line(clean_inline(&path.display().to_string()))
}

/// Where the nats CLI keeps its contexts.
fn contexts() -> Result<PathBuf, Error> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("XDG_CONFIG_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".config")))
        .map(|config| config.join("nats/context"))
        .ok_or_else(|| {
            Error::usage("HOME is not set, so the contexts of the nats CLI are not known")
        })
}
