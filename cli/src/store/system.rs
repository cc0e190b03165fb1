//! The system account that nsc makes with an operator: `SYS`, with a signing key, and its user `sys`.

use super::defaults::{new_account, new_user, system_exports};
use super::issue::issue;
use super::keys::{Fresh, key_names};
use super::lock::Lock;
use super::operator::Operator;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use nkey_core::claims::owned::SigningKey;
use nkey_core::nkey::{Kind, PublicKey};

/// The name of the account.
pub const ACCOUNT: &str = "SYS";
/// The name of its user.
pub const USER: &str = "sys";

/// What its claims have to be signed, about, with the exports that they have.
const SIZE: u32 = 1_550;

/// Refuses a store whose keys cannot sign a system account, before a key is made there.
///
/// # Errors
/// If it signs less.
pub fn expect_room(ctx: &mut Context, store: &str, operator: &str) -> Result<(), Error> {
    let stores = ctx.agent()?.stores()?;
    let is_short = |limit: u32| limit > 0 && limit < SIZE;
    match stores.into_iter().find(|known| known.name == store) {
        Some(known) if is_short(known.limit) => Err(Error::failed(format!(
            "{} signs at most {} bytes, and the claims of a system account have up to {SIZE}: nothing was made; an operator without one has room there",
            clean_inline(store),
            known.limit
        ))
        .next(format!(
            "nkey add operator -n {} --store {} --generate-signing-key",
            clean_inline(operator),
            clean_inline(store)
        ))),
        _ => Ok(()),
    }
}

/// What an account gets besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra<'a> {
    /// Nothing.
    Nothing,
    /// nsc's monitoring exports.
    System,
    /// A second signing key in this store.
    Second(&'a str),
}

/// An account with a signing key and one user, issued and not yet written.
pub struct Pair {
    /// The account's key.
    pub account: PublicKey,
    /// Its signing key.
    pub signing_key: PublicKey,
    /// Its second signing key.
    pub second: Option<PublicKey>,
    /// The user's key.
    pub user: PublicKey,
    names: [String; 2],
    tokens: [String; 2],
}

impl Pair {
    /// Makes the keys of an account and its user and issues both; `signer` signs the account,
    /// which without one signs itself.
    ///
    /// # Errors
    /// What the agent says.
    pub fn make(
        ctx: &mut Context,
        fresh: &mut Fresh,
        operator: &str,
        [account_name, user_name]: [&str; 2],
        signer: Option<&PublicKey>,
        extra: Extra<'_>,
    ) -> Result<Pair, Error> {
        let path = [operator, account_name];
        let account = fresh.generate(ctx, Kind::Account, &key_names::identity(&path))?;
        let signing_key = fresh.generate(ctx, Kind::Account, &key_names::signing_key(&path))?;
        let user = fresh.generate(
            ctx,
            Kind::User,
            &key_names::identity(&[operator, account_name, user_name]),
        )?;
        let mut claims = new_account(&account, account_name);
        claims.nats.signing_keys = vec![SigningKey::Plain(signing_key.to_string())];
        let mut second = None;
        match extra {
            Extra::Nothing => {}
            Extra::System => claims.nats.exports = system_exports(),
            Extra::Second(store) => {
                let name = key_names::second_key(&path);
                let key = fresh.generate_in(ctx, Some(store), Kind::Account, &name)?;
                claims
                    .nats
                    .signing_keys
                    .push(SigningKey::Plain(key.to_string()));
                // Servers read the list as a map, so that it has one order.
                claims
                    .nats
                    .signing_keys
                    .sort_by(|one, other| one.key().cmp(other.key()));
                second = Some(key);
            }
        }
        let account_token = issue(ctx, signer.unwrap_or(&account), claims, 0)?;
        let mut claims = new_user(&user, user_name, false);
        claims.nats.issuer_account = account.to_string();
        let user_token = issue(ctx, &signing_key, claims, 0)?;
        Ok(Pair {
            account,
            signing_key,
            second,
            user,
            names: [account_name.to_owned(), user_name.to_owned()],
            tokens: [account_token, user_token],
        })
    }

    /// Writes both tokens, which must not be there yet.
    ///
    /// # Errors
    /// If they are, or cannot be written.
    pub fn write(&self, lock: &Lock, operator: &Operator) -> Result<(), Error> {
        let [account, user] = &self.names;
        operator.write_account(lock, account, &self.tokens[0], None)?;
        operator.write_user(lock, account, user, &self.tokens[1], None)?;
        Ok(())
    }
}
