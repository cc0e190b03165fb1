//! Keys through their life; locking; who may come in.

use super::*;
use crate::store::{Check, State};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::thread;

#[test]
fn a_key_lives_through_lock_and_restart() {
    let folder = Temporary::new();
    let dir = folder.path().join("a/b/vault");
    let vault = create(&dir);
    let flags = Flags {
        is_virtual: false,
        exportable: true,
        any_iat: true,
        volatile: false,
    };
    let user = vault.add(&seed(Kind::User, 1), "ann é", flags).unwrap();
    let account = vault
        .add(&seed(Kind::Account, 2), "", Flags::default())
        .unwrap();
    assert_eq!(used(&vault).len(), 2);
    drop(vault);

    let vault = Vault::open(&dir).unwrap();
    assert_eq!(vault.state(), State::Locked);
    assert_eq!(vault.keys().len(), 2);
    assert_eq!(vault.keys()[0].key, account);
    let listed = vault.find(&user).unwrap();
    assert_eq!((listed.name.as_str(), listed.flags), ("ann é", flags));
    assert!(matches!(vault.sign(&user, b"x"), Err(StoreError::Locked)));
    assert!(matches!(vault.open(&user), Err(StoreError::Locked)));
    assert!(matches!(vault.export(&user), Err(StoreError::Locked)));
    assert!(matches!(vault.rename(&user, "x"), Err(StoreError::Locked)));

    unlock(&vault).unwrap();
    assert_eq!(
        (vault.state(), vault.check()),
        (State::Unlocked, Check::Recomputed)
    );
    assert_eq!(vault.open(&user).unwrap(), listed);
    let exported = vault.export(&user).unwrap();
    assert_eq!(exported.reveal(), seed(Kind::User, 1).encode().reveal());
    assert!(
        matches!(vault.export(&account), Err(StoreError::NotExportable(key)) if key == account)
    );

    vault.rename(&account, "shop").unwrap();
    assert_eq!(used(&vault)[&account], "shop");
    vault.remove(&user).unwrap();
    assert!(matches!(vault.sign(&user, b"x"), Err(StoreError::Unknown(key)) if key == user));
    assert!(matches!(vault.remove(&user), Err(StoreError::Unknown(_))));
    drop(vault);
    let vault = Vault::open(&dir).unwrap();
    unlock(&vault).unwrap();
    assert_eq!(used(&vault), BTreeMap::from([(account, "shop".into())]));
    assert_eq!(std::fs::read_dir(dir.join("keys")).unwrap().count(), 2);
}

#[test]
fn locking_wipes_everything_and_adding_needs_no_identity_afterwards() {
    let folder = Temporary::new();
    let dir = folder.path().join("vault");
    let first = add(&create(&dir), 1, "");
    let vault = Vault::open(&dir).unwrap();
    let early = vault.add(&seed(Kind::User, 2), "", Flags::default());
    assert!(matches!(early, Err(StoreError::Locked)));
    assert!(
        !dir.join("keys")
            .join(format!("{}.json", seed(Kind::User, 2).public_key()))
            .exists()
    );
    unlock(&vault).unwrap();
    vault.sign(&first, b"x").unwrap();
    assert_eq!(vault.read().as_ref().unwrap().held.len(), 1);
    vault.lock();
    assert!(vault.read().is_none());
    assert!(matches!(vault.sign(&first, b"x"), Err(StoreError::Locked)));
    // The recipient is not read again: a file exchanged meanwhile decides nothing.
    std::fs::write(
        dir.join("recipient.txt"),
        Identity::generate().to_public().to_string(),
    )
    .unwrap();
    let second = add(&vault, 2, "");
    assert_eq!(vault.state(), State::Locked);
    unlock(&vault).unwrap();
    assert!(second.verify(b"x", &vault.sign(&second, b"x").unwrap()));
}

#[test]
fn an_unlock_that_a_lock_overtook_leaves_the_vault_locked() {
    struct Overtaken<'a>(&'a Vault);
    impl Prompt for Overtaken<'_> {
        fn message(&mut self, _: &str) {}
        fn secret(&mut self, _: &str) -> Option<Zeroizing<String>> {
            self.0.lock();
            Some(Zeroizing::new(PASSPHRASE.to_owned()))
        }
        fn public(&mut self, _: &str) -> Option<String> {
            None
        }
        fn confirm(&mut self, _: &str) -> Option<bool> {
            None
        }
    }
    let folder = Temporary::new();
    let vault = create(folder.path());
    vault.lock();
    assert!(matches!(
        vault.unlock(&mut Overtaken(&vault)),
        Err(StoreError::Locked)
    ));
    assert_eq!(vault.state(), State::Locked);
    unlock(&vault).unwrap();
    assert_eq!(vault.state(), State::Unlocked);
}

