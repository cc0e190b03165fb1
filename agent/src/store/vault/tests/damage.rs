//! Files that somebody or something changed: a named error, never a wrong key.

use super::*;
use age::secrecy::SecretString;

fn write(dir: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(dir.join(name), bytes).unwrap();
}

/// Every file with each of its bytes changed in turn, and cut off at each length.
fn damaged(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let flipped = (0..bytes.len()).map(move |at| {
        let mut copy = bytes.to_vec();
        copy[at] ^= 1 << (at % 8);
        copy
    });
    let cut = (0..bytes.len()).map(move |at| bytes[..at].to_vec());
    let longer = [bytes, b"\n"].concat();
    flipped.chain(cut).chain([longer])
}

#[test]
fn a_damaged_sealed_half_is_refused_at_every_byte() {
    let original = Original::with(&[(1, "one"), (2, "two")]);
    let copy = original.copy();
    let dir = copy.path().join("vault");
    let [one, two] = [1, 2].map(|byte| seed(Kind::User, byte).public_key());
    let name = format!("keys/{one}.age");
    let good = std::fs::read(dir.join(&name)).unwrap();
    let vault = original.open(&copy);
    for bad in damaged(&good) {
        write(&dir, &name, &bad);
        match vault.open(&one) {
            Err(StoreError::Damaged(path, why)) => {
                assert!(
                    path.ends_with(&name) && why.contains("backup"),
                    "{path}: {why}"
                );
            }
            other => panic!("{other:?} for {bad:?}"),
        }
        assert!(matches!(
            vault.rename(&one, "x"),
            Err(StoreError::Damaged(..))
        ));
    }
    write(&dir, &name, &vec![0; 100_000]);
    assert!(
        vault
            .open(&one)
            .unwrap_err()
            .to_string()
            .contains("too long")
    );
    std::fs::remove_file(dir.join(&name)).unwrap();
    assert!(
        vault
            .open(&one)
            .unwrap_err()
            .to_string()
            .contains("missing")
    );
    std::os::unix::fs::symlink("/dev/zero", dir.join(&name)).unwrap();
    assert!(
        vault
            .open(&one)
            .unwrap_err()
            .to_string()
            .contains("symbolic link")
    );
    vault.open(&two).unwrap();
}

#[test]
fn a_changed_public_half_refuses_that_key_alone() {
    let original = Original::with(&[(1, "one"), (2, "two")]);
    let copy = original.copy();
    let dir = copy.path().join("vault");
    let [one, two] = [1, 2].map(|byte| seed(Kind::User, byte).public_key());
    let name = format!("keys/{one}.json");
    let good = std::fs::read(dir.join(&name)).unwrap();
    let open = || {
        let vault = original.open(&copy);
        vault.open(&two).unwrap();
        assert_eq!(vault.keys().len(), 2);
        vault.open(&one)
    };
    for bad in damaged(&good) {
        write(&dir, &name, &bad);
        match open() {
            Err(StoreError::Damaged(path, _)) => assert!(path.ends_with(&name), "{path}"),
            // White space at the end changes no value.
            Ok(info) => {
                assert!(bad.trim_ascii_end() == good.trim_ascii_end() && info.name == "one")
            }
            other => panic!("{other:?}"),
        }
    }
    for (marks, why) in [
        (
            r#"{"name":"one","any_iat":false,"exportable":true}"#,
            "differs from what is sealed",
        ),
        (
            r#"{"name":"one","any_iat":true,"exportable":false}"#,
            "differs from what is sealed",
        ),
        (
            r#"{"name":"two","any_iat":false,"exportable":false}"#,
            "differs from what is sealed",
        ),
        (
            r#"{"name":"one","any_iat":false,"exportable":false,"x":1}"#,
            "not the public half",
        ),
        (
            r#"{"name":"one","any_iat":false,"any_iat":false,"exportable":false}"#,
            "not the public half",
        ),
        (
            r#"{"name":"\u001b[2J","any_iat":false,"exportable":false}"#,
            "control character",
        ),
    ] {
        write(&dir, &name, marks.as_bytes());
        let error = open().unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    // A missing one is written anew, from what is sealed.
    std::fs::remove_file(dir.join(&name)).unwrap();
    assert_eq!(open().unwrap().name, "one");
    assert_eq!(std::fs::read(dir.join(&name)).unwrap(), good);
}

#[test]
fn a_sealed_half_under_another_name_is_refused() {
    let original = Original::with(&[(1, "same"), (2, "same")]);
    let copy = original.copy();
    let dir = copy.path().join("vault/keys");
    let [one, two] = [1, 2].map(|byte| seed(Kind::User, byte).public_key());
    std::fs::copy(
        dir.join(format!("{one}.age")),
        dir.join(format!("{two}.age")),
    )
    .unwrap();
    let account = PublicKey::from_bytes(Kind::Account, *one.as_bytes());
    let vault = original.open(&copy);
    let error = vault.open(&two).unwrap_err().to_string();
    assert!(error.contains("another key than its name says"), "{error}");
    drop(vault);
    for ending in ["age", "json"] {
        std::fs::copy(
            dir.join(format!("{one}.{ending}")),
            dir.join(format!("{account}.{ending}")),
        )
        .unwrap();
    }
    let vault = original.open(&copy);
    for key in [one, account] {
        let error = vault.open(&key).unwrap_err().to_string();
        assert!(error.contains("under another kind"), "{error}");
    }
}

#[test]
fn a_damaged_identity_never_unlocks() {
    let folder = Temporary::new();
    let dir = folder.path().join("vault");
    let vault = create(&dir);
    vault.lock();
    let good = std::fs::read(dir.join("identity.age")).unwrap();
    // Each try costs age a calibration of scrypt, so not every byte.
    for bad in damaged(&good).step_by(3) {
        write(&dir, "identity.age", &bad);
        match unlock(&vault) {
            Err(StoreError::WrongPassphrase) => {}
            Err(StoreError::Damaged(path, _)) => assert!(path.ends_with("identity.age")),
            other => panic!("{other:?}"),
        }
    }
    std::fs::remove_file(dir.join("identity.age")).unwrap();
    assert!(unlock(&vault).unwrap_err().to_string().contains("missing"));
    write(&dir, "identity.age", &good);
    unlock(&vault).unwrap();
}

#[test]
fn a_work_factor_over_20_is_refused_before_any_work() {
    let folder = Temporary::new();
    let vault = create(folder.path());
    vault.lock();
    let good = std::fs::read(folder.path().join("identity.age")).unwrap();
    let text = String::from_utf8_lossy(&good[..80]).into_owned();
    let head = text.lines().nth(1).unwrap();
    let factor = head.rsplit(' ').next().unwrap();
    assert_eq!(factor, "1");
    for required in [21, 22, 63] {
        let line = format!("{} {required}\n", head.strip_suffix(" 1").unwrap());
        let rest = good.iter().position(|byte| *byte == b'\n').unwrap() + 1 + head.len() + 1;
        let bytes = [
            &good[..good.iter().position(|byte| *byte == b'\n').unwrap() + 1],
            line.as_bytes(),
            &good[rest..],
        ];
        write(folder.path(), "identity.age", &bytes.concat());
        let error = unlock(&vault).unwrap_err().to_string();
        assert!(
            error.contains(&format!("work factor {required}, at most 20")),
            "{error}"
        );
    }
}

#[test]
fn the_product_seals_with_work_factor_18() {
    assert_eq!(seal::WORK_FACTOR, 18);
    let identity = Identity::generate();
    let sealed = seal::seal_with_passphrase(&identity, PASSPHRASE, 2).unwrap();
    assert!(
        String::from_utf8_lossy(&sealed)
            .lines()
            .nth(1)
            .unwrap()
            .ends_with(" 2")
    );
}

#[test]
fn an_identity_file_with_something_else_inside_is_refused() {
    let folder = Temporary::new();
    let vault = create(folder.path());
    vault.lock();
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(PASSPHRASE));
    recipient.set_work_factor(1);
    for content in ["", "AGE-SECRET-KEY-1", "age1abc", &"x".repeat(9000)] {
        let sealed = age::encrypt(&recipient, content.as_bytes()).unwrap();
        write(folder.path(), "identity.age", &sealed);
        assert!(matches!(unlock(&vault), Err(StoreError::Damaged(..))));
    }
    let other = age::encrypt(&Identity::generate().to_public(), b"x").unwrap();
    write(folder.path(), "identity.age", &other);
    assert!(matches!(unlock(&vault), Err(StoreError::WrongPassphrase)));
}

