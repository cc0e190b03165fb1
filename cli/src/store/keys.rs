//! Keys that a command makes in the agent.

use crate::card::Maker;
use crate::context::Context;
use crate::error::{Error, Exit};
use crate::output::clean_inline;
use nkey_agent::client;
use nkey_agent::message::{MAX_NAME, flag};
use nkey_core::nkey::{Kind, PublicKey};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The names of keys in the agent: `OPERATOR`, `OPERATOR/ACCOUNT`, `OPERATOR/ACCOUNT/USER`,
/// `…/sk` for a signing key and `…/curve` for a curve key.
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

    /// Of a second signing key, which lies elsewhere.
    pub fn second_key(path: &[&str]) -> String {
        identity(&[path, &["sk2"]].concat())
    }

    /// Of the curve key of the account that `path` names.
    pub fn curve_key(path: &[&str]) -> String {
        identity(&[path, &["curve"]].concat())
    }
}

/// Keys that this run has made, removed again if it fails before anything names them.
///
/// From the first key on Ctrl-C, SIGTERM and SIGHUP count as a failure of the next step, so that
/// no key stays that nothing names; asked twice, the run ends at once.
pub struct Fresh {
    keys: Vec<PublicKey>,
    maker: Maker,
    /// Those that no removal deletes, and where they stay.
    placed: Vec<(PublicKey, String)>,
    /// The agent was told to begin with one more.
    ahead: bool,
    /// The agent has made the last one, and was not heard to have it on disk.
    unwritten: bool,
    interrupted: Arc<AtomicBool>,
}

impl Fresh {
    /// Asks whether the agent can sign, before a key is made that nothing would name.
    ///
    /// # Errors
    /// Exit 4 if there is no agent, or its vault is locked.
    pub fn begin(ctx: &mut Context) -> Result<Fresh, Error> {
        Fresh::expect_open(ctx)?;
        Fresh::unasked()
    }

    /// Whether the agent makes keys.
    ///
    /// # Errors
    /// Exit 4 if there is no agent, or its vault is locked.
    pub fn expect_open(ctx: &mut Context) -> Result<(), Error> {
        let status = ctx.agent()?.status()?;
        // The first store takes new keys; a holder without its PIN matters to its own keys only.
        match status.stores.first().filter(|store| store.locked) {
            Some(store) => Err(
                Error::no_agent(format!("the agent's {} is locked", store.name))
                    .next("nkey agent unlock"),
            ),
            None => Ok(()),
        }
    }

    /// The same where making the key is the first that is asked of the agent.
    ///
    /// # Errors
    /// If signals cannot be caught.
    pub fn unasked() -> Result<Fresh, Error> {
        Ok(Fresh {
            keys: Vec::new(),
            maker: Maker::default(),
            placed: Vec::new(),
            ahead: false,
            unwritten: false,
            interrupted: interruption()?,
        })
    }

    fn check(&self) -> Result<(), Error> {
        if self.interrupted.load(Ordering::SeqCst) {
            return Err(Error::failed("interrupted: nothing was changed"));
        }
        Ok(())
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
        self.check()?;
        let key = match store {
            Some(store) => self.maker.generate(ctx, store, kind, name, flags(kind))?,
            None => ctx.agent()?.generate(kind, name, flags(kind))?,
        };
        self.keys.push(key);
        self.placed
            .extend(store.map(|store| (key, store.to_owned())));
        self.check()?;
        Ok(key)
    }

    /// Has the agent begin with a key of a user, for what would keep it waiting:
    /// [`Fresh::generated`] takes it.
    ///
    /// # Errors
    /// Exit 4 if there is no agent.
    pub fn generate_ahead(
        &mut self,
        ctx: &mut Context,
        kind: Kind,
        name: &str,
    ) -> Result<(), Error> {
        self.check()?;
        ctx.agent()?.generate_ahead(kind, name, flags(kind))?;
        self.ahead = true;
        Ok(())
    }

    /// The key that the agent began with; none if it was not told to. Nothing lasting may name
    /// it before [`Fresh::written`].
    ///
    /// # Errors
    /// What the agent says.
    pub fn generated(&mut self, ctx: &mut Context) -> Result<Option<PublicKey>, Error> {
        if !std::mem::take(&mut self.ahead) {
            return Ok(None);
        }
        let key = ctx.agent()?.generated()?;
        self.keys.extend(key);
        self.unwritten = key.is_some();
        self.check()?;
        Ok(key)
    }

    /// Has the agent say when the key is on disk, for [`Fresh::written`].
    ///
    /// # Errors
    /// If the connection breaks.
    pub fn ask_written(&mut self, ctx: &mut Context) -> Result<(), Error> {
        if self.unwritten {
            ctx.agent()?.flush_ahead()?;
        }
        Ok(())
    }

    /// Returns when all keys are on disk.
    ///
    /// # Errors
    /// What the agent says; if it refuses, it does not hold the key.
    pub fn written(&mut self, ctx: &mut Context) -> Result<(), Error> {
        if std::mem::take(&mut self.unwritten)
            && let Err(error) = ctx.agent()?.flushed()
        {
            // Without an answer it may be there all the same.
            if matches!(error, client::Error::Refused { .. }) {
                self.keys.pop();
            }
            return Err(error.into());
        }
        self.check()
    }

    /// Makes keys of one kind, as [`Fresh::generate`], one of each name.
    ///
    /// # Errors
    /// What the agent says; then none of them stays.
    pub fn generate_many(
        &mut self,
        ctx: &mut Context,
        kind: Kind,
        names: &[String],
    ) -> Result<Vec<PublicKey>, Error> {
        self.check()?;
        let made = ctx.agent()?.generate_many(kind, names, flags(kind))?;
        self.keys.extend(made.iter().flatten());
        match made.into_iter().collect() {
            Ok(keys) => Ok(keys),
            Err(error) => Err(self.abandon(ctx, error.into())),
        }
    }

    /// Removes the keys again, since `error` ended the run before they were used.
    pub fn abandon(&mut self, ctx: &mut Context, error: Error) -> Error {
        if std::mem::take(&mut self.ahead)
            && let Ok(agent) = ctx.agent()
        {
            // A refusal left nothing behind, and without a connection nothing can be removed.
            let key = agent.generated().unwrap_or_default();
            self.unwritten |= key.is_some();
            self.keys.extend(key);
        }
        // The first error is the one to tell.
        let _ = self.written(ctx);
        for key in self.keys.drain(..) {
            if let Err(kept) = ctx.agent().and_then(|agent| Ok(agent.remove(&key)?)) {
                ctx.out.note(format!(
                    "the agent still holds the unused key {key}: {kept}"
                ));
            }
        }
        for (key, store) in self.placed.drain(..) {
            let store = clean_inline(&store);
            ctx.out.note(format!(
                "the key {key} stays in {store}, and nothing uses it"
            ));
        }
        error
    }
}

/// What says that the person, or the system, wants an end; asked twice, the run ends at once.
///
/// # Errors
/// If signals cannot be caught.
pub fn interruption() -> Result<Arc<AtomicBool>, Error> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // In this order: the first signal raises the flag, the second finds it raised.
        signal_hook::flag::register_conditional_shutdown(
            signal,
            Exit::Failed as i32,
            Arc::clone(&flag),
        )
        .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
        .map_err(|error| Error::failed(format!("cannot wait for signals: {error}")))?;
    }
    Ok(flag)
}

/// A user's key may leave the agent, for creds.
const fn flags(kind: Kind) -> u32 {
    match kind {
        Kind::User => flag::EXPORTABLE,
        _ => 0,
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
