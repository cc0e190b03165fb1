//! `nkey revocations`.

pub mod add_activation;
pub mod add_user;
pub mod delete_activation;
pub mod delete_user;
pub mod list_activations;
pub mod list_users;

use crate::context::Context;
use crate::error::Error;
use crate::key_argument::KeyArgument;
use crate::output::Table;
use crate::output::clean_inline;
use crate::prompt;
use crate::store::{Edit, Entry};
use crate::text;
use clap::Subcommand;
use nkey_core::claims::owned::Account;
use nkey_core::nkey::Kind;
use nkey_core::revocation::ALL;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Subcommand)]
pub enum Command {
    /// Revoke a user's tokens
    #[command(name = "add-user", visible_alias = "add_user")]
    AddUser(add_user::Args),
    /// Take back the revocation of a user
    #[command(name = "delete-user", visible_alias = "delete_user")]
    DeleteUser(delete_user::Args),
    /// List the revoked users of an account
    #[command(name = "list-users", visible_alias = "list_users")]
    ListUsers(list_users::Args),
    /// Revoke the activations of an account
    #[command(name = "add_activation", visible_alias = "add-activation")]
    AddActivation(add_activation::Args),
    /// Take back the revocation of an account's activations
    #[command(name = "delete_activation", visible_alias = "delete-activation")]
    DeleteActivation(delete_activation::Args),
    /// List the accounts whose activations of an export are revoked
    #[command(name = "list_activations", visible_alias = "list-activations")]
    ListActivations(list_activations::Args),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command says.
    pub fn run(&self, ctx: &mut Context) -> Result<(), Error> {
        match self {
            Command::AddUser(args) => add_user::run(args, ctx),
            Command::DeleteUser(args) => delete_user::run(args, ctx),
            Command::ListUsers(args) => list_users::run(args, ctx),
            Command::AddActivation(args) => add_activation::run(args, ctx),
            Command::DeleteActivation(args) => delete_activation::run(args, ctx),
            Command::ListActivations(args) => list_activations::run(args, ctx),
        }
    }
}

/// Which user is meant.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct UserFlags {
    /// The user's name
    #[arg(short, long, value_name = "NAME")]
    name: Option<String>,
    /// The user's public key; * for all users
    #[arg(short, long, value_name = "KEY", conflicts_with = "name")]
    user_public_key: Option<String>,
}

impl UserFlags {
    /// The public key, or `*`; without a flag that of the only user, or of the chosen one.
    fn key(&self, edit: &Edit, account: &Entry<Account>) -> Result<String, Error> {
        let by_name = |name: Option<&str>| -> Result<String, Error> {
            let names = edit.operator.users(&account.name)?;
            let folded = |wanted: &str| {
                let wanted = wanted.to_lowercase();
                names.iter().find(|known| known.to_lowercase() == wanted)
            };
            // As in nsc, the letter case does not matter where only one fits.
            let exact = name.filter(|name| names.iter().any(|known| known == name));
            let name = exact
                .or_else(|| name.and_then(folded).map(String::as_str))
                .or(name);
            Ok(edit
                .operator
                .find_user(&account.name, name)?
                .sub()
                .to_owned())
        };
        let Some(key) = self.user_public_key.as_deref() else {
            return by_name(self.name.as_deref());
        };
        if key == ALL {
            return Ok(key.to_owned());
        }
        match KeyArgument::parse("-u", key)? {
            KeyArgument::Name(name) => by_name(Some(&name)),
            KeyArgument::Public(key) => match key.expect_kind(Kind::User) {
                Ok(key) => Ok(key.to_string()),
                Err(error) => Err(Error::usage(format!("-u {key}: {error}"))),
            },
        }
    }
}

/// Which activations are meant.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct ExportFlags {
    /// The export's subject
    #[arg(short, long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// It is a service; otherwise it is a stream
    #[arg(
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_parser = crate::input::boolean::parse
    )]
    service: Option<bool>,
}

/// The public key of the importing account that is meant, or `*`; without one the one that a
/// person at a terminal chooses.
fn importer(edit: &mut Edit, wanted: Option<&str>) -> Result<String, Error> {
    let names = edit.operator.accounts()?;
    let wanted = edit.ask(wanted.is_some(), || match wanted {
        Some(wanted) => Ok(wanted.to_owned()),
        None if prompt::is_possible() => {
            let mut choices = names.clone();
            choices.push(ALL.to_owned());
            Ok(choices[prompt::choose("Of which account?", &choices)?].clone())
        }
        None => Err(Error::usage(
            "of which account: give its name or public key, or *, by -t",
        )),
    })?;
    if wanted == ALL {
        return Ok(wanted);
    }
    match edit.operator.find_account(&names, &wanted) {
        Ok(name) => Ok(edit.operator.account(&name)?.sub().to_owned()),
        Err(error) => match KeyArgument::parse("-t", &wanted)? {
            KeyArgument::Name(_) => Err(error),
            KeyArgument::Public(key) => match key.expect_kind(Kind::Account) {
                Ok(key) => Ok(key.to_string()),
                Err(error) => Err(Error::usage(format!("-t {key}: {error}"))),
            },
        },
    }
}

/// Says that a newer revocation stands and was kept.
fn note_kept(ctx: &mut Context, at: i64, stands: i64) {
    if stands != at {
        ctx.out.note(format!(
            "a newer revocation stands and was kept: until {}",
            text::time(stands)
        ));
    }
}

/// Prints revocations with the names that keys have here.
fn write(
    ctx: &mut Context,
    json: bool,
    revocations: &BTreeMap<String, i64>,
    all: &str,
    names: &BTreeMap<String, String>,
) -> Result<(), Error> {
    if json {
        let rows: Vec<Value> = revocations
            .iter()
            .map(|(key, at)| json!({ "public_key": key, "name": names.get(key), "at": at }))
            .collect();
        return ctx.out.json(&rows);
    }
    let mut table = Table::new(&["PUBLIC KEY", "NAME", "REVOKED IF ISSUED UNTIL"]);
    for (key, at) in revocations {
        let name = match key.as_str() {
            ALL => all,
            key => names.get(key).map_or("", String::as_str),
        };
        // 0 is a time here, not an absent one.
        let time = match at {
            0 => "1970-01-01 00:00:00 UTC".to_owned(),
            at => text::time(*at),
        };
        table.row(&[&clean_inline(key), name, &time]);
    }
    table.write(&mut ctx.out)
}
