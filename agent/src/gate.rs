//! The one way to a signature.
//!
//! Every request for a signature, whatever brought it, passes [`Gate::sign`]: open the key,
//! read what is to be signed, judge its time, sign, check the signature, answer. A request
//! is plain data and knows no socket; the clock is the caller's.

mod room;

use crate::message::{Refusal, Status};
use crate::store::{Check, KeyInfo, Person, State, Store, StoreError};
use nkey_core::Signature;
use nkey_core::jwt;
use nkey_core::language::{self, Denial, Permit};
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::tolerant::{self, DecodeError};

/// How far `iat` may be from the agent's clock, in seconds. nats-server compares `iat` with
/// revocations, and a token dated in the future escapes them.
pub const IAT_TOLERANCE: i64 = 300;

/// How far `issue` moves `iat` ahead to follow an earlier token, in seconds.
pub const AFTER_LEAD: i64 = 5;

/// The stores that a request may use, the connection's own first.
pub struct Gate<'a> {
    stores: Vec<&'a dyn Store>,
    person: &'a dyn Person,
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        let status = match error {
            StoreError::Locked | StoreError::LockedUntil(_) => Status::Locked,
            StoreError::Unknown(_) => Status::UnknownKey,
            StoreError::Exists(_)
            | StoreError::NotExportable(_)
            | StoreError::WrongPassphrase
            | StoreError::WrongPin(..)
            | StoreError::Declined(..)
            | StoreError::Cancelled
            | StoreError::Kind(_)
            | StoreError::Name(_)
            | StoreError::Unsupported(_) => Status::Refused,
            StoreError::Seed(_) => Status::Malformed,
            _ => Status::StoreFailed,
        };
        Refusal::new(status, error)
    }
}

impl<'a> Gate<'a> {
    /// Over these stores, for a person.
    pub fn new(stores: Vec<&'a dyn Store>, person: &'a dyn Person) -> Gate<'a> {
        Gate { stores, person }
    }

    /// The store that holds a key, and what it lists of it.
    pub fn find(&self, key: &PublicKey) -> Option<(&'a dyn Store, KeyInfo)> {
        self.stores
            .iter()
            .find_map(|store| store.find(key).map(|info| (*store, info)))
    }

    /// The key with these 32 bytes, whatever its kind: blobs have none. No two keys have
    /// the same bytes, since stores refuse the second.
    pub fn by_bytes(&self, bytes: [u8; 32]) -> Result<(&'a dyn Store, PublicKey), Refusal> {
        [Kind::User, Kind::Account, Kind::Operator, Kind::Curve]
            .into_iter()
            .map(|kind| PublicKey::from_bytes(kind, bytes))
            .find_map(|key| self.find(&key).map(|(store, info)| (store, info.key)))
            .ok_or_else(|| Refusal::new(Status::UnknownKey, "the agent does not hold this key"))
    }

    /// Signs `data` with a key, if the key signs such things.
    ///
    /// # Errors
    /// A [`Refusal`] with the reason. Nothing was signed then, or the signature was wrong.
    pub fn sign(
        &self,
        store: &dyn Store,
        key: &PublicKey,
        data: &[u8],
        now: i64,
    ) -> Result<Signature, Refusal> {
        let limit = store.limit(key);
        if data.len() > limit {
            return Err(too_large(data, store.name(), limit));
        }
        let sealed = store.open(key)?;
        let mut scratch = vec![0u8; data.len()];
        let permit = language::permit(key, data, &mut scratch, &mut ()).map_err(denied)?;
        if let Permit::Jwt(claims) = &permit
            && !sealed.flags.any_iat
            && claims.iat.abs_diff(now) > IAT_TOLERANCE.unsigned_abs()
        {
            return Err(Refusal::new(
                Status::Refused,
                format_args!(
                    "iat {} is {} s from the agent's clock, more than {IAT_TOLERANCE} s: \
                     set the clock right, or add the key with --any-iat",
                    claims.iat,
                    claims.iat.abs_diff(now)
                ),
            ));
        }
        let signature = store.sign_for(key, data, self.person)?;
        match store.check() {
            Check::Verify if !key.verify(data, &signature) => Err(Refusal::new(
                Status::StoreFailed,
                store.explain(key, data, &signature),
            )),
            Check::Verify | Check::Recomputed => Ok(signature),
        }
    }

    /// Issues a token: fills in what signing sets, and signs as any other request.
    ///
    /// # Errors
    /// A [`Refusal`] with the reason.
    pub fn issue(
        &self,
        bytes: [u8; 32],
        claims: &[u8],
        iat: i64,
        after: i64,
        now: i64,
    ) -> Result<String, Refusal> {
        let (store, key) = self.by_bytes(bytes)?;
        // Said first: unlocking is the next step, whatever the claims are; unless nothing can come
        // of it, since the holder does not sign as much.
        if store.state() == State::Locked {
            if store.lanes().is_some()
                && let Ok((mut token, input)) = unsigned(&key, claims, iat, after, now)
                && input > store.limit(&key)
            {
                token.truncate(input);
                return Err(too_large(&token, store.name(), store.limit(&key)));
            }
            return Err(store.locked().into());
        }
        let (mut token, input) = unsigned(&key, claims, iat, after, now)?;
        let signature = self.sign(store, &key, &token[..input], now)?;
        let length = jwt::finish(input, &signature, &mut token)
            .map_err(unmade)?
            .len();
        token.truncate(length);
        String::from_utf8(token).map_err(|error| Refusal::new(Status::Malformed, error))
    }
}

