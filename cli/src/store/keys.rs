//! Keys that a command makes in the agent.

use crate::context::Context;
use crate::error::Error;
use nkey_agent::message::{MAX_NAME, flag};
use nkey_core::nkey::{Kind, PublicKey};

/// The names of keys in the agent: `OPERATOR`, `OPERATOR/ACCOUNT`, `OPERATOR/ACCOUNT/USER`,
/// and `…/sk` for a signing key.
pub mod key_names {
    use super::MAX_NAME;

    /// Of an operator, an account (with the operator's name before it) or a user.
    pub fn identity(path: &[&str]) -> String {
        let mut name = path.join("/");
        while name.len() > MAX_NAME {
            name.pop();
        }
        name
    }

    /// Of a signing key of the operator or account that `path` names.
    pub fn signing_key(path: &[&str]) -> String {
        identity(&[path, &["sk"]].concat())
    }
}

/// Keys that this run has made, removed again if it fails before anything names them.
pub struct Fresh {
    keys: Vec<PublicKey>,
}

impl Fresh {
    /// Asks whether the agent can sign, before a key is made that nothing would name.
    ///
    /// # Errors
    /// Exit 4 if there is no agent, or its vault is locked.
    pub fn begin(ctx: &mut Context) -> Result<Fresh, Error> {
        let status = ctx.agent()?.status()?;
        // The first store takes new keys; a holder without its PIN matters to its own keys only.
        match status.stores.first().filter(|store| store.locked) {
            Some(store) => Err(
                Error::no_agent(format!("the agent's {} is locked", store.name))
                    .next("nkey agent unlock"),
            ),
            None => Ok(Fresh { keys: Vec::new() }),
        }
    }

    /// Makes a key in the agent. A user's may leave it, for creds; others may not.
    ///
    /// # Errors
    /// What the agent says.
    pub fn generate(
        &mut self,
        ctx: &mut Context,
        kind: Kind,
        name: &str,
    ) -> Result<PublicKey, Error> {
        self.generate_in(ctx, None, kind, name)
    }

    /// Makes a key in a store of the agent, if one is named.
    ///
    /// # Errors
    /// What the agent says.
    pub fn generate_in(
        &mut self,
        ctx: &mut Context,
        store: Option<&str>,
        kind: Kind,
        name: &str,
    ) -> Result<PublicKey, Error> {
        let flags = if kind == Kind::User {
            flag::EXPORTABLE
        } else {
            0
        };
        let agent = ctx.agent()?;
        let key = match store {
            Some(store) => agent.generate_in(store, kind, name, flags)?,
            None => agent.generate(kind, name, flags)?,
        };
        self.keys.push(key);
        Ok(key)
    }

    /// Removes the keys again, since `error` ended the run before they were used.
    pub fn abandon(&mut self, ctx: &mut Context, error: Error) -> Error {
        for key in self.keys.drain(..) {
            if let Err(kept) = ctx.agent().and_then(|agent| Ok(agent.remove(&key)?)) {
                ctx.out.note(format!(
                    "the agent still holds the unused key {key}: {kept}"
                ));
            }
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_whose_key_it_is_and_fit_the_agent() {
        assert_eq!(key_names::identity(&["op", "A", "u"]), "op/A/u");
        assert_eq!(key_names::signing_key(&["op"]), "op/sk");
        let long = "ä".repeat(100);
        let name = key_names::signing_key(&[&long, &long]);
        assert!(name.len() <= MAX_NAME && name.starts_with(&long));
    }
}
