//! Signing in as a user of the system account.

use super::claims::{DELETE, LIST, LOOKUP, PACK};
use super::connect::User;
use super::update::SUBJECT as UPDATE;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::defaults::new_user;
use crate::store::signer::after_revocations;
use crate::store::{Entry, Operator};
use nkey_agent::client::Client;
use nkey_agent::message::flag;
use nkey_core::claims::owned::{self, Account, SigningKey};
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::tolerant::AnyClaims;
use std::str::FromStr;

/// How long an operation may take in which only a moment's user signs in, in seconds.
const MOMENT: i64 = 120;

/// Who signs in; nsc's flags.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct SystemFlags {
    /// The system account [default: the one that the operator names]
    #[arg(long, value_name = "ACCOUNT")]
    system_account: Option<String>,
    /// Sign in as this user of the system account [default: a user made for two minutes]
    #[arg(long, value_name = "USER")]
    system_user: Option<String>,
}

impl SystemFlags {
    /// The user that signs in: a stored one, or one made for two minutes with a key that lives
    /// as long as the connection to the agent.
    ///
    /// # Errors
    /// If the agent has no key for it.
    pub fn user(
        &self,
        ctx: &mut Context,
        operator: &Operator,
        entry: &Entry<owned::Operator>,
    ) -> Result<User, Error> {
        let wanted = self
            .system_account
            .as_deref()
            .unwrap_or(&entry.claims.nats.system_account);
        if wanted.is_empty() {
            return Err(Error::failed(format!(
                "operator {} names no system account",
                clean_inline(operator.name())
            ))
            .next("nkey push -A --system-account NAME"));
        }
        let account = operator.account(&operator.find_account(&operator.accounts()?, wanted)?)?;
        let mut agent = Client::connect(&ctx.socket()?)?;
        let held: Vec<PublicKey> = agent.list()?.into_iter().map(|info| info.key).collect();
        let stored = |entry: Entry<owned::User>| -> Result<(String, PublicKey), Error> {
            let key = PublicKey::from_str(entry.sub()).map_err(|error| {
                Error::failed(format!("{}: sub: {error}", entry.path.display()))
            })?;
            Ok((entry.token, key))
        };
        let of = clean_inline(&account.name);
        if let Some(name) = &self.system_user {
            let (token, key) = stored(operator.find_user(&account.name, Some(name))?)?;
            if !held.contains(&key) {
                return Err(Error::failed(format!(
                    "the agent does not hold {key}, the key of user {of}/{}",
                    clean_inline(name)
                ))
                .next("nkey import keys FILE"));
            }
            return Ok(User { token, key, agent });
        }
        let strict = entry.claims.nats.strict_signing_key_usage;
        if let Some(signer) = signer(&account, strict, &held) {
            return moment(ctx, &account, &signer, agent);
        }
        // As nsc: any user of the system account whose key is at hand.
        for name in operator.users(&account.name)? {
            let (token, key) = stored(operator.user(&account.name, &name)?)?;
            if held.contains(&key) {
                return Ok(User { token, key, agent });
            }
        }
        Err(Error::failed(format!(
            "the agent holds neither a signing key without scope of the system account {of} nor the key of one of its users"
        ))
        .next("nkey import keys FILE"))
    }
}

/// A key that the agent holds and that signs users without a scope.
fn signer(account: &Entry<Account>, strict: bool, held: &[PublicKey]) -> Option<PublicKey> {
    let plain = account
        .claims
        .nats
        .signing_keys
        .iter()
        .filter_map(|key| match key {
            SigningKey::Plain(key) => Some(key.as_str()),
            SigningKey::Scoped(_) => None,
        });
    let own = (!strict).then_some(account.sub());
    plain
        .chain(own)
        .filter_map(|key| PublicKey::from_str(key).ok())
        .find(|key| held.contains(key))
}

fn moment(
    ctx: &Context,
    account: &Entry<Account>,
    signer: &PublicKey,
    mut agent: Client,
) -> Result<User, Error> {
    let key = agent.generate(Kind::User, "nkey push", flag::VOLATILE)?;
    let mut claims = new_user(&key, "nkey push", false);
    claims.standard.exp = ctx.now() + MOMENT;
    if *account.sub() != *signer.encode() {
        claims.nats.issuer_account = account.sub().to_owned();
    }
    let permissions = &mut claims.nats.permissions.permissions;
    permissions.publish.get_or_insert_default().allow = [LOOKUP, DELETE, LIST, PACK, UPDATE]
        .map(str::to_owned)
        .into();
    permissions.subscribe.get_or_insert_default().allow = vec!["_INBOX.>".to_owned()];
    let after = after_revocations(&account.claims.nats, &claims.standard.sub);
    let token = agent.issue(signer, &AnyClaims::User(claims).to_json(), 0, after)?;
    Ok(User { token, key, agent })
}
