//! What goes with a deleted account or user: keys in the agent, seeds and creds in files.

use crate::context::Context;
use crate::error::Error;
use crate::store::{Edit, keystore};
use nkey_agent::client;
use nkey_agent::message::Status;
use nkey_core::nkey::PublicKey;
use std::str::FromStr;

/// Removes a key from the agent and from nsc's keystore; what was removed, in words.
///
/// # Errors
/// If it is there and cannot be removed.
pub fn remove_key(ctx: &mut Context, edit: &Edit, key: &str) -> Result<Vec<String>, Error> {
    let mut done = Vec::new();
    if let Ok(public) = PublicKey::from_str(key) {
        match ctx.agent()?.remove(&public) {
            Ok(()) => done.push(format!("removed the key {key} from the agent")),
            Err(client::Error::Refused {
                status: Status::UnknownKey,
                ..
            }) => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(file) = keystore::seed_file(&edit.store.places().keystore, key)
            && keystore::remove(&file)?
        {
            done.push(format!("removed {}", file.display()));
        }
    }
    if done.is_empty() {
        done.push(format!(
            "the key {key} is neither in the agent nor in nsc's keystore"
        ));
    }
    Ok(done)
}

/// Removes a user's creds file; what was removed, in words.
///
/// # Errors
/// If it is there and cannot be removed.
pub fn remove_creds(edit: &Edit, account: &str, user: &str) -> Result<String, Error> {
    let keystore = &edit.store.places().keystore;
    let file = keystore::creds_file(keystore, edit.operator.name(), account, user);
    Ok(if keystore::remove(&file)? {
        format!("removed {}", file.display())
    } else {
        format!("there is no {}", file.display())
    })
}
