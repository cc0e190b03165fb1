//! Keys that live as long as one connection.

use super::held::Held;
use super::{Check, Flags, KeyInfo, Prompt, State, Store, StoreError, admit};
use nkey_core::Signature;
use nkey_core::nkey::{PublicKey, Secret, Seed};
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Most keys of one connection: thousands of connections must stay cheap.
const MAX_KEYS: usize = 64;

/// The store `volatile`: the keys of one connection, in locked memory, gone when it is dropped.
/// Locking it removes them all.
#[derive(Default)]
pub struct Volatile {
    keys: RwLock<BTreeMap<PublicKey, (KeyInfo, Held)>>,
}

impl Volatile {
    /// A store without keys.
    pub const fn new() -> Volatile {
        Volatile {
            keys: RwLock::new(BTreeMap::new()),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<PublicKey, (KeyInfo, Held)>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<PublicKey, (KeyInfo, Held)>> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Volatile {
    fn name(&self) -> &'static str {
        "volatile"
    }

    fn state(&self) -> State {
        State::Unlocked
    }

    fn max_message(&self) -> usize {
        crate::message::MAX_SIGNING_INPUT
    }

    fn check(&self) -> Check {
        Check::Recomputed
    }

    fn keys(&self) -> Vec<KeyInfo> {
        self.read().values().map(|(info, _)| info.clone()).collect()
    }

    fn find(&self, key: &PublicKey) -> Option<KeyInfo> {
        self.read().get(key).map(|(info, _)| info.clone())
    }

    fn open(&self, key: &PublicKey) -> Result<KeyInfo, StoreError> {
        self.find(key).ok_or(StoreError::Unknown(*key))
    }

    fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Signature, StoreError> {
        match self.read().get(key) {
            Some((_, held)) => held.sign(message),
            None => Err(StoreError::Unknown(*key)),
        }
    }

    fn add(&self, seed: &Seed, name: &str, flags: Flags) -> Result<PublicKey, StoreError> {
        admit::seed(seed)?;
        admit::name(name)?;
        let held = Held::new(seed)?;
        let info = KeyInfo {
            key: held.key(),
            name: name.to_owned(),
            flags: Flags {
                volatile: true,
                ..flags
            },
        };
        let mut keys = self.write();
        admit::new_bytes(&info.key, |found| keys.contains_key(found))?;
        if keys.len() >= MAX_KEYS {
            return Err(StoreError::Unsupported(
                "hold more than 64 keys of one connection",
            ));
        }
        let key = info.key;
        keys.insert(key, (info, held));
        Ok(key)
    }

    fn export(&self, key: &PublicKey) -> Result<Secret, StoreError> {
        match self.read().get(key) {
            Some((info, held)) if info.flags.exportable => Ok(held.seed().encode()),
            Some(_) => Err(StoreError::NotExportable(*key)),
            None => Err(StoreError::Unknown(*key)),
        }
    }

    fn remove(&self, key: &PublicKey) -> Result<(), StoreError> {
        match self.write().remove(key) {
            Some(_) => Ok(()),
            None => Err(StoreError::Unknown(*key)),
        }
    }

    fn rename(&self, key: &PublicKey, name: &str) -> Result<(), StoreError> {
        admit::name(name)?;
        match self.write().get_mut(key) {
            Some((info, _)) => {
                name.clone_into(&mut info.name);
                Ok(())
            }
            None => Err(StoreError::Unknown(*key)),
        }
    }

    fn lock(&self) {
        self.write().clear();
    }

    fn unlock(&self, _: &mut dyn Prompt) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nkey_core::nkey::Kind;

    fn seed(kind: Kind, byte: u8) -> Seed {
        Seed::from_bytes(kind, [byte; 32])
    }

    #[test]
    fn keys_are_added_used_renamed_and_removed() {
        let store = Volatile::new();
        let user = store
            .add(&seed(Kind::User, 1), "one", Flags::default())
            .unwrap();
        assert!(user.verify(b"nonce", &store.sign(&user, b"nonce").unwrap()));
        let info = store.open(&user).unwrap();
        assert!(info.flags.volatile && !info.flags.exportable);
        assert!(matches!(
            store.export(&user),
            Err(StoreError::NotExportable(_))
        ));
        store.rename(&user, "two").unwrap();
        assert_eq!(store.keys()[0].name, "two");
        store.remove(&user).unwrap();
        assert!(matches!(
            store.sign(&user, b"nonce"),
            Err(StoreError::Unknown(_))
        ));
        assert!(matches!(store.remove(&user), Err(StoreError::Unknown(_))));
    }

    #[test]
    fn what_a_store_does_not_take_is_refused() {
        let store = Volatile::new();
        for kind in [Kind::Server, Kind::Cluster] {
            let refused = store.add(&seed(kind, 1), "", Flags::default());
            assert!(matches!(refused, Err(StoreError::Kind(found)) if found == kind));
        }
        for name in ["a\nb", "\u{7f}", "\u{9b}31m", &"x".repeat(256)] {
            let refused = store.add(&seed(Kind::User, 1), name, Flags::default());
            assert!(matches!(refused, Err(StoreError::Name(_))), "{name:?}");
        }
        store
            .add(&seed(Kind::User, 1), &"x".repeat(255), Flags::default())
            .unwrap();
        for kind in [Kind::User, Kind::Account, Kind::Operator] {
            let refused = store.add(&seed(kind, 1), "", Flags::default());
            assert!(
                matches!(refused, Err(StoreError::Exists(found)) if found.kind() == Kind::User)
            );
        }
        for byte in 2..=MAX_KEYS as u8 {
            store
                .add(&seed(Kind::User, byte), "", Flags::default())
                .unwrap();
        }
        let refused = store.add(&seed(Kind::User, 200), "", Flags::default());
        assert!(matches!(refused, Err(StoreError::Unsupported(_))));
    }

    #[test]
    fn locking_removes_all_keys_and_an_exportable_seed_comes_back() {
        let store = Volatile::new();
        let flags = Flags {
            exportable: true,
            ..Flags::default()
        };
        let curve = store.add(&seed(Kind::Curve, 5), "", flags).unwrap();
        let text = store.export(&curve).unwrap();
        assert_eq!(text.reveal(), seed(Kind::Curve, 5).encode().reveal());
        assert!(matches!(
            store.sign(&curve, b"x"),
            Err(StoreError::Unsupported(_))
        ));
        store.lock();
        assert!(store.keys().is_empty());
    }
}
