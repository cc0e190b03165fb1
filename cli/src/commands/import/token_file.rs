//! Files with tokens to import.

use crate::context::Context;
use crate::error::Error;
use crate::input::time::is_zone;
use crate::output::clean_inline;
use crate::source;
use crate::store::Typed;
use crate::store::receive;
use nkey_core::claims::owned::Claims;
use nkey_core::creds;
use nkey_core::tolerant::AnyClaims;
use nkey_core::validate::{self, Class};
use zeroize::Zeroizing;

/// What a file holds.
pub struct TokenFile<N> {
    /// The whole text, which may hold a seed.
    pub text: Zeroizing<String>,
    /// The token.
    pub token: String,
    /// Its claims.
    pub claims: Claims<N>,
}

/// Reads the token of a file, and tells what validation finds.
///
/// # Errors
/// If there is none of this type, or servers would refuse it and `skip` does not say to go on.
pub fn read<N: Typed>(ctx: &mut Context, name: &str, skip: bool) -> Result<TokenFile<N>, Error>
where
    Claims<N>: Clone,
{
    let text = source::read(name, source::MAX_TEXT)?;
    let token = creds::parse_token(&text).trim().to_owned();
    let claims: Claims<N> = receive::read(&token)
        .map_err(|error| Error::failed(format!("{}: {error}", clean_inline(name))))?;
    let any: AnyClaims = N::into_any(claims.clone());
    let mut blocking = 0;
    for finding in validate::validate(&any.effective(), ctx.now(), &is_zone) {
        blocking += usize::from(finding.class != Class::Warning);
        ctx.out.note(format!("warning: {finding}"));
    }
    if blocking > 0 && !skip {
        return Err(Error::failed(format!(
            "servers would refuse {}: nothing was imported (--skip imports it)",
            clean_inline(name)
        )));
    }
    Ok(TokenFile {
        text,
        token,
        claims,
    })
}
