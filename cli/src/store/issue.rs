//! Tokens from claims: validated here, signed by the agent.

use super::token::Typed;
use crate::context::Context;
use crate::error::Error;
use crate::input::time::is_zone;
use nkey_core::claims::owned::Claims;
use nkey_core::nkey::PublicKey;
use nkey_core::tolerant::{self, AnyClaims};
use nkey_core::validate::{self, Class, Finding};
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
    issue_meanwhile(ctx, key, claims, after, || Ok(())).map(|(token, ())| token)
}

/// The same, and what `meanwhile` makes while the agent signs.
///
/// # Errors
/// As [`issue`], and what `meanwhile` says.
pub fn issue_meanwhile<N: Typed, T>(
    ctx: &mut Context,
    key: &PublicKey,
    claims: Claims<N>,
    after: i64,
    meanwhile: impl FnOnce() -> Result<T, Error>,
) -> Result<(String, T), Error> {
    let claims = in_order(claims);
    validate(ctx, &claims)?;
    sign(ctx, key, &claims, after, meanwhile)
}

/// The claims in the order that the agent wants; Go reads the list of signing keys into a map.
fn in_order<N: Typed>(claims: Claims<N>) -> AnyClaims {
    let mut claims = N::into_any(claims);
    claims.sort();
    if let AnyClaims::Account(account) = &mut claims {
        let keys = &mut account.nats.signing_keys;
        keys.sort_by(|a, b| a.key().cmp(b.key()));
        keys.dedup_by(|a, b| a.key() == b.key());
    }
    claims
}

/// Refuses claims that servers refuse.
///
/// # Errors
/// Exit 2 names the fields.
pub fn refuse_blocking<N: Typed>(claims: Claims<N>, now: i64) -> Result<(), Error> {
    let findings = validate::validate(&N::into_any(claims), now, &is_zone);
    blocking(&findings)
}

fn blocking(findings: &[Finding]) -> Result<(), Error> {
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
    Ok(())
}

fn validate(ctx: &mut Context, claims: &AnyClaims) -> Result<(), Error> {
    let findings = validate::validate(claims, ctx.now(), &is_zone);
    blocking(&findings)?;
    for finding in findings {
        ctx.out.note(format!("warning: {finding}"));
    }
    Ok(())
}

/// The same, whatever validation finds.
///
/// # Errors
/// What the agent says.
pub fn issue_as_it_is<N: Typed>(
    ctx: &mut Context,
    key: &PublicKey,
    claims: Claims<N>,
    after: i64,
) -> Result<String, Error> {
    let claims = in_order(claims);
    sign(ctx, key, &claims, after, || Ok(())).map(|(token, ())| token)
}

/// Tokens of many claims, as [`issue`]; what is found in the first is told for all.
///
/// # Errors
/// As [`issue`]; one that fails ends it.
pub fn issue_many<N: Typed>(
    ctx: &mut Context,
    key: &PublicKey,
    claims: Vec<Claims<N>>,
    after: i64,
) -> Result<Vec<String>, Error> {
    let mut subs = Vec::with_capacity(claims.len());
    let mut texts = Vec::with_capacity(claims.len());
    for (index, claims) in claims.into_iter().enumerate() {
        let claims = in_order(claims);
        if index == 0 {
            validate(ctx, &claims)?;
        }
        subs.push(claims.standard().sub.clone());
        texts.push(claims.to_json());
    }
    wait_for_clock(ctx, after);
    let tokens = ctx.agent()?.issue_many(key, &texts, after)?;
    let checked = tokens.into_iter().zip(&subs).map(|(token, sub)| {
        let token = token?;
        check(&token, key, sub)?;
        Ok(token)
    });
    checked.collect()
}

fn sign<T>(
    ctx: &mut Context,
    key: &PublicKey,
    claims: &AnyClaims,
    after: i64,
    meanwhile: impl FnOnce() -> Result<T, Error>,
) -> Result<(String, T), Error> {
    wait_for_clock(ctx, after);
    let agent = ctx.agent()?;
    agent.issue_ahead(key, &claims.to_json(), 0, after)?;
    let made = meanwhile();
    let token = agent.issued()?;
    check(&token, key, &claims.standard().sub)?;
    Ok((token, made?))
}

/// Many edits within a second: each token is dated after the one before, but not far ahead.
fn wait_for_clock(ctx: &Context, after: i64) {
    let early = after - ctx.now() - AHEAD + 1;
    if let Some(early) = u64::try_from(early)
        .ok()
        .filter(|early| (1..=PATIENCE).contains(early))
    {
        std::thread::sleep(Duration::from_secs(early));
    }
}

/// The token goes to disk and to servers: it must be what was asked for.
fn check(token: &str, key: &PublicKey, sub: &str) -> Result<(), Error> {
    let issued = tolerant::decode(token)
        .map_err(|error| Error::failed(format!("the agent issued no token: {error}")))?;
    if issued.iss != *key || issued.claims.standard().sub != sub {
        return Err(Error::failed(
            "the agent issued another token than the one that was asked for: do not use this agent",
        ));
    }
    Ok(())
}
