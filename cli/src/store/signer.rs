//! Which key signs: what nats-server accepts, of what the agent holds, nsc's order first.

use super::operator::Operator;
use super::token::Entry;
use crate::context::Context;
use crate::error::Error;
use crate::key_argument::{KeyArgument, shell_word};
use crate::output::clean_inline;
use nkey_agent::client::KeyInfo;
use nkey_core::claims::owned::{self, Account, SigningKey, UserScope};
use nkey_core::nkey::PublicKey;
use std::str::FromStr;

/// A key that may sign.
#[derive(Clone, Debug, PartialEq)]
pub struct Signer {
    /// The key.
    pub key: PublicKey,
    /// The scope whose template the users of the key get.
    pub scope: Option<UserScope>,
}

impl Signer {
    fn plain(key: &str) -> Option<Signer> {
        Some(Signer {
            key: PublicKey::from_str(key).ok()?,
            scope: None,
        })
    }

    fn role(&self) -> Option<&str> {
        self.scope.as_ref().and_then(|scope| scope.role.as_deref())
    }
}

/// The key that signs the operator's next token: its own, or one of its signing keys.
///
/// # Errors
/// If `-K` names another key, or the agent holds none of them.
pub fn operator_signer(
    ctx: &mut Context,
    operator: &Operator,
    sub: &str,
    signing_keys: &[String],
) -> Result<Signer, Error> {
    let keys = std::iter::once(sub).chain(signing_keys.iter().map(String::as_str));
    let candidates = keys.filter_map(Signer::plain).collect();
    let name = clean_inline(operator.name());
    let wanted = ctx.private_key()?;
    choose(
        ctx,
        wanted.as_ref(),
        candidates,
        None,
        &format!("operator {name}"),
    )
}

/// The key that signs an account: the operator's own unless it is strict, then a signing key
/// of the operator's; for a managed operator also the account's own key `sub`.
///
/// # Errors
/// If `-K` names another key, or the agent holds none of them.
pub fn account_signer(
    ctx: &mut Context,
    operator: &Operator,
    entry: &Entry<owned::Operator>,
    sub: Option<&PublicKey>,
) -> Result<Signer, Error> {
    account_signer_again(ctx, operator, entry, sub, "")
}

/// [`account_signer`]; the key `last`, which signed before, comes first.
///
/// # Errors
/// As [`account_signer`].
pub fn account_signer_again(
    ctx: &mut Context,
    operator: &Operator,
    entry: &Entry<owned::Operator>,
    sub: Option<&PublicKey>,
    last: &str,
) -> Result<Signer, Error> {
    let claims = &entry.claims;
    let mut candidates = Vec::new();
    if !claims.nats.strict_signing_key_usage {
        candidates.extend(Signer::plain(&claims.standard.sub));
    }
    candidates.extend(
        claims
            .nats
            .signing_keys
            .iter()
            .filter_map(|key| Signer::plain(key)),
    );
    let name = clean_inline(operator.name());
    if candidates.is_empty() {
        return Err(Error::failed(format!(
            "operator {name} requires signing keys and has none, so no account can be signed"
        )));
    }
    if operator.is_managed() {
        // The account signs itself, and the operator signs what is sent to it.
        candidates.extend(sub.map(|key| Signer {
            key: *key,
            scope: None,
        }));
    }
    let what = format!("the accounts of operator {name}");
    let wanted = ctx.private_key()?;
    choose(ctx, wanted.as_ref(), candidates, Some(last), &what)
}

/// The key that signs a user: the account's own unless the operator is strict, then a signing
/// key of the account's. One with a scope signs only if `-K` names it or its role.
///
/// # Errors
/// If `-K` names another key, or the agent holds none of them.
pub fn user_signer(
    ctx: &mut Context,
    strict: bool,
    account: &Entry<Account>,
) -> Result<Signer, Error> {
    user_signer_again(ctx, strict, account, "")
}

/// The key that [`user_signer`] names if the agent holds it, without asking: of all that adding
/// a user takes, listing the keys of a large agent takes longest. None if only asking tells.
///
/// # Errors
/// If `-K` is a seed.
pub fn likely_user_signer(
    ctx: &Context,
    strict: bool,
    account: &Entry<Account>,
) -> Result<Option<Signer>, Error> {
    let mut keys = account_keys(strict, account).into_iter();
    Ok(match ctx.private_key()? {
        Some(_) => None,
        None => keys.find(|signer| signer.scope.is_none()),
    })
}

