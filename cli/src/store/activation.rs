//! Activations: leave for one account to import a private export of another.

use super::exports::kind;
use super::issue::issue;
use super::signer::activation_signer;
use super::token::{Entry, Typed};
use crate::context::Context;
use crate::error::Error;
use crate::key_argument::KeyArgument;
use nkey_core::claims::owned::{
    Account, Activation, Claims, Export, ExportType, GenericFields, Standard,
};
use nkey_core::nkey::PublicKey;

/// What an activation is for.
pub struct Wanted<'w> {
    /// The export.
    pub export: &'w Export,
    /// The subject, which may be narrower than the export's.
    pub subject: &'w str,
    /// The importing account.
    pub target: &'w PublicKey,
    /// From when until when it is valid.
    pub validity: &'w Standard,
}

/// Issues an activation of the account, dated after every revocation that covers it.
///
/// # Errors
/// If the agent holds no key that may sign it.
pub fn activate(
    ctx: &mut Context,
    strict: bool,
    account: &Entry<Account>,
    wanted: &Wanted<'_>,
    key: Option<&KeyArgument>,
) -> Result<String, Error> {
    let signer = activation_signer(ctx, strict, account, key)?;
    let target = wanted.target.to_string();
    let issuer_account = if *signer.key.encode() == *account.sub() {
        String::new()
    } else {
        account.sub().to_owned()
    };
    let revocations = &wanted.export.revocations;
    let covering = [target.as_str(), "*"]
        .into_iter()
        .filter_map(|key| revocations.get(key));
    let after = covering.copied().max().unwrap_or(0);
    let claims = Claims {
        standard: Standard {
            sub: target.clone(),
            name: wanted.subject.to_owned(),
            exp: wanted.validity.exp,
            nbf: wanted.validity.nbf,
            ..Standard::default()
        },
        nats: Activation {
            subject: wanted.subject.to_owned(),
            kind: Some(kind(wanted.export.kind == Some(ExportType::Service))),
            issuer_account,
        },
        generic: GenericFields {
            kind: Activation::TYPE.name().to_owned(),
            version: 2,
            ..GenericFields::default()
        },
    };
    issue(ctx, &signer.key, claims, after)
}
