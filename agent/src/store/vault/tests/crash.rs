//! A process killed, or a disk that fails, before any one of its changes.

use super::steps::with_hook;
use super::*;
use std::cell::Cell;
use std::io;
use std::rc::Rc;

type State = BTreeMap<PublicKey, String>;

/// A change, with the keys and names before and after it.
struct Change {
    run: fn(&Vault) -> Result<(), StoreError>,
    after: State,
}

fn key(byte: u8) -> PublicKey {
    seed(Kind::User, byte).public_key()
}

fn state(keys: &[(u8, &str)]) -> State {
    keys.iter()
        .map(|(byte, name)| (key(*byte), (*name).to_owned()))
        .collect()
}

pub(super) fn before() -> [(u8, &'static str); 2] {
    [(1, "one"), (2, "two")]
}

fn changes() -> [Change; 5] {
    [
        Change {
            run: |vault| {
                let keys = [(seed(Kind::User, 3), "three")];
                vault
                    .add_many(&keys, Flags::default())
                    .into_iter()
                    .try_for_each(|result| result.map(drop))
            },
            after: state(&[(1, "one"), (2, "two"), (3, "three")]),
        },
        Change {
            run: |vault| {
                vault
                    .add(&seed(Kind::User, 3), "three", Flags::default())
                    .map(drop)
            },
            after: state(&[(1, "one"), (2, "two"), (3, "three")]),
        },
        Change {
            run: |vault| vault.rename(&key(1), "new"),
            after: state(&[(1, "new"), (2, "two")]),
        },
        Change {
            run: |vault| vault.rename(&key(1), "one"),
            after: state(&before()),
        },
        Change {
            run: |vault| vault.remove(&key(1)),
            after: state(&[(2, "two")]),
        },
    ]
}

/// Lets `allowed` changes happen; then every further one fails, or only that one.
fn failing(
    allowed: usize,
    for_good: bool,
    kind: io::ErrorKind,
) -> (
    impl FnMut(&str, &super::super::files::Step<'_>) -> io::Result<()>,
    Rc<Cell<bool>>,
) {
    let hit = Rc::new(Cell::new(false));
    let seen = Rc::clone(&hit);
    let mut count = 0;
    let hook = move |_: &str, _: &super::super::files::Step<'_>| {
        count += 1;
        if count == allowed + 1 || (for_good && count > allowed) {
            seen.set(true);
            return Err(kind.into());
        }
        Ok(())
    };
    (hook, hit)
}

#[test]
fn killed_before_any_step_a_change_happened_whole_or_not_at_all() {
    let original = Original::with(&before());
    for change in changes() {
        for step in 0.. {
            let copy = original.copy();
            let vault = original.open(&copy);
            let (hook, hit) = failing(step, true, io::ErrorKind::Other);
            let result = with_hook(hook, || (change.run)(&vault));
            drop(vault);
            let found = used(&original.open(&copy));
            if result.is_ok() {
                assert_eq!(
                    found, change.after,
                    "acknowledged, then killed before step {step}"
                );
            } else {
                assert!(
                    [&state(&before()), &change.after].contains(&&found),
                    "step {step}: {found:?}"
                );
            }
            if !hit.get() {
                assert!(step > 3, "the change made only {step} steps");
                break;
            }
        }
    }
}

#[test]
fn after_a_failed_step_the_running_vault_agrees_with_its_files_and_can_try_again() {
    let original = Original::with(&before());
    for change in changes() {
        for step in 0.. {
            let copy = original.copy();
            let vault = original.open(&copy);
            let (hook, hit) = failing(step, false, io::ErrorKind::StorageFull);
            let result = with_hook(hook, || (change.run)(&vault));
            if hit.get()
                && let Err(error) = &result
            {
                assert!(matches!(error, StoreError::Io(..)), "{error:?}");
            }
            let running = used(&vault);
            drop(vault);
            let vault = original.open(&copy);
            assert_eq!(used(&vault), running, "step {step}");
            if result.is_err() {
                let again = (change.run)(&vault);
                let done = matches!(again, Ok(()) | Err(StoreError::Unknown(_)));
                assert!(
                    done && used(&vault) == change.after,
                    "step {step}: {again:?}"
                );
            }
            if !hit.get() {
                break;
            }
        }
    }
}

#[test]
fn a_rename_that_was_cut_short_ends_at_the_next_use_and_leaves_no_third_file() {
    let original = Original::with(&before());
    for step in 0.. {
        let copy = original.copy();
        let vault = original.open(&copy);
        let (hook, hit) = failing(step, true, io::ErrorKind::Other);
        let _ = with_hook(hook, || vault.rename(&key(1), "new"));
        drop(vault);
        let vault = original.open(&copy);
        let name = vault.open(&key(1)).unwrap().name;
        assert_eq!(vault.find(&key(1)).unwrap().name, name);
        let files = std::fs::read_dir(copy.path().join("vault/keys")).unwrap();
        assert_eq!(files.count(), 4, "step {step}");
        if !hit.get() {
            break;
        }
    }
}

#[test]
fn a_creation_killed_before_any_step_leaves_a_vault_or_none() {
    let folder = Temporary::new();
    for step in 0.. {
        let dir = folder.path().join(step.to_string());
        let (hook, hit) = failing(step, true, io::ErrorKind::Other);
        let created = with_hook(hook, || {
            Vault::create_with_work_factor(&dir, &passphrase(), &mut Person::default(), 1).map(drop)
        });
        if !Vault::exists(&dir).unwrap() {
            assert!(created.is_err());
            drop(create(&dir));
        }
        let vault = Vault::open(&dir).unwrap();
        unlock(&vault).unwrap();
        add(&vault, 1, "one");
        assert_eq!(used(&vault), state(&[(1, "one")]), "step {step}");
        if !hit.get() {
            break;
        }
    }
}