#[test]
fn wrong_and_missing_passphrases_are_told_apart() {
    let folder = Temporary::new();
    let vault = create(folder.path());
    vault.lock();
    let mut wrong = Person::knowing("incorrect");
    assert!(matches!(
        vault.unlock(&mut wrong),
        Err(StoreError::WrongPassphrase)
    ));
    assert!(wrong.asked[0].contains(&folder.path().display().to_string()));
    let mut gone = Person::default();
    assert!(matches!(
        vault.unlock(&mut gone),
        Err(StoreError::Cancelled)
    ));
    assert_eq!(vault.state(), State::Locked);
    let empty = Sealing::Passphrase(Zeroizing::new(String::new()));
    let dir = folder.path().join("other");
    let refused = Vault::create_with_work_factor(&dir, &empty, &mut gone, 1).unwrap_err();
    assert!(refused.to_string().contains("passphrase is empty"));
    assert!(!Vault::exists(&dir).unwrap());
}

#[test]
fn what_a_vault_does_not_take_is_refused() {
    let folder = Temporary::new();
    let vault = create(folder.path());
    let add = |kind, byte, name: &str| vault.add(&seed(kind, byte), name, Flags::default());
    assert!(matches!(
        add(Kind::Server, 1, ""),
        Err(StoreError::Kind(Kind::Server))
    ));
    assert!(matches!(
        add(Kind::Cluster, 1, ""),
        Err(StoreError::Kind(Kind::Cluster))
    ));
    assert!(matches!(add(Kind::User, 0, ""), Err(StoreError::Seed(_))));
    assert!(matches!(
        add(Kind::User, 1, "a\u{1b}[2J"),
        Err(StoreError::Name(_))
    ));
    assert!(matches!(
        add(Kind::User, 1, &"é".repeat(128)),
        Err(StoreError::Name(_))
    ));
    let widest = "\"".repeat(255);
    let user = add(Kind::User, 1, &widest).unwrap();
    assert_eq!(vault.open(&user).unwrap().name, widest);
    assert!(matches!(
        vault.rename(&user, "\n"),
        Err(StoreError::Name(_))
    ));
    for kind in [Kind::User, Kind::Account, Kind::Operator] {
        assert!(matches!(add(kind, 1, ""), Err(StoreError::Exists(found)) if found == user));
    }
    let curve = add(Kind::Curve, 9, "").unwrap();
    assert!(matches!(
        vault.sign(&curve, b"x"),
        Err(StoreError::Unsupported(_))
    ));
    assert!(matches!(
        vault.export(&curve),
        Err(StoreError::NotExportable(_))
    ));
    let stranger = seed(Kind::User, 77).public_key();
    assert!(matches!(vault.open(&stranger), Err(StoreError::Unknown(_))));
    assert!(matches!(
        vault.rename(&stranger, ""),
        Err(StoreError::Unknown(_))
    ));
}

#[test]
fn files_are_for_the_owner_alone_and_a_lax_folder_is_refused() {
    let folder = Temporary::new();
    let dir = folder.path().join("vault");
    let vault = create(&dir);
    let key = add(&vault, 1, "x");
    vault.rename(&key, "y").unwrap();
    drop(vault);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let mut seen = BTreeSet::new();
    for sub in [dir.clone(), dir.join("keys")] {
        assert_eq!(mode(&sub), 0o700);
        for entry in std::fs::read_dir(&sub).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                assert_eq!(mode(&entry.path()), 0o600, "{:?}", entry.path());
                seen.insert(entry.file_name().into_string().unwrap());
            }
        }
    }
    let files = [
        "identity.age",
        "recipient.txt",
        "lock",
        &format!("{key}.age"),
        &format!("{key}.json"),
    ];
    assert_eq!(seen, files.map(str::to_owned).into_iter().collect());
    for lax in [dir.join("keys"), dir.clone()] {
        std::fs::set_permissions(&lax, std::fs::Permissions::from_mode(0o750)).unwrap();
        let error = Vault::open(&dir).unwrap_err().to_string();
        assert!(
            error.contains(&format!("chmod 700 {}", lax.display())),
            "{error}"
        );
    }
}