#[test]
fn an_exchanged_recipient_is_a_loud_error() {
    let original = Original::with(&[(1, "one")]);
    let copy = original.copy();
    let dir = copy.path().join("vault");
    let theirs = Identity::generate().to_public();
    write(&dir, "recipient.txt", format!("{theirs}\n").as_bytes());
    let vault = Vault::open(&dir).unwrap();
    let error = unlock(&vault).unwrap_err();
    assert!(matches!(&error, StoreError::Damaged(path, _) if path.ends_with("recipient.txt")));
    assert!(error.to_string().contains("Somebody exchanged"), "{error}");
    assert!(matches!(
        vault.sign(&vault.keys()[0].key, b"x"),
        Err(StoreError::Locked)
    ));
    let added = vault.add(&seed(Kind::User, 2), "", Flags::default());
    assert!(matches!(added, Err(StoreError::Locked)));
    for text in ["", "age1", "age1\n", &format!("{theirs}\n\n")] {
        write(&dir, "recipient.txt", text.as_bytes());
        assert!(
            matches!(unlock(&vault), Err(StoreError::Damaged(..))),
            "{text:?}"
        );
    }
}

#[test]
fn an_exchanged_identity_is_noticed_after_the_first_unlock() {
    let folder = Temporary::new();
    let [ours, theirs] = ["ours", "theirs"].map(|name| folder.path().join(name));
    let vault = create(&ours);
    drop(create(&theirs));
    vault.lock();
    for file in ["identity.age", "recipient.txt"] {
        std::fs::copy(theirs.join(file), ours.join(file)).unwrap();
    }
    let error = unlock(&vault).unwrap_err().to_string();
    assert!(error.contains("Somebody exchanged"), "{error}");
}

#[test]
fn strangers_in_the_folder_of_keys_are_left_alone() {
    let original = Original::with(&[(1, "one")]);
    let copy = original.copy();
    let dir = copy.path().join("vault/keys");
    let server = seed(Kind::User, 3).public_key();
    for name in ["notes.txt", "notes.json", ".hidden", "UAAA.age"] {
        std::fs::write(dir.join(name), "x").unwrap();
    }
    std::fs::write(dir.join(format!("{server}.json")), "x").unwrap();
    std::fs::write(dir.join(format!(".{server}.json.next")), "x").unwrap();
    std::fs::write(dir.join(".x.tmp"), "x").unwrap();
    assert_eq!(used(&original.open(&copy)).len(), 1);
    let mut left: Vec<String> = std::fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.len() < 20)
        .collect();
    left.sort();
    assert_eq!(left, [".hidden", "UAAA.age", "notes.json", "notes.txt"]);
    assert!(!dir.join(format!("{server}.json")).exists());
    assert!(!dir.join(format!(".{server}.json.next")).exists());
}
