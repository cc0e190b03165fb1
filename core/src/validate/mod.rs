//! What nats-io/jwt's `Validate` finds in claims: the same findings, each with its place.
//!
//! nats-server applies them when an account is pushed, an account is loaded, a user connects
//! or an authorization service answers. Three differences: a null import or export, which the
//! model does not hold, is found as one without members; a public key with line breaks in its
//! text, which Go reads, is not taken for one; and of subjects that overlap only as many are
//! looked for as can be in a second or two.

mod account;
mod common;
mod export;
mod import;
mod operator;
mod other;
mod overlap;
mod text;
mod url;
mod user;

use crate::claims::owned::Standard;
use crate::tolerant::AnyClaims;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Most findings that are reported for one claim: imports can overlap in pairs without number.
pub const MAX_FINDINGS: usize = 1000;

/// What a finding means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// The claim is refused wherever it is used.
    Blocking,
    /// The claim is expired or not yet valid: refused where it is used, not where it is stored.
    Time,
    /// Worth a look. An authorization service's answer is refused for it too.
    Warning,
}

/// Something that validation found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it means.
    pub class: Class,
    /// The member, as keys divided by dots: `nats.exports.2.subject`.
    pub field: String,
    /// One clause that says what is wrong.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.text)
    }
}

/// Validates claims at the time `now`, Unix seconds. `is_zone` says whether a name is one of
/// the IANA time zones, such as `Europe/Zurich`.
///
/// Claims that are about to be signed are validated as they are, claims of a token as
/// [`AnyClaims::effective`] shows them: so does Go. At most [`MAX_FINDINGS`] are reported.
pub fn validate(claims: &AnyClaims, now: i64, is_zone: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Findings {
        list: Vec::new(),
        is_zone,
    };
    let found = &mut findings;
    match claims {
        AnyClaims::Operator(claims) => operator::operator(&claims.nats, found),
        AnyClaims::Account(claims) => account::account(&claims.standard, &claims.nats, found),
        AnyClaims::User(claims) => user::user(&claims.nats, found),
        AnyClaims::Activation(claims) => {
            other::activation(&claims.nats, "nats", found);
        }
        AnyClaims::AuthorizationRequest(claims) => other::request(&claims.nats, found),
        AnyClaims::AuthorizationResponse(claims) => {
            other::response(&claims.standard, &claims.nats, found)
        }
        AnyClaims::Generic(_) => {}
    }
    times(claims.standard(), now, found);
    findings.list
}

/// Expiry and start of validity (`ClaimsData.Validate`).
fn times(standard: &Standard, now: i64, found: &mut Findings<'_>) {
    let &Standard { exp, nbf, .. } = standard;
    if exp > 0 && now > exp {
        found.push(
            Class::Time,
            "exp",
            format_args!("the claim expired {} seconds ago", now.abs_diff(exp)),
        );
    }
    if nbf > 0 && nbf > now {
        found.push(
            Class::Time,
            "nbf",
            format_args!("the claim is valid in {} seconds", nbf.abs_diff(now)),
        );
    }
}

/// The findings so far, and what the caller knows.
struct Findings<'z> {
    list: Vec<Finding>,
    is_zone: &'z dyn Fn(&str) -> bool,
}

impl Findings<'_> {
    /// Whether no more are taken. Loops over pairs stop then.
    fn is_full(&self) -> bool {
        self.list.len() >= MAX_FINDINGS
    }

    fn push(&mut self, class: Class, field: &str, text: fmt::Arguments<'_>) {
        if !self.is_full() {
            self.list.push(Finding {
                class,
                field: field.into(),
                text: alloc::fmt::format(text),
            });
        }
    }

    fn error(&mut self, field: &str, text: fmt::Arguments<'_>) {
        self.push(Class::Blocking, field, text);
    }
}

#[cfg(test)]
mod tests;
