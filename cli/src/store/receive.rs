//! Tokens that come from servers or files, put in place of stored ones.

use super::chain::account_issuer;
use super::lock::Lock;
use super::name::check_name;
use super::operator::Operator;
use super::token::{Entry, Typed};
use crate::error::Error;
use crate::output::clean_inline;
use nkey_core::claims::owned::{self, Account, Claims};
use nkey_core::tolerant;
use std::collections::BTreeMap;

/// What became of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// There was none of this account.
    New,
    /// It replaced an older one, or one that was to be replaced.
    Replaced,
    /// It is the stored one.
    Unchanged,
}

/// The claims of a token, if it is of this type.
///
/// # Errors
/// If its signature is wrong, or it is of another type.
pub fn read<N: Typed>(token: &str) -> Result<Claims<N>, Error> {
    let decoded = tolerant::decode(token).map_err(Error::failed)?;
    N::from_any(decoded.claims)
        .ok_or_else(|| Error::failed(format!("this is no JWT of type {}", N::TYPE)))
}

/// Whether a token may replace the stored one: it is newer, or that is asked for.
///
/// # Errors
/// Names which of the two is newer.
pub fn check_age(
    what: &str,
    (known, known_iat): (&str, i64),
    (token, iat): (&str, i64),
    overwrite: bool,
) -> Result<Received, Error> {
    if token == known {
        Ok(Received::Unchanged)
    } else if overwrite || iat > known_iat {
        Ok(Received::Replaced)
    } else if iat == known_iat {
        Err(Error::failed(format!(
            "{what} differs from the stored one and was issued in the same second"
        )))
    } else {
        Err(Error::failed(format!(
            "{what} is older than the stored one"
        )))
    }
}

/// Puts accounts of an operator in place.
pub struct Receiver<'a> {
    operator: &'a Operator,
    entry: &'a Entry<owned::Operator>,
    lock: &'a Lock,
    names: BTreeMap<String, String>,
    overwrite: bool,
}

impl<'a> Receiver<'a> {
    /// For the accounts of `operator`; with `overwrite`, stored tokens that are newer are replaced.
    ///
    /// # Errors
    /// If an account of the store cannot be read.
    pub fn new(
        operator: &'a Operator,
        entry: &'a Entry<owned::Operator>,
        lock: &'a Lock,
        overwrite: bool,
    ) -> Result<Receiver<'a>, Error> {
        let mut names = BTreeMap::new();
        for name in operator.accounts()? {
            names.insert(operator.account(&name)?.claims.standard.sub, name);
        }
        Ok(Receiver {
            operator,
            entry,
            lock,
            names,
            overwrite,
        })
    }

    /// Puts a token in place that should be about `sub`. The account's name comes with it.
    ///
    /// # Errors
    /// If it is about another account, of another operator, or older than the stored one.
    pub fn put(&mut self, sub: &str, token: &str) -> Result<(String, Received), Error> {
        let claims: Claims<Account> = read(token)?;
        let standard = &claims.standard;
        if standard.sub != sub {
            return Err(Error::failed(format!("the JWT is about {}", standard.sub)));
        }
        let operator = &self.entry.claims;
        let own = self.operator.is_managed() && standard.iss == standard.sub;
        if let (Err(reason), false) = (
            account_issuer(&operator.nats, &operator.standard.sub, &standard.iss),
            own,
        ) {
            return Err(Error::failed(reason));
        }
        let known = self.names.get(sub);
        let name = known.unwrap_or(&standard.name).clone();
        check_name("an account", &name)?;
        let (received, read) = if known.is_some() {
            let stored = self.operator.account(&name)?;
            let known = &stored.claims.standard;
            // What the operator made of it, perhaps within the same second.
            let signed =
                known.iss == known.sub && standard.iss != standard.sub && standard.iat >= known.iat;
            let received = check_age(
                "the JWT",
                (&stored.token, known.iat),
                (token, standard.iat),
                self.overwrite || signed,
            )
            .map_err(|error| error.next("nkey pull --overwrite-newer"))?;
            (received, Some(stored.bytes))
        } else if self.operator.has_account(&name) {
            return Err(Error::failed(format!(
                "the store has another account named {}",
                clean_inline(&name)
            )));
        } else {
            (Received::New, None)
        };
        if received != Received::Unchanged {
            self.operator
                .write_account(self.lock, &name, token, read.as_deref())?;
            self.names.insert(sub.to_owned(), name.clone());
        }
        Ok((name, received))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_newer_tokens_replace_unasked() {
        let check = |iat, token, overwrite| check_age("it", ("a", 10), (token, iat), overwrite);
        assert_eq!(check(10, "a", false).unwrap(), Received::Unchanged);
        assert_eq!(check(11, "b", false).unwrap(), Received::Replaced);
        assert!(
            check(10, "b", false)
                .unwrap_err()
                .to_string()
                .contains("same second")
        );
        assert!(
            check(9, "b", false)
                .unwrap_err()
                .to_string()
                .contains("older")
        );
        assert_eq!(check(9, "b", true).unwrap(), Received::Replaced);
    }
}
