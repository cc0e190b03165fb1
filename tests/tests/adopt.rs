//! Bringing an existing nsc set-up home, and taking turns with nsc before and after.

use nkey_tests::{Demo, Output, command, fixture, run, skipped, tool};
use std::fs;
use std::path::{Path, PathBuf};

/// A copy of the set-up that nsc wrote: `D/stores`, `D/keys`, and an agent with an empty vault.
struct Home {
    demo: Demo,
}

const PLACES: &str = "--config-dir D --data-dir D/stores --keystore-dir D/keys";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("to copy");
        }
    }
}

impl Home {
    fn new() -> Home {
        let home = Home {
            demo: Demo::empty(),
        };
        copy(&fixture("nsc-store"), &home.dir());
        home
    }

    fn dir(&self) -> PathBuf {
        self.demo.path("D")
    }

    fn command(&self, arguments: &str) -> std::process::Command {
        self.demo
            .agent
            .nkey(self.demo.home.path(), &format!("{PLACES} {arguments}"))
    }

    #[track_caller]
    fn run(&self, arguments: &str) -> Output {
        run(&mut self.command(arguments), "")
    }

    #[track_caller]
    fn nsc(&self, arguments: &str) -> Output {
        let mut nsc = command(tool("nsc"));
        nsc.env("HOME", self.demo.home.path())
            .env("NSC_NO_GIT_IGNORE", "true");
        nsc.current_dir(self.demo.home.path());
        run(
            nsc.args(PLACES.split(' '))
                .args(arguments.split_whitespace()),
            "",
        )
    }

    fn seeds(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut left = vec![self.dir().join("keys")];
        while let Some(dir) = left.pop() {
            for entry in fs::read_dir(dir).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    left.push(path);
                } else {
                    found.push(path);
                }
            }
        }
        found.sort();
        found
    }

    fn held(&self) -> usize {
        self.demo.agent.client().list().expect("the keys").len()
    }
}

#[test]
fn seeds_come_home_are_proved_and_only_then_deleted() {
    let home = Home::new();
    let before = home.seeds();
    assert_eq!(before.len(), 27);
    let listed = home.run("adopt").ok();
    assert!(
        listed.contains("account demoop/demoJS (signing key, role service)")
            && listed.contains("(authorization)"),
        "{listed}"
    );
    assert_eq!(home.held(), 0);
    home.run("adopt --remove").fails(2);

    // Chosen ones first.
    let some = home.run("adopt --operator").ok();
    assert_eq!(some.matches("imported, proved").count(), 2, "{some}");
    assert_eq!((home.held(), home.seeds()), (2, before.clone()));

    let all = home.run("adopt -A --remove").ok();
    assert_eq!(all.matches("already there, proved").count(), 2, "{all}");
    assert_eq!(all.matches("imported, proved").count(), 19, "{all}");
    // Every file is named before the first one goes.
    for path in &before {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        assert!(all.contains(name), "{name} is not named");
    }
    let proofs = all.rfind("proved").expect("a proof");
    assert!(proofs < all.find("delete ").expect("a deletion"));
    assert_eq!(home.seeds(), Vec::<PathBuf>::new());
    assert_eq!(home.held(), 21);
    home.run("validate -A").ok();
    assert!(home.run("adopt -A --remove").ok().is_empty());

    // The agent signs for the store now.
    home.run("add account -n new").ok();
    home.run("add user -a demoJS -n u2").ok();
    home.run("validate -A").ok();
    if !skipped("nsc") {
        for arguments in [
            "list accounts",
            "list users -a demoJS",
            "list keys -A",
            "describe operator",
            "describe account -n demoJS",
            "describe account -n new",
            "describe user -a demoJS -n u2",
            "validate --all-accounts",
        ] {
            home.nsc(arguments).ok();
        }
        assert_ne!(home.nsc("add user -a demoJS -n u3").status, 0);
    }
}

