//! `nkey env`.

use crate::context::Context;
use crate::error::Error;
use crate::output::Table;
use crate::store::Store;
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// Use the store in DIR from now on
    #[arg(short, long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Select an operator
    #[arg(short, long, value_name = "OPERATOR")]
    operator: Option<String>,
    /// Select an account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// The variables that say where things are.
const VARIABLES: [&str; 6] = [
    "NKEY_AUTH_SOCK",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "NSC_HOME",
    "NKEYS_PATH",
];

/// Shows where things are and what is selected, after selecting what the flags say.
///
/// # Errors
/// If there is no such store, operator or account.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut store = Store::open(&ctx.global)?;
    if args.store.is_some() || args.operator.is_some() || args.account.is_some() {
        choose(args, ctx, &mut store)?;
    }
    let [operator, account] = store.selected();
    let places = store.places();
    let socket = ctx.socket().map_or_else(
        |_| "not known: give it by --socket".to_owned(),
        |path| path.display().to_string(),
    );
    let rows = [
        ("store", store.root().display().to_string()),
        ("operator", operator.to_owned()),
        ("account", account.to_owned()),
        ("config file", store.config_file().display().to_string()),
        ("nsc's keystore", places.keystore.display().to_string()),
        ("agent's socket", socket),
    ];
    let variables: Vec<(&str, Option<String>)> = VARIABLES
        .iter()
        .map(|name| (*name, std::env::var(name).ok()))
        .collect();
    if args.json {
        let [store, operator, account, config, keystore, socket] = rows.map(|(_, value)| value);
        let variables: serde_json::Map<_, _> = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        return ctx.out.json(&json!({
            "store": store,
            "operator": operator,
            "account": account,
            "config_file": config,
            "keystore": keystore,
            "socket": socket,
            "variables": variables,
        }));
    }
    let mut table = Table::new(&["SETTING", "VALUE"]);
    for (name, value) in &rows {
        table.row(&[name, if value.is_empty() { "none" } else { value }]);
    }
    for (name, value) in &variables {
        table.row(&[&format!("${name}"), value.as_deref().unwrap_or("not set")]);
    }
    table.write(&mut ctx.out)
}

fn choose(args: &Args, ctx: &mut Context, store: &mut Store) -> Result<(), Error> {
    if let Some(dir) = &args.store {
        if !dir.is_dir() {
            return Err(Error::usage(format!(
                "--store {}: there is no such folder",
                dir.display()
            )));
        }
        store.set_root(dir.clone());
    }
    let names = store.operators()?;
    let [selected, _] = store.selected();
    let operator = match (&args.operator, names.as_slice()) {
        (Some(wanted), _) => Some(store.operator(Some(wanted))?),
        (None, [only]) => Some(store.operator(Some(only))?),
        (None, _) if names.iter().any(|name| name == selected) => {
            Some(store.operator(Some(selected))?)
        }
        (None, _) => None,
    };
    let account = match (&args.account, &operator) {
        (Some(wanted), Some(operator)) => {
            Some(operator.find_account(&operator.accounts()?, wanted)?)
        }
        (Some(_), None) => {
            return Err(Error::usage(
                "--account: of which operator: give it by --operator",
            ));
        }
        (None, Some(operator)) => store.kept_account(operator)?,
        (None, None) => None,
    };
    let lock = store.lock()?;
    let name = operator.as_ref().map_or("", |operator| operator.name());
    store.select(&lock, name, account.as_deref(), ctx.now())
}