/// [`user_signer`]; the key `last`, which signed before, comes first, also if it has a scope.
///
/// # Errors
/// As [`user_signer`].
pub fn user_signer_again(
    ctx: &mut Context,
    strict: bool,
    account: &Entry<Account>,
    last: &str,
) -> Result<Signer, Error> {
    let name = clean_inline(&account.name);
    let candidates = account_keys(strict, account);
    if candidates.is_empty() {
        return Err(Error::failed(format!(
            "the operator requires signing keys and account {name} has none, so it can have no users"
        )));
    }
    let what = format!("the users of account {name}");
    let wanted = ctx.private_key()?;
    choose(ctx, wanted.as_ref(), candidates, Some(last), &what)
}

/// The key that signs an activation of the account; as [`user_signer`].
///
/// # Errors
/// If another key is `wanted`, or the agent holds none of them.
pub fn activation_signer(
    ctx: &mut Context,
    strict: bool,
    account: &Entry<Account>,
    wanted: Option<&KeyArgument>,
) -> Result<Signer, Error> {
    let name = clean_inline(&account.name);
    let candidates = account_keys(strict, account);
    if candidates.is_empty() {
        return Err(Error::failed(format!(
            "the operator requires signing keys and account {name} has none, so it can activate nothing"
        ))
        .next(format!("nkey edit account -n {} --sk generate", shell_word(&name))));
    }
    let what = format!("the activations of account {name}");
    choose(ctx, wanted, candidates, None, &what)
}

/// The keys that sign for an account: its own unless the operator is strict, then its signing keys.
fn account_keys(strict: bool, account: &Entry<Account>) -> Vec<Signer> {
    let own = (!strict).then(|| Signer::plain(account.sub())).flatten();
    let signing_keys = account.claims.nats.signing_keys.iter();
    let signing_keys = signing_keys.filter_map(|signing_key| {
        let scope = match signing_key {
            SigningKey::Plain(_) => None,
            SigningKey::Scoped(scope) => Some(scope.clone()),
        };
        Some(Signer {
            key: PublicKey::from_str(signing_key.key()).ok()?,
            scope,
        })
    });
    own.into_iter().chain(signing_keys).collect()
}

fn choose(
    ctx: &mut Context,
    wanted: Option<&KeyArgument>,
    candidates: Vec<Signer>,
    last: Option<&str>,
    what: &str,
) -> Result<Signer, Error> {
    let held = ctx.agent()?.list()?;
    if let (None, Some(last)) = (wanted, last) {
        let again = |signer: &&Signer| signer.key.to_string() == last;
        if let Some(signer) = candidates.iter().find(again)
            && held.iter().any(|info| info.key == signer.key)
        {
            return Ok(signer.clone());
        }
    }
    pick(candidates, wanted, &held, what)
}

fn pick(
    mut candidates: Vec<Signer>,
    wanted: Option<&KeyArgument>,
    held: &[KeyInfo],
    what: &str,
) -> Result<Signer, Error> {
    let info = |key: &PublicKey| held.iter().find(|info| info.key == *key);
    let list = |signers: &[Signer]| {
        let keys = signers.iter().map(|signer| match signer.role() {
            Some(role) => format!("{} (role {})", signer.key, clean_inline(role)),
            None => signer.key.to_string(),
        });
        keys.collect::<Vec<_>>().join(", ")
    };
    match wanted {
        Some(KeyArgument::Public(key)) => {
            if !candidates.iter().any(|signer| signer.key == *key) {
                let keys = list(&candidates);
                return Err(Error::usage(format!(
                    "{key} may not sign {what}; these may: {keys}"
                )));
            }
            candidates.retain(|signer| signer.key == *key);
        }
        Some(KeyArgument::Name(name)) => {
            let by_role = |signer: &Signer| signer.role() == Some(name.as_str());
            let by_name =
                |signer: &Signer| info(&signer.key).is_some_and(|info| info.name == *name);
            let named = match candidates.iter().any(by_role) {
                true => candidates
                    .iter()
                    .filter(|signer| by_role(signer))
                    .cloned()
                    .collect(),
                false => candidates
                    .iter()
                    .filter(|signer| by_name(signer))
                    .cloned()
                    .collect::<Vec<_>>(),
            };
            if named.is_empty() {
                let (name, keys) = (clean_inline(name), list(&candidates));
                return Err(Error::usage(format!(
                    "no key named {name} may sign {what}; these may: {keys}"
                )));
            }
            candidates = named;
        }
        None => {}
    }
    let (mut here, away): (Vec<_>, Vec<_>) = candidates
        .into_iter()
        .partition(|signer| info(&signer.key).is_some());
    if wanted.is_none() {
        if let Some(at) = here.iter().position(|signer| signer.scope.is_none()) {
            return Ok(here.swap_remove(at));
        }
        if !here.is_empty() {
            return Err(Error::usage(format!(
                "the agent holds only scoped signing keys for {what}: name one by -K KEY or -K ROLE: {}",
                list(&here)
            )));
        }
    }
    match here.len() {
        0 => Err(Error::failed(format!(
            "the agent holds none of the keys that may sign {what}: {}",
            list(&away)
        ))
        .next("nkey import keys FILE")),
        1 => Ok(here.remove(0)),
        _ => Err(Error::usage(format!(
            "several keys are meant: name one by its public key: {}",
            list(&here)
        ))),
    }
}

