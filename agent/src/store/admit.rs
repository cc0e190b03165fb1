//! What a store takes: the kinds, names and keys that may enter.

use super::StoreError;
use nkey_core::nkey::{Error, Kind, PublicKey, Seed};

/// The longest name, in bytes.
const MAX_NAME: usize = 255;

/// Operator, account, user and curve keys are held; server and cluster keys belong to servers.
pub(super) fn seed(seed: &Seed) -> Result<(), StoreError> {
    match seed.kind() {
        _ if *seed.as_bytes() == [0; 32] => Err(StoreError::Seed(Error::ZeroSeed)),
        Kind::Operator | Kind::Account | Kind::User | Kind::Curve => Ok(()),
        kind @ (Kind::Server | Kind::Cluster) => Err(StoreError::Kind(kind)),
    }
}

/// A name is shown on terminals, so it holds no control character.
pub(super) fn name(name: &str) -> Result<(), StoreError> {
    if name.len() > MAX_NAME {
        return Err(StoreError::Name("has more than 255 bytes"));
    }
    if name.chars().any(char::is_control) {
        return Err(StoreError::Name("has a control character"));
    }
    Ok(())
}

/// Refuses a key whose 32 bytes are held under any kind: one key must not speak two languages.
pub(super) fn new_bytes(
    key: &PublicKey,
    held: impl Fn(&PublicKey) -> bool,
) -> Result<(), StoreError> {
    Kind::ALL
        .into_iter()
        .map(|kind| PublicKey::from_bytes(kind, *key.as_bytes()))
        .find(|found| held(found))
        .map_or(Ok(()), |found| Err(StoreError::Exists(found)))
}
