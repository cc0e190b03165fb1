//! Activations, and what passes between a server and an authorization service.

use super::Findings;
use super::common::{is_key, issuer_account, subject};
use super::text::Quoted;
use crate::claims::owned::{Activation, AuthorizationRequest, AuthorizationResponse, Standard};
use crate::nkey::Kind;
use alloc::format;

/// `Activation.Validate`, at the claim's own `nats` or at the token in an import.
pub(super) fn activation(activation: &Activation, at: &str, found: &mut Findings<'_>) {
    if activation.kind.is_none() {
        found.error(
            &format!("{at}.kind"),
            format_args!("the activation is neither for a stream nor for a service"),
        );
    }
    subject(&activation.subject, &format!("{at}.subject"), found);
    issuer_account(
        &activation.issuer_account,
        &format!("{at}.issuer_account"),
        found,
    );
}

/// `AuthorizationResponseClaims.Validate`.
pub(super) fn response(
    standard: &Standard,
    response: &AuthorizationResponse,
    found: &mut Findings<'_>,
) {
    if !is_key(&standard.sub, Kind::User) {
        let sub = Quoted(&standard.sub);
        found.error(
            "sub",
            format_args!("subject {sub} is not the public key of a user"),
        );
    }
    if !is_key(&standard.aud, Kind::Server) {
        let aud = Quoted(&standard.aud);
        found.error(
            "aud",
            format_args!("audience {aud} is not the public key of a server"),
        );
    }
    match (response.jwt.is_empty(), response.error.is_empty()) {
        (true, true) => found.error(
            "nats.jwt",
            format_args!("there is neither a user's JWT nor an error"),
        ),
        (false, false) => found.error(
            "nats.error",
            format_args!("there is a user's JWT and an error as well"),
        ),
        _ => {}
    }
    if !response.issuer_account.is_empty() && !is_key(&response.issuer_account, Kind::Account) {
        let account = Quoted(&response.issuer_account);
        let text = format_args!(
            "the response's issuer account {account} is not the public key of an account"
        );
        found.error("nats.issuer_account", text);
    }
}

/// `AuthorizationRequestClaims.Validate`.
pub(super) fn request(request: &AuthorizationRequest, found: &mut Findings<'_>) {
    const AT: &str = "nats.user_nkey";
    match request.user_nkey.as_deref().unwrap_or_default() {
        "" => found.error(AT, format_args!("the user's key is missing")),
        key if !is_key(key, Kind::User) => {
            found.error(
                AT,
                format_args!("user key {} is not the public key of a user", Quoted(key)),
            );
        }
        _ => {}
    }
}