/// The time that the `iat` of a new token for the user `sub` must be greater than, so that no
/// revocation of the account covers it; 0 if there is none.
pub fn after_revocations(account: &Account, sub: &str) -> i64 {
    let times = [sub, "*"]
        .into_iter()
        .filter_map(|key| account.revocations.get(key));
    times.copied().max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nkey_core::nkey::Kind;

    fn key(byte: u8) -> PublicKey {
        PublicKey::from_bytes(Kind::Account, [byte; 32])
    }

    fn plain(byte: u8) -> Signer {
        Signer {
            key: key(byte),
            scope: None,
        }
    }

    fn scoped(byte: u8, role: &str) -> Signer {
        let scope = UserScope {
            role: Some(role.to_owned()),
            ..UserScope::default()
        };
        Signer {
            key: key(byte),
            scope: Some(scope),
        }
    }

    fn held(keys: &[(u8, &str)]) -> Vec<KeyInfo> {
        let info = |&(byte, name): &(u8, &str)| KeyInfo {
            key: key(byte),
            name: name.to_owned(),
            store: "vault".to_owned(),
            flags: 0,
        };
        keys.iter().map(info).collect()
    }

    fn named(name: &str) -> Option<KeyArgument> {
        Some(KeyArgument::Name(name.to_owned()))
    }

    #[test]
    fn the_first_key_that_is_held_signs_and_a_scoped_one_only_when_named() {
        let all = || vec![plain(1), scoped(2, "service"), plain(3)];
        let pick = |wanted: Option<KeyArgument>, keys: &[(u8, &str)]| {
            pick(all(), wanted.as_ref(), &held(keys), "users")
        };
        assert_eq!(pick(None, &[(3, ""), (1, "")]).unwrap(), plain(1));
        assert_eq!(pick(None, &[(3, ""), (2, "")]).unwrap(), plain(3));
        let error = pick(None, &[(2, "")]).unwrap_err();
        assert!(
            error.to_string().contains("role service") && error.code() == 2,
            "{error}"
        );
        let error = pick(None, &[(9, "")]).unwrap_err();
        assert!(
            error.to_string().ends_with("type: nkey import keys FILE") && error.code() == 1,
            "{error}"
        );
        assert_eq!(
            pick(named("service"), &[(2, ""), (1, "service")]).unwrap(),
            scoped(2, "service")
        );
        assert_eq!(
            pick(named("mine"), &[(2, ""), (3, "mine"), (9, "mine")]).unwrap(),
            plain(3)
        );
        assert!(
            pick(named("mine"), &[(1, "mine"), (3, "mine")])
                .unwrap_err()
                .to_string()
                .contains("several")
        );
        assert_eq!(pick(named("other"), &[(9, "other")]).unwrap_err().code(), 2);
        assert_eq!(
            pick(Some(KeyArgument::Public(key(3))), &[(1, ""), (3, "")]).unwrap(),
            plain(3)
        );
        pick(Some(KeyArgument::Public(key(3))), &[(1, "")]).unwrap_err();
        let error = pick(Some(KeyArgument::Public(key(9))), &[(9, "")]).unwrap_err();
        assert!(error.to_string().contains("may not sign users"), "{error}");
    }

    #[test]
    fn a_token_is_issued_after_what_revokes_it() {
        let mut account = Account::default();
        assert_eq!(after_revocations(&account, "U1"), 0);
        account.revocations.insert("*".to_owned(), 5);
        account.revocations.insert("U1".to_owned(), 9);
        account.revocations.insert("U2".to_owned(), 3);
        assert_eq!(
            ["U1", "U2", "U3"].map(|sub| after_revocations(&account, sub)),
            [9, 5, 5]
        );
    }
}
