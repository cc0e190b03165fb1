//! Whom an operator's token may come from.
//!
//! Every other token of the store is judged by the operator's. A token that is signed by a key
//! which only this token itself names proves nothing: anybody can make one of any operator.

use crate::context::Context;
use crate::error::Error;
use nkey_core::claims::owned::{Claims, Operator};

/// Whether the operator signed its token itself, or by a signing key of the token that is `known`.
///
/// # Errors
/// Names the key that nothing vouches for.
pub fn operator_signed(
    claims: &Claims<Operator>,
    known: Option<&Claims<Operator>>,
) -> Result<(), String> {
    let standard = &claims.standard;
    let known = known.filter(|known| known.standard.sub == standard.sub);
    if standard.iss == standard.sub
        || known.is_some_and(|known| known.nats.signing_keys.contains(&standard.iss))
    {
        return Ok(());
    }
    if claims.nats.signing_keys.contains(&standard.iss) {
        return Err(format!(
            "it is signed by {}, which no token but itself names as a signing key: anybody can make such a token",
            standard.iss
        ));
    }
    Err(format!(
        "{} is neither the operator nor one of its signing keys",
        standard.iss
    ))
}

/// Whether the agent holds a key, so that what it signed is one's own.
///
/// # Errors
/// If there is no agent.
pub fn is_held(ctx: &mut Context, key: &str) -> Result<bool, Error> {
    let held = ctx.agent()?.list()?;
    Ok(held.iter().any(|info| info.key.to_string() == key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(sub: &str, iss: &str, signing_keys: &[&str]) -> Claims<Operator> {
        let mut claims = Claims::<Operator>::default();
        claims.standard.sub = sub.to_owned();
        claims.standard.iss = iss.to_owned();
        claims.nats.signing_keys = signing_keys.iter().map(|&key| key.to_owned()).collect();
        claims
    }

    #[test]
    fn a_signing_key_is_trusted_by_what_was_known_before() {
        let known = claims("O", "O", &["K"]);
        for (new, wanted) in [
            (claims("O", "O", &["X"]), true),
            (claims("O", "K", &[]), true),
            (claims("O", "X", &["K", "X"]), false),
            (claims("O", "X", &["K"]), false),
            (claims("P", "K", &["K"]), false),
        ] {
            assert_eq!(
                operator_signed(&new, Some(&known)).is_ok(),
                wanted,
                "{new:?}"
            );
        }
        assert!(operator_signed(&claims("O", "O", &[]), None).is_ok());
        assert!(operator_signed(&claims("O", "K", &["K"]), None).is_err());
    }
}
