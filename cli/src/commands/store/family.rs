//! The stores of one kind of holder, for the commands that are named after it.

use super::list::{show, slots};
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;

/// A kind of holder.
pub struct Family {
    /// What the names of its stores begin with.
    pub prefix: &'static str,
    /// What people call one.
    pub one: &'static str,
}

impl Family {
    /// The store that a person names, with or without what it begins with.
    pub fn store(&self, text: &str) -> String {
        if text.starts_with(self.prefix) {
            text.to_owned()
        } else {
            format!("{}{text}", self.prefix)
        }
    }

    /// Lists its stores.
    ///
    /// # Errors
    /// Exit 4 if there is no agent.
    pub fn list(&self, json: bool, ctx: &mut Context) -> Result<(), Error> {
        let mut stores = ctx.agent()?.stores()?;
        stores.retain(|store| store.name.starts_with(self.prefix));
        if stores.is_empty() && !json {
            ctx.out.note(format!("holders.toml names no {}", self.one));
            return Ok(());
        }
        show(&stores, json, ctx)
    }

    /// Shows one of its stores and the slots.
    ///
    /// # Errors
    /// If there is no such store; what the agent says.
    pub fn info(&self, text: &str, ctx: &mut Context) -> Result<(), Error> {
        let name = self.store(text);
        let mut stores = ctx.agent()?.stores()?;
        stores.retain(|store| store.name == name);
        if stores.is_empty() {
            let (one, text) = (self.one, clean_inline(text));
            let kind = self.prefix.trim_end_matches(':');
            return Err(Error::failed(format!("holders.toml names no {one} {text}"))
                .next(format!("nkey {kind} list")));
        }
        show(&stores, false, ctx)?;
        ctx.out.line("")?;
        slots(&name, false, ctx)
    }
}
