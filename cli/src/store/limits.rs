//! How much the holders of keys sign, for tokens that come near it.

use crate::context::Context;
use crate::output::clean_inline;
use std::collections::BTreeMap;

/// The store of each key that one outside the agent holds, and the longest message that it signs.
#[derive(Default)]
pub struct Limits(BTreeMap<String, (String, usize)>);

impl Limits {
    /// Those that the agent knows; none without an agent.
    pub fn known(ctx: &mut Context) -> Limits {
        let keys = ctx.agent().and_then(|agent| Ok(agent.list()?));
        let mut keys = keys.unwrap_or_default();
        keys.retain(|info| info.store.contains(':'));
        if keys.is_empty() {
            return Limits::default();
        }
        // Asked only now: a card may take its time.
        let stores = ctx.agent().and_then(|agent| Ok(agent.stores()?));
        let limits: BTreeMap<String, usize> = stores
            .unwrap_or_default()
            .into_iter()
            .filter(|store| store.limit > 0)
            .map(|store| (store.name, store.limit as usize))
            .collect();
        let known = keys.into_iter().filter_map(|info| {
            let limit = *limits.get(&info.store)?;
            Some((info.key.to_string(), (info.store, limit)))
        });
        Limits(known.collect())
    }

    /// What to say of a token that its issuer's holder can hardly sign once more, or not at all.
    pub fn warning(&self, token: &str, issuer: &str) -> Option<String> {
        let (store, limit) = self.0.get(issuer)?;
        let size = token.rfind('.')?;
        let store = clean_inline(store);
        if size > *limit {
            return Some(format!(
                "it has {size} bytes to sign, and {store}, which holds its issuer, signs at most {limit}: it cannot be issued again"
            ));
        }
        (size * 10 > limit * 9).then(|| {
            format!(
                "it has {size} bytes to sign, and {store}, which holds its issuer, signs at most {limit}: little can be added"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tenth_is_warned_of() {
        let row = ("O".to_owned(), ("piv:x".to_owned(), 1000));
        let limits = Limits([row].into_iter().collect());
        let token = |size: usize| format!("{}.sig", "x".repeat(size));
        let told = |size| limits.warning(&token(size), "O").unwrap_or_default();
        assert_eq!(told(900), "");
        assert!(told(901).contains("little can be added"));
        assert!(told(1000).contains("little can be added"));
        assert!(told(1001).contains("cannot be issued again"));
        assert_eq!(limits.warning(&token(1001), "A"), None);
    }
}