#[test]
fn killed_at_any_moment_nothing_is_lost_and_it_can_be_run_again() {
    let home = Home::new();
    let all = 21;
    for milliseconds in (0..).map(|round| 5 + round * 17) {
        let mut child = home
            .command("adopt -A --remove")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("nkey");
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        let _ = child.kill();
        let ended = child.wait().expect("its end");
        // Each seed is in the agent or still in a file.
        let held: Vec<String> = home
            .demo
            .agent
            .client()
            .list()
            .expect("the keys")
            .iter()
            .map(|info| info.key.to_string())
            .collect();
        let names: Vec<String> = home
            .seeds()
            .iter()
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        let there = held
            .iter()
            .chain(
                names
                    .iter()
                    .filter(|name| name.len() == 56 && !held.contains(name)),
            )
            .count();
        assert_eq!(there, all, "after {milliseconds} ms");
        if ended.success() {
            break;
        }
    }
    home.run("adopt -A --remove").ok();
    assert_eq!((home.held(), home.seeds().len()), (all, 0));
}

#[test]
fn what_does_not_fit_is_told_and_stays() {
    let home = Home::new();
    let keys = home.dir().join("keys/keys");
    let user = fs::read_dir(keys.join("U")).expect("shards").next();
    let shard = user.expect("a shard").expect("an entry").path();
    let file = fs::read_dir(&shard)
        .expect("a shard")
        .next()
        .expect("a file")
        .expect("it")
        .path();
    // A file named as another key, a damaged one, and creds whose JWT is not in the store.
    let seed = fs::read_to_string(&file).expect("a seed");
    let other = shard.join("UB4XF6FTSOW5YSHQSUM3IAZD3Q3QAHBWAS27FWSBPW4AR4Y5DXWMI4RX.nk");
    fs::write(&other, "SUAbroken").expect("to write");
    let wrong = keys.join("O/A2/OCSI3BMQ4HPHQK2CNOM6CLSYTJ3CUXUUTKNK7I5XQEC47HFCNFSB2UBU.nk");
    fs::write(&wrong, &seed).expect("to write");
    fs::remove_file(
        home.dir()
            .join("stores/demoop/accounts/demoJS/users/plain.jwt"),
    )
    .expect("to remove it");
    let adopted = home.run("adopt -A --remove");
    assert!(
        adopted.stderr.contains("a seed is damaged")
            && adopted.stderr.contains("holds the seed of U"),
        "{}",
        adopted.stderr
    );
    assert!(
        adopted.stderr.contains("plain.creds stays")
            && adopted.stderr.contains("nkey import user -f"),
        "{}",
        adopted.stderr
    );
    adopted.fails(1);
    let left: Vec<PathBuf> = home.seeds();
    assert_eq!(left.len(), 3, "{left:?}");
    home.run("import user -f D/keys/creds/demoop/demoJS/plain.creds")
        .ok();
    home.run("adopt -A --remove").ok();
    assert_eq!(home.seeds().len(), 2);
    home.run("describe user -a demoJS -n plain").ok();
}

#[test]
fn an_agent_that_is_locked_changes_nothing() {
    let home = Home::new();
    run(
        &mut home.demo.agent.nkey(home.demo.home.path(), "agent lock"),
        "",
    )
    .ok();
    let refused = home.run("adopt -A --remove");
    assert!(
        refused.stdout.contains("NOT ADOPTED") || refused.stderr.contains("locked"),
        "{}{}",
        refused.stdout,
        refused.stderr
    );
    assert_ne!(refused.status, 0);
    assert_eq!(home.seeds().len(), 27);
}

#[test]
fn nsc_and_nkey_take_turns_until_the_seeds_have_gone() {
    if skipped("nsc") {
        return;
    }
    let home = Home::new();
    home.run("adopt -A").ok();
    home.nsc("add user -a demoJS -n from-nsc -K service").ok();
    home.run("add user -a demoJS -n from-nkey -K service").ok();
    home.nsc("edit account -n demoEXP --conns 9").ok();
    home.run("add account -n second").ok();
    home.nsc("edit user -a demoIMP -n bearer --tag x").ok();
    for account in ["demoJS", "demoEXP", "demoIMP", "second", "SYS"] {
        home.nsc(&format!("describe account -n {account}")).ok();
        home.run(&format!("describe account -n {account}")).ok();
    }
    let conns = home
        .run("describe account -n demoEXP -F nats.limits.conn")
        .ok();
    assert_eq!(conns.trim(), "9");
    home.run("validate -A").ok();
    home.nsc("validate --all-accounts").ok();
    // What nsc has written meanwhile comes home with the rest.
    home.run("adopt -A --remove").ok();
    assert!(home.seeds().is_empty(), "{:?}", home.seeds());
    home.nsc("describe user -a demoJS -n from-nkey").ok();
}
