//! A power cut: what was not synced may be lost, each change to a folder by itself.

use super::crash::before;
use super::steps::with_hook;
use super::*;
use crate::store::vault::files::Step;
use std::cell::RefCell;
use std::os::unix::fs::PermissionsExt;
use std::rc::Rc;

/// A file's content, and whether it was synced.
#[derive(Clone, Default)]
struct Node {
    bytes: Vec<u8>,
    synced: bool,
}

/// The folder of keys as a disk may hold it.
#[derive(Clone, Default)]
struct Disk {
    nodes: Vec<Node>,
    live: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
    pending: Vec<Pending>,
}

#[derive(Clone)]
enum Pending {
    Link(String, usize),
    Rename(String, String),
    Unlink(String),
}

fn apply(names: &mut BTreeMap<String, usize>, change: &Pending) {
    match change {
        Pending::Link(name, node) => {
            names.insert(name.clone(), *node);
        }
        Pending::Rename(from, to) => {
            if let Some(node) = names.remove(from) {
                names.insert(to.clone(), node);
            }
        }
        Pending::Unlink(name) => {
            names.remove(name);
        }
    }
}

impl Disk {
    fn read(dir: &Path) -> Disk {
        let mut disk = Disk::default();
        for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            disk.live.insert(name.clone(), disk.nodes.len());
            disk.durable.insert(name, disk.nodes.len());
            disk.nodes.push(Node {
                bytes: std::fs::read(entry.path()).unwrap(),
                synced: true,
            });
        }
        disk
    }

    fn take(&mut self, step: &Step<'_>) {
        let change = match step {
            Step::Create(name) => {
                self.nodes.push(Node::default());
                Pending::Link((*name).into(), self.nodes.len() - 1)
            }
            Step::Write(name, bytes) => {
                self.nodes[self.live[*name]].bytes = bytes.to_vec();
                return;
            }
            Step::Sync(name) => {
                self.nodes[self.live[*name]].synced = true;
                return;
            }
            Step::SyncAll => {
                for node in self.live.values() {
                    self.nodes[*node].synced = true;
                }
                self.pending.clear();
                self.durable = self.live.clone();
                return;
            }
            Step::Rename(from, to) => Pending::Rename((*from).into(), (*to).into()),
            Step::Remove(name) => Pending::Unlink((*name).into()),
            Step::SyncFolder => {
                self.pending.clear();
                self.durable = self.live.clone();
                return;
            }
            Step::Mkdir(name) => panic!("no change makes the folder {name}"),
        };
        apply(&mut self.live, &change);
        self.pending.push(change);
    }

    /// Every content that the folder may have after a power cut now.
    fn possible(&self) -> Vec<BTreeMap<String, Vec<u8>>> {
        let mut all = Vec::new();
        assert!(self.pending.len() < 8, "too much is left to chance");
        for choice in 0..1_u32 << self.pending.len() {
            let mut names = self.durable.clone();
            for (at, change) in self.pending.iter().enumerate() {
                if choice & 1 << at != 0 {
                    apply(&mut names, change);
                }
            }
            for kept in [0, 1] {
                let content = |node: &usize| {
                    let Node { bytes, synced } = &self.nodes[*node];
                    bytes[..if *synced {
                        bytes.len()
                    } else {
                        bytes.len() / 2 * kept
                    }]
                        .to_vec()
                };
                all.push(
                    names
                        .iter()
                        .map(|(name, node)| (name.clone(), content(node)))
                        .collect(),
                );
            }
        }
        all
    }
}

fn restore(dir: &Path, content: &BTreeMap<String, Vec<u8>>) {
    std::fs::remove_dir_all(dir).unwrap();
    std::fs::create_dir(dir).unwrap();
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).unwrap();
    for (name, bytes) in content {
        std::fs::write(dir.join(name), bytes).unwrap();
    }
}

/// Makes `change` and cuts the power after each of its steps, in every way.
fn cut(change: impl Fn(&Vault), after: &BTreeMap<PublicKey, String>) {
    cut_among(change, after, &[]);
}

/// The same, where until the change is acknowledged the vault may also be as in `between`.
fn cut_among(
    change: impl Fn(&Vault),
    after: &BTreeMap<PublicKey, String>,
    between: &[BTreeMap<PublicKey, String>],
) {
    let original = Original::with(&before());
    let copy = original.copy();
    let keys = copy.path().join("vault/keys");
    let disk = Rc::new(RefCell::new(Disk::read(&keys)));
    let cuts = Rc::new(RefCell::new(vec![disk.borrow().possible()]));
    let vault = original.open(&copy);
    let old = used(&vault);
    let (model, seen) = (Rc::clone(&disk), Rc::clone(&cuts));
    with_hook(
        move |_, step| {
            model.borrow_mut().take(step);
            seen.borrow_mut().push(model.borrow().possible());
            Ok(())
        },
        || change(&vault),
    );
    drop(vault);
    let cuts = cuts.borrow();
    assert!(cuts.len() > 4);
    for (step, possible) in cuts.iter().enumerate() {
        for content in possible {
            restore(&keys, content);
            let found = used(&original.open(&copy));
            let allowed = found == *after || found == old || between.contains(&found);
            assert!(allowed, "step {step}: {found:?} from {:?}", content.keys());
        }
    }
    // The change is acknowledged now: whatever was left unsynced must not undo it.
    for content in disk.borrow().possible() {
        restore(&keys, &content);
        assert_eq!(used(&original.open(&copy)), *after);
    }
}

fn names(keys: &[(u8, &str)]) -> BTreeMap<PublicKey, String> {
    keys.iter()
        .map(|(byte, name)| (seed(Kind::User, *byte).public_key(), (*name).to_owned()))
        .collect()
}

#[test]
fn an_added_key_survives() {
    let after = names(&[(1, "one"), (2, "two"), (3, "three")]);
    let change = |vault: &Vault| {
        add(vault, 3, "three");
    };
    cut(change, &after);
}

#[test]
fn keys_that_are_added_together_survive_and_none_is_half_there() {
    let added = [(3, "three"), (4, "four")];
    let after = names(&[&[(1, "one"), (2, "two")], &added[..]].concat());
    let change = |vault: &Vault| {
        let keys = added.map(|(byte, name)| (seed(Kind::User, byte), name));
        for result in vault.add_many(&keys, Flags::default()) {
            result.unwrap();
        }
    };
    // Before all are acknowledged, some of them may be there, each of them whole.
    let some = [&added[..1], &added[1..]];
    let some = some.map(|some| names(&[&[(1, "one"), (2, "two")], some].concat()));
    cut_among(change, &after, &some);
}

#[test]
fn a_new_name_survives() {
    let key = seed(Kind::User, 1).public_key();
    cut(
        |vault| vault.rename(&key, "new").unwrap(),
        &names(&[(1, "new"), (2, "two")]),
    );
}

#[test]
fn a_removed_key_stays_removed() {
    let key = seed(Kind::User, 1).public_key();
    cut(|vault| vault.remove(&key).unwrap(), &names(&[(2, "two")]));
}