/// A token that lacks its signature, and how long its signing input is.
fn unsigned(
    key: &PublicKey,
    claims: &[u8],
    iat: i64,
    after: i64,
    now: i64,
) -> Result<(Vec<u8>, usize), Refusal> {
    let malformed = |error: DecodeError| Refusal::new(Status::Malformed, error);
    let (mut claims, notes) = tolerant::read_claims(claims).map_err(malformed)?;
    if let Some(note) = notes.first() {
        return Err(Refusal::new(Status::Malformed, note));
    }
    let iat = time_of_issue(iat, after, now)?;
    claims.sort();
    claims.prepare(key, iat).map_err(unmade)
}

/// `iat` as asked for, or now, or the first second after `after`.
fn time_of_issue(iat: i64, after: i64, now: i64) -> Result<i64, Refusal> {
    let malformed = |reason: &str| Refusal::new(Status::Malformed, reason);
    match (iat, after) {
        (i64::MIN..0, _) | (_, i64::MIN..0) => Err(malformed("iat and after are not negative")),
        (0, 0) => Ok(now),
        (iat, 0) => Ok(iat),
        (0, after) => {
            let next = after
                .checked_add(1)
                .ok_or_else(|| malformed("after is too large"))?;
            if next <= now.saturating_add(AFTER_LEAD) {
                return Ok(next.max(now));
            }
            let wait = next.saturating_sub(now).saturating_sub(AFTER_LEAD);
            Err(Refusal::new(
                Status::Refused,
                format_args!(
                    "iat must be greater than {after}, which is ahead of the agent's clock: \
                     try again in {wait} s, or set the clock right"
                ),
            ))
        }
        _ => Err(malformed("iat and after exclude each other")),
    }
}

fn too_large(data: &[u8], store: &str, limit: usize) -> Refusal {
    let length = data.len();
    let advice = match room::largest(data) {
        Some(named) => {
            format!("; most room take {named}: shorten them, or let a key in another store sign")
        }
        None => String::new(),
    };
    Refusal::new(
        Status::TooLarge,
        format_args!("{length} bytes are to be signed, {store} signs at most {limit}{advice}"),
    )
}

fn denied(denial: Denial) -> Refusal {
    let status = match denial {
        Denial::Base64 => Status::Malformed,
        _ => Status::Refused,
    };
    Refusal::new(status, denial)
}

fn unmade(error: jwt::Error) -> Refusal {
    let status = match error {
        jwt::Error::TooLarge(_) => Status::TooLarge,
        jwt::Error::Refused(_) => Status::Refused,
        _ => Status::Malformed,
    };
    Refusal::new(status, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_issue_follows_an_earlier_token_and_never_runs_away() {
        let now = 1_000_000;
        let reason = |iat, after| time_of_issue(iat, after, now).map_err(|refusal| refusal.status);
        assert_eq!(reason(0, 0), Ok(now));
        assert_eq!(reason(77, 0), Ok(77));
        assert_eq!(reason(0, now - 10), Ok(now));
        assert_eq!(reason(0, now), Ok(now + 1));
        assert_eq!(reason(0, now + 4), Ok(now + 5));
        assert_eq!(reason(0, now + 5), Err(Status::Refused));
        let wait = time_of_issue(0, now + 9, now).unwrap_err().reason;
        assert!(wait.contains("in 5 s"), "{wait}");
        assert_eq!(reason(0, i64::MAX), Err(Status::Malformed));
        for wrong in [(-1, 0), (0, -1), (5, 5)] {
            assert_eq!(reason(wrong.0, wrong.1), Err(Status::Malformed));
        }
    }
}
