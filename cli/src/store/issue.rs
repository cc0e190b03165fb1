//! Tokens from claims: validated here, signed by the agent.

use super::token::Typed;
use crate::context::Context;
use crate::error::Error;
use crate::input::time::is_zone;
use nkey_core::claims::owned::Claims;
use nkey_core::nkey::PublicKey;
use nkey_core::tolerant;
use nkey_core::validate::{self, Class};
use std::time::Duration;

/// How far ahead of the clock the agent dates a token, in seconds.
pub const AHEAD: i64 = 5;
/// The longest wait for the clock, in seconds; a token further ahead is one to look at.
const PATIENCE: u64 = 10;

/// The token of these claims, signed by `key` of the agent; its `iat` is greater than `after`.
///
/// # Errors
/// If validation finds what servers refuse, or what the agent says.
pub fn issue<N: Typed>(
    ctx: &mut Context,
    key: &PublicKey,
    claims: Claims<N>,
    after: i64,
) -> Result<String, Error> {
    let sub = claims.standard.sub.clone();
    let mut claims = N::into_any(claims);
    claims.sort();
    let findings = validate::validate(&claims, ctx.now(), &is_zone);
    let blocking: Vec<String> = findings
        .iter()
        .filter(|finding| finding.class == Class::Blocking)
        .map(ToString::to_string)
        .collect();
    if !blocking.is_empty() {
        return Err(Error::usage(format!(
            "servers would refuse this: nothing was done\n{}",
            blocking.join("\n")
        )));
    }
    for finding in findings {
        ctx.out.note(format!("warning: {finding}"));
    }
    let early = after - ctx.now() - AHEAD + 1;
    if let Some(early) = u64::try_from(early)
        .ok()
        .filter(|early| (1..=PATIENCE).contains(early))
    {
        // Many edits within a second: each token is dated after the one before.
        std::thread::sleep(Duration::from_secs(early));
    }
    let token = ctx.agent()?.issue(key, &claims.to_json(), 0, after)?;
    // The token goes to disk and to servers: it must be what was asked for.
    let issued = tolerant::decode(&token)
        .map_err(|error| Error::failed(format!("the agent issued no token: {error}")))?;
    if issued.iss != *key || issued.claims.standard().sub != sub {
        return Err(Error::failed(
            "the agent issued another token than the one that was asked for: do not use this agent",
        ));
    }
    Ok(token)
}
