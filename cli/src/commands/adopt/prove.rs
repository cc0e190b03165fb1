//! Proof that the agent holds a key.

use crate::context::Context;
use crate::error::Error;
use crate::token;
use nkey_core::nkey::{Kind, PublicKey, Seed};
use nkey_core::xkey::CurvePair;
use serde_json::json;

/// Characters of a server's nonce: the agent signs nothing else with a user's key.
const NONCE_LEN: usize = 15;

fn random(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes)
        .map_err(|error| Error::failed(format!("the system gives no random numbers: {error}")))
}

/// Has the agent sign something that is good for nothing: for an operator or account, claims
/// that have expired; for a user, a nonce of ours. Of a curve key it lists the public half.
///
/// # Errors
/// If it does not sign, or the signature is not that of the key.
pub fn held(ctx: &mut Context, key: &PublicKey) -> Result<(), Error> {
    match key.kind() {
        Kind::User => {
            let mut nonce = [0u8; NONCE_LEN];
            random(&mut nonce)?;
            let nonce = nonce.map(|byte| b'a' + byte % 26);
            ctx.agent()?.sign(key, &nonce)?;
            Ok(())
        }
        Kind::Curve => {
            let held = ctx.agent()?.list()?.iter().any(|info| info.key == *key);
            match held {
                true => Ok(()),
                false => Err(Error::failed(format!("the agent does not list {key}"))),
            }
        }
        _ => {
            let claims = json!({
                "exp": 1,
                "name": "nkey adopt",
                "sub": key.to_string(),
                "nats": { "type": "", "version": 2 },
            });
            let token = ctx.agent()?.issue(key, &claims.to_string(), 0, 0)?;
            let signer = token::inspect(&token)?.require_signed()?;
            if signer == *key {
                Ok(())
            } else {
                Err(Error::failed(format!(
                    "the agent signed by {signer} instead of {key}: do not use this agent"
                )))
            }
        }
    }
}

/// Seals to a curve key and opens it with the seed: the agent has no such operation yet.
///
/// # Errors
/// If what comes out is not what went in.
pub fn curve(seed: &Seed) -> Result<(), Error> {
    let failed = |error: &dyn std::fmt::Display| Error::failed(format!("the curve key: {error}"));
    let pair = CurvePair::from_seed(seed).map_err(|error| failed(&error))?;
    let other = Seed::generate(Kind::Curve, random).map_err(|error| failed(&error))?;
    let other = CurvePair::from_seed(&other).map_err(|error| failed(&error))?;
    let mut text = [0u8; 32];
    random(&mut text)?;
    let sealed = other
        .seal(&pair.public_key(), &text, random)
        .map_err(|error| failed(&error))?;
    let opened = pair
        .open(&other.public_key(), &sealed)
        .map_err(|error| failed(&error))?;
    if opened[..] == text {
        Ok(())
    } else {
        Err(failed(&"it does not open what was sealed to it"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_seed_opens_what_is_sealed_to_it() {
        curve(&Seed::from_bytes(Kind::Curve, [7; 32])).unwrap();
        curve(&Seed::from_bytes(Kind::User, [7; 32])).unwrap_err();
    }
}
