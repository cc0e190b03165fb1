//! `nkey sign`.

use crate::context::Context;
use crate::error::Error;
use crate::input::time::is_zone;
use crate::key_argument::{self, KeyArgument};
use crate::output::clean_inline;
use crate::seed_guard;
use crate::source;
use crate::token;
use nkey_agent::client::KeyInfo;
use nkey_core::claims::{Claim, ClaimType};
use nkey_core::tolerant::{self, AnyClaims};
use nkey_core::validate::{self, Class};

#[derive(clap::Args)]
pub struct Args {
    /// The key of the agent: a public key or a name; without it the claims' iss says which
    #[arg(short, long, value_name = "PUB|NAME")]
    pub key: Option<String>,
    /// Time of issue in Unix seconds, instead of now
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(1..))]
    pub iat: Option<i64>,
    /// The claims as JSON, keys in any order; - or nothing is standard input
    #[arg(value_name = "CLAIMS.json|-")]
    pub claims: Option<String>,
}

/// Prints the token with these claims, signed by the agent. iss, iat, jti, nats.version and,
/// where absent, nats.type are set; no other default is. What validation finds is told and
/// stops nothing.
///
/// # Errors
/// Exit 2 if no key is named, 3 if the agent refuses, 4 if it is locked or absent.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let flag = args
        .key
        .as_deref()
        .map(|text| KeyArgument::parse("--key", text))
        .transpose()?;
    let flag = match flag {
        Some(key) => Some(key),
        None => ctx.private_key()?,
    };
    let json = source::read(args.claims.as_deref().unwrap_or("-"), source::MAX_TEXT)?;
    let claims = read(&json)?;
    for finding in validate::validate(&claims, ctx.now(), &is_zone) {
        let class = match finding.class {
            Class::Blocking => "servers refuse this",
            Class::Time => "time",
            Class::Warning => "warning",
        };
        ctx.out.note(format!("{class}: {finding}"));
    }
    let wanted = match (flag, claims.standard().iss.as_str()) {
        (Some(key), _) => key,
        (None, "") => {
            return Err(Error::usage(
                "which key signs? Neither --key is given nor do the claims hold iss",
            )
            .next("nkey list keys"));
        }
        (None, iss) => KeyArgument::Public(key_argument::public("iss", iss)?),
    };
    let key = wanted
        .find(able(ctx.agent()?.list()?, claims.claim_type(), &wanted))?
        .key;
    let signed = ctx.agent()?.issue(&key, &json, args.iat.unwrap_or(0), 0)?;
    let signer = token::inspect(&signed)?.require_signed()?;
    if signer != key {
        return Err(Error::failed(format!(
            "the agent signed by {signer} instead of {key}: do not use this agent"
        )));
    }
    ctx.out.line(signed)
}

/// The claims, if nothing in them would be passed over.
fn read(json: &str) -> Result<AnyClaims, Error> {
    if seed_guard::has_whole_seed(json) {
        return Err(Error::failed(
            "the claims hold a seed, and everybody may read a token: nothing was signed",
        ));
    }
    let (claims, notes) = tolerant::read_claims(json.as_bytes())
        .map_err(|error| Error::failed(format!("the claims cannot be read: {error}")))?;
    if notes.is_empty() {
        return Ok(claims);
    }
    let unknown = notes
        .unknown
        .iter()
        .map(|(path, _)| format!("{} is unknown", clean_inline(path)));
    let spelled = notes
        .spelled
        .iter()
        .map(|path| format!("{} is in another letter case", clean_inline(path)));
    let repeated = notes
        .repeated
        .iter()
        .map(|path| format!("{} is repeated", clean_inline(path)));
    let reasons: Vec<String> = unknown.chain(spelled).chain(repeated).collect();
    Err(Error::failed(format!(
        "the claims are not signed as they stand: {}",
        reasons.join(", ")
    )))
}

/// A name means a key that may issue the claim, if there is one: names need not be unique among kinds.
fn able(keys: Vec<KeyInfo>, claim_type: ClaimType, wanted: &KeyArgument) -> Vec<KeyInfo> {
    let issuers = claim_type.issuers();
    let may = |info: &KeyInfo| issuers.is_empty() || issuers.contains(&info.key.kind());
    let named = |info: &KeyInfo| matches!(wanted, KeyArgument::Name(name) if info.name == *name);
    if keys.iter().any(|info| named(info) && may(info)) {
        keys.into_iter().filter(may).collect()
    } else {
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nkey_core::nkey::{Kind, PublicKey, Seed};

    #[test]
    fn all_that_would_be_passed_over_is_named() {
        let error =
            read(r#"{"sub":"x","Sub":"y","more":1,"nats":{"a":1,"type":"user"}}"#).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.code(), 1);
        for part in [
            "more is unknown",
            "nats.a is unknown",
            "Sub is in another letter case",
            "Sub is repeated",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(read("{").unwrap_err().to_string().contains("not JSON"));
    }

    #[test]
    fn a_seed_does_not_go_into_a_token() {
        let secret = Seed::from_bytes(Kind::User, [7; 32]).encode();
        let text = read(&format!(r#"{{"name":"{}"}}"#, secret.reveal()))
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("hold a seed") && !text.contains(secret.reveal()),
            "{text}"
        );
    }

    #[test]
    fn a_name_means_the_key_that_may_issue() {
        let info = |kind, byte| KeyInfo {
            key: PublicKey::from_bytes(kind, [byte; 32]),
            name: "x".to_owned(),
            store: "vault".to_owned(),
            flags: 0,
        };
        let keys = || {
            vec![
                info(Kind::Operator, 1),
                info(Kind::Account, 2),
                info(Kind::User, 3),
            ]
        };
        let wanted = KeyArgument::Name("x".to_owned());
        let kinds = |claim_type| -> Vec<Kind> {
            able(keys(), claim_type, &wanted)
                .iter()
                .map(|info| info.key.kind())
                .collect()
        };
        assert_eq!(kinds(ClaimType::User), [Kind::Account]);
        assert_eq!(kinds(ClaimType::Operator), [Kind::Operator]);
        assert_eq!(kinds(ClaimType::Generic).len(), 3);
        let public = KeyArgument::Public(info(Kind::User, 3).key);
        assert_eq!(able(keys(), ClaimType::User, &public).len(), 3);
    }
}
