//! Disks that are full or must not be written.

use super::*;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use std::os::unix::fs::PermissionsExt;

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_full_disk_is_a_clear_error_and_nothing_is_lost() {
    let long = "n".repeat(255);
    if let Some(dir) = child::folder() {
        let vault = Vault::open(&dir).unwrap();
        unlock(&vault).unwrap();
        let before = used(&vault);
        let limit = Rlimit {
            current: Some(400),
            maximum: Some(400),
        };
        setrlimit(Resource::Fsize, limit).unwrap();
        let key = *before.keys().next().unwrap();
        for error in [
            vault
                .add(&seed(Kind::User, 9), &long, Flags::default())
                .map(drop)
                .unwrap_err(),
            vault.rename(&key, &long).unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(matches!(error, StoreError::Io(..)), "{text}");
            assert!(
                text.contains("cannot write") && text.contains(".age: File too large"),
                "{text}"
            );
        }
        assert_eq!(used(&vault), before);
        return;
    }
    let original = Original::with(&[(1, "one"), (2, "two")]);
    let copy = original.copy();
    let dir = copy.path().join("vault");
    let before = names(&dir.join("keys"));
    let listed = used(&original.open(&copy));
    let name = "a_full_disk_is_a_clear_error_and_nothing_is_lost";
    let output = child::command(module_path!(), name, &dir).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let vault = original.open(&copy);
    assert_eq!(used(&vault), listed);
    assert_eq!(names(&dir.join("keys")), before);
    add(&vault, 9, &long);
}

/// Makes permissions bind this thread even if it belongs to root; undone when dropped.
struct Bound(rustix::thread::CapabilitySets);

impl Bound {
    fn new() -> Bound {
        let before = capabilities(None).unwrap();
        let mut less = before;
        less.effective
            .remove(CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH);
        set_capabilities(None, less).unwrap();
        Bound(before)
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        set_capabilities(None, self.0).unwrap();
    }
}

#[test]
fn a_read_only_folder_is_a_clear_error_and_its_keys_sign() {
    let original = Original::with(&[(1, "one"), (2, "two")]);
    let copy = original.copy();
    let dir = copy.path().join("vault");
    let key = seed(Kind::User, 1).public_key();
    let before = names(&dir.join("keys"));
    let listed = used(&original.open(&copy));
    let mode = |mode| {
        for folder in [dir.join("keys"), dir.clone()] {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    mode(0o500);
    {
        let _bound = Bound::new();
        let vault = original.open(&copy);
        for error in [
            vault
                .add(&seed(Kind::User, 9), "", Flags::default())
                .map(drop)
                .unwrap_err(),
            vault.rename(&key, "x").unwrap_err(),
            vault.remove(&key).unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(
                text.contains("cannot") && text.contains("Permission denied"),
                "{text}"
            );
        }
        assert_eq!(used(&vault), listed);
        let other = dir.join("keys/new");
        let error = Vault::create(&other, &passphrase(), &mut Person::default()).unwrap_err();
        assert!(error.to_string().contains("cannot make"), "{error}");
    }
    mode(0o700);
    assert_eq!(names(&dir.join("keys")), before);
    let vault = original.open(&copy);
    vault.rename(&key, "three").unwrap();
    assert_eq!(used(&vault)[&key], "three");
}

#[test]
fn a_public_half_that_cannot_be_read_stops_its_key_alone() {
    let original = Original::with(&[(1, "one"), (2, "two")]);
    let copy = original.copy();
    let [one, two] = [1, 2].map(|byte| seed(Kind::User, byte).public_key());
    let public = copy.path().join(format!("vault/keys/{one}.json"));
    std::fs::set_permissions(public, std::fs::Permissions::from_mode(0o000)).unwrap();
    let _bound = Bound::new();
    let vault = original.open(&copy);
    let error = vault.open(&one).unwrap_err().to_string();
    assert!(error.contains("Permission denied"), "{error}");
    assert_eq!(vault.open(&two).unwrap().name, "two");
}