#[test]
fn a_second_agent_is_refused_and_told_who_has_the_vault() {
    let folder = Temporary::new();
    let vault = create(folder.path());
    let error = Vault::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::InUse(_, Some(pid)) if pid == std::process::id()));
    assert!(
        error
            .to_string()
            .contains(&format!("process {}", std::process::id()))
    );
    drop(vault);
    Vault::open(folder.path()).unwrap();
}

#[test]
fn only_an_empty_folder_becomes_a_vault() {
    let folder = Temporary::new();
    let again = |dir: &Path| {
        Vault::create_with_work_factor(dir, &passphrase(), &mut Person::default(), 1)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    assert!(!Vault::exists(&folder.path().join("absent")).unwrap());
    assert!(!Vault::exists(folder.path()).unwrap());
    let error = Vault::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("is not a vault"), "{error}");
    std::fs::write(folder.path().join("letter.txt"), "dear").unwrap();
    assert!(
        again(folder.path())
            .unwrap_err()
            .contains("not an empty folder")
    );
    std::fs::remove_file(folder.path().join("letter.txt")).unwrap();
    again(folder.path()).unwrap();
    assert!(Vault::exists(folder.path()).unwrap());
    assert!(
        again(folder.path())
            .unwrap_err()
            .contains("a vault already")
    );

    add(
        &Vault::open(folder.path())
            .and_then(|vault| unlock(&vault).map(|()| vault))
            .unwrap(),
        1,
        "",
    );
    std::fs::remove_file(folder.path().join("identity.age")).unwrap();
    for error in [
        again(folder.path()).unwrap_err(),
        Vault::open(folder.path()).unwrap_err().to_string(),
        Vault::exists(folder.path()).unwrap_err().to_string(),
    ] {
        assert!(
            error.contains("holds keys but identity.age is missing"),
            "{error}"
        );
    }
}

#[test]
fn many_threads_sign_while_keys_come_and_go() {
    let folder = Temporary::new();
    let vault = create(folder.path());
    let keys: Vec<PublicKey> = (1..=4).map(|byte| add(&vault, byte, "")).collect();
    vault.lock();
    unlock(&vault).unwrap();
    thread::scope(|scope| {
        for part in 0..4 {
            let (vault, keys) = (&vault, &keys);
            scope.spawn(move || {
                for round in 0..50 {
                    let key = keys[(part + round) % keys.len()];
                    let signature = vault.sign(&key, b"nonce").unwrap();
                    assert!(key.verify(b"nonce", &signature));
                }
            });
        }
        for byte in 10..20 {
            let key = add(&vault, byte, "");
            vault.rename(&key, "b").unwrap();
            vault.remove(&key).unwrap();
        }
    });
    assert_eq!(used(&vault).len(), 4);
}

#[test]
fn nothing_secret_is_in_debug_texts_or_files() {
    let folder = Temporary::new();
    let vault = create(folder.path());
    let key = add(&vault, 7, "visible");
    let text = seed(Kind::User, 7).encode();
    let identity = seal::line(&seal::kept(&vault.read().as_ref().unwrap().identity).unwrap());
    let mut shown = format!("{vault:?}");
    for error in [
        vault.export(&key).map(drop).unwrap_err(),
        vault
            .add(&seed(Kind::User, 7), "", Flags::default())
            .map(drop)
            .unwrap_err(),
        vault
            .add(&seed(Kind::Server, 7), "", Flags::default())
            .map(drop)
            .unwrap_err(),
        vault
            .unlock(&mut Person::knowing("wrong"))
            .err()
            .unwrap_or(StoreError::Locked),
    ] {
        shown.push_str(&format!("{error} {error:?}"));
    }
    let public = folder.path().join("keys").join(format!("{key}.json"));
    let public = std::fs::read_to_string(public).unwrap();
    assert_eq!(
        public,
        "{\"name\":\"visible\",\"any_iat\":false,\"exportable\":false}\n"
    );
    shown.push_str(&public);
    for secret in [text.reveal(), identity.trim_end(), PASSPHRASE] {
        assert!(!shown.contains(secret));
    }
}
