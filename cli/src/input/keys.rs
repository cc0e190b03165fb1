//! `--sk` and `--rm-sk`: signing keys, by public key, by name, or made in the agent.

use super::list;
use crate::context::Context;
use crate::error::Error;
use crate::key_argument::KeyArgument;
use crate::output::clean_inline;
use crate::store::keys::{Fresh, key_names};
use nkey_core::nkey::{Kind, PublicKey};

/// Signing keys to add and to remove.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct SigningKeyFlags {
    /// Add signing keys: public keys, names of keys in the agent, or `generate` for a new one
    #[arg(long, value_name = "KEY,...")]
    sk: Vec<String>,
    /// Remove signing keys: public keys, names or roles
    #[arg(long, value_name = "KEY,...")]
    rm_sk: Vec<String>,
}

impl SigningKeyFlags {
    /// Whether one of the flags was given.
    pub fn is_given(&self) -> bool {
        !self.sk.is_empty() || !self.rm_sk.is_empty()
    }

    /// The keys to add; new ones get the name of a signing key of what `path` names.
    ///
    /// # Errors
    /// If a name stands for no key, or for one of another kind.
    pub fn added(
        &self,
        ctx: &mut Context,
        fresh: &mut Fresh,
        kind: Kind,
        path: &[&str],
    ) -> Result<Vec<PublicKey>, Error> {
        let mut keys = Vec::new();
        for item in list::items("--sk", &self.sk)? {
            keys.push(resolve(ctx, fresh, "--sk", &item, kind, path)?);
        }
        Ok(keys)
    }

    /// The keys to remove, of those that are there: each with the role of its scope.
    ///
    /// # Errors
    /// If a name or role stands for none of them, or for several.
    pub fn removed(
        &self,
        ctx: &mut Context,
        there: &[(String, Option<String>)],
    ) -> Result<Vec<String>, Error> {
        let mut keys = Vec::new();
        for item in list::items("--rm-sk", &self.rm_sk)? {
            keys.push(find(ctx, "--rm-sk", &item, there)?);
        }
        Ok(keys)
    }
}

/// The key that the value of a flag means: a public key, a name, or `generate` for a new one.
///
/// # Errors
/// If there is no such key, or it is of another kind.
pub fn resolve(
    ctx: &mut Context,
    fresh: &mut Fresh,
    flag: &str,
    text: &str,
    kind: Kind,
    path: &[&str],
) -> Result<PublicKey, Error> {
    let key = match KeyArgument::parse(flag, text)? {
        KeyArgument::Name(name) if name == "generate" => {
            let name = match kind {
                Kind::Curve => key_names::curve_key(path),
                _ => key_names::signing_key(path),
            };
            fresh.generate(ctx, kind, &name)?
        }
        KeyArgument::Public(key) => key,
        named => ctx.find_key(&named)?.key,
    };
    key.expect_kind(kind)
        .map_err(|error| Error::usage(format!("{flag} {}: {error}", clean_inline(text))))
}

/// The signing key among those that are there, by public key, role, or name in the agent.
///
/// # Errors
/// If it is none of them, or several.
pub fn find(
    ctx: &mut Context,
    flag: &str,
    text: &str,
    there: &[(String, Option<String>)],
) -> Result<String, Error> {
    let argument = KeyArgument::parse(flag, text)?;
    let is_there = |key: &str| there.iter().any(|(known, _)| known == key);
    let of_role: Vec<&str> = match &argument {
        KeyArgument::Name(name) => there
            .iter()
            .filter(|(_, role)| role.as_deref() == Some(name))
            .map(|(key, _)| key.as_str())
            .collect(),
        KeyArgument::Public(_) => Vec::new(),
    };
    let key = match (&argument, of_role.as_slice()) {
        (_, [key]) => return Ok((*key).to_owned()),
        (_, [_, _, ..]) => {
            return Err(Error::usage(format!(
                "{flag} {}: several keys have this role: {}",
                clean_inline(text),
                of_role.join(", ")
            )));
        }
        (KeyArgument::Public(key), []) => key.to_string(),
        (KeyArgument::Name(_), []) => {
            let held = ctx.agent()?.list()?;
            let named = held
                .into_iter()
                .filter(|info| is_there(&info.key.to_string()));
            argument.find(named.collect())?.key.to_string()
        }
    };
    if is_there(&key) {
        return Ok(key);
    }
    let known: Vec<&str> = there.iter().map(|(key, _)| key.as_str()).collect();
    Err(Error::usage(format!(
        "{flag} {key}: this is none of the signing keys: {}",
        if known.is_empty() {
            "there are none".to_owned()
        } else {
            known.join(", ")
        }
    )))
}
