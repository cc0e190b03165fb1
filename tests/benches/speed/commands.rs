//! Whole commands, from exec to exit, against nsc and `nats auth`.

use super::{Row, disk};
use nkey_tests::{Agent, Scratch, command, program, run, tool};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Users added one by one by each program, in turns.
const ROUNDS: usize = 60;

/// Users added at once.
const MANY: usize = 10_000;

/// Accounts of the store that `describe` reads.
const ACCOUNTS: usize = 1_000;

/// A store of each program.
struct Stores {
    agent: Agent,
    home: Scratch,
}

impl Stores {
    fn new() -> Stores {
        let stores = Stores {
            agent: Agent::new(),
            home: Scratch::new(),
        };
        for path in [program("nkey"), tool("nsc"), tool("nats")] {
            stores.install(&path);
        }
        run(&mut stores.nkey("init -n demo"), "").ok();
        run(&mut stores.nsc("init -n demo -d nsc-store"), "").ok();
        run(&mut stores.nats("operator add demo"), "").ok();
        let account = "account add demo --operator demo --defaults";
        run(&mut stores.nats(account), "").ok();
        stores
    }

    /// Copies a program, as its installation does: one that a linker has just written lies in
    /// memory in small pieces, and each of its starts takes 0.1 ms longer.
    fn install(&self, path: &Path) {
        let name = path.file_name().expect("a program");
        fs::copy(path, self.home.path().join(name)).expect("to copy it");
    }

    /// An installed program, run in the folder of the stores.
    fn installed(&self, name: &str, arguments: &str) -> Command {
        let mut program = command(self.home.path().join(name));
        program.current_dir(self.home.path());
        program.env("HOME", self.home.path());
        program.args(arguments.split_whitespace());
        program
    }

    fn nkey(&self, arguments: &str) -> Command {
        let mut nkey = self.installed("nkey", &format!("-H store {arguments}"));
        nkey.env("NKEY_AUTH_SOCK", self.agent.socket());
        nkey
    }

    fn nsc(&self, arguments: &str) -> Command {
        let mut nsc = self.installed("nsc", &format!("-H nsc-store {arguments}"));
        nsc.env("NSC_NO_GIT_IGNORE", "true");
        nsc
    }

    fn nats(&self, arguments: &str) -> Command {
        let mut nats = self.installed("nats", &format!("auth {arguments}"));
        nats.env("XDG_DATA_HOME", self.home.path().join("data"))
            .env("XDG_CONFIG_HOME", self.home.path().join("config"));
        nats
    }
}

/// How long a command takes that must succeed.
fn time(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let started = Instant::now();
    let status = command.status().expect("to run it");
    let took = started.elapsed();
    assert!(status.success(), "{command:?}");
    took
}

/// Writes to disk what a program has only written, as nkey does: each new file and its folder.
fn sync(files: &[PathBuf]) -> Duration {
    let started = Instant::now();
    for file in files {
        for path in [Some(file.as_path()), file.parent()].into_iter().flatten() {
            File::open(path)
                .and_then(|file| file.sync_all())
                .expect("to sync");
        }
    }
    started.elapsed()
}

/// The files below a folder that are not older than `since`.
fn changed(dir: &Path, since: std::time::SystemTime, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        let metadata = path.metadata().expect("its metadata");
        if metadata.is_dir() {
            changed(&path, since, found);
        } else if metadata.modified().expect("its time") >= since {
            found.push(path);
        }
    }
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

/// `add user`, one at a time: the shortest of each as it is, though only ours is on disk then, and
/// of theirs with what writes it there.
fn one_by_one(stores: &Stores) -> Vec<Row> {
    let [mut ours, mut nsc, mut nats] = [Duration::MAX; 3];
    let [mut nsc_kept, mut nats_kept] = [Duration::MAX; 2];
    for round in 0..ROUNDS {
        ours = ours.min(time(
            &mut stores.nkey(&format!("add user -a demo -n u{round}")),
        ));
        let theirs = |mut command: Command, folder: &str| {
            // File times are those of the kernel's ticks.
            let since = std::time::SystemTime::now() - Duration::from_millis(10);
            let took = time(&mut command);
            let mut files = Vec::new();
            changed(&stores.home.path().join(folder), since, &mut files);
            assert!(files.len() >= 2, "{files:?}");
            (took, took + sync(&files))
        };
        let (took, kept) = theirs(
            stores.nsc(&format!("add user -a demo -n u{round}")),
            "nsc-store",
        );
        (nsc, nsc_kept) = (nsc.min(took), nsc_kept.min(kept));
        let add = format!("user add u{round} demo --operator demo --defaults");
        let (took, kept) = theirs(stores.nats(&add), "data");
        (nats, nats_kept) = (nats.min(took), nats_kept.min(kept));
    }
    let against = |name: &str, theirs: Duration, kept: Duration| {
        format!(
            "{:.1}x ({:.1} ms, {name} {:.1} ms; {:.1} ms if it is to be on disk), best of {ROUNDS}",
            millis(theirs) / millis(ours),
            millis(ours),
            millis(theirs),
            millis(kept)
        )
    };
    vec![
        Row::new(
            "`nkey add user`, on disk, against `nats auth user add`, which leaves that to the system",
            "5x",
            against("nats", nats, nats_kept),
        ),
        Row::new(
            "the same against `nsc add user`, which does so too",
            "3x",
            against("nsc", nsc, nsc_kept),
        ),
    ]
}

/// Many users at once, against a loop of which a hundredth is run.
fn many(stores: &Stores) -> Row {
    let mut add = stores.nkey(&format!("add users -a demo --count {MANY} -n many-{{}}"));
    let ours = time(&mut add);
    let users = stores.home.path().join("store/demo/accounts/demo/users");
    let made = fs::read_dir(users).expect("the users").count();
    assert!(made >= MANY, "{made} users");
    let started = Instant::now();
    for number in 0..MANY / 100 {
        time(&mut stores.nsc(&format!("add user -a demo -n many-{number}")));
    }
    let theirs = started.elapsed() * 100;
    Row::new(
        "10,000 users by `nkey add users`, on disk, against a loop of `nsc add user`",
        "10x",
        format!(
            "{:.1}x ({:.1} s, nsc {:.1} s by a hundredth of them)",
            millis(theirs) / millis(ours),
            ours.as_secs_f64(),
            theirs.as_secs_f64()
        ),
    )
}

/// `describe` in a large store: the slowest way of naming what to describe.
fn describe(stores: &Stores) -> Row {
    for number in 0..ACCOUNTS {
        time(&mut stores.nkey(&format!("add account -n account-{number:04}")));
    }
    let key = run(
        &mut stores.nkey("describe account -n account-0999 -F sub"),
        "",
    );
    let key = key.ok().trim().trim_matches('"').to_owned();
    let slowest = [
        "describe operator",
        "describe account -n account-0999",
        &format!("describe account -n {key}"),
        "describe user -a demo -n demo",
    ]
    .map(|arguments| {
        let times = (0..20).map(|_| time(&mut stores.nkey(arguments)));
        times.min().expect("a time")
    })
    .into_iter()
    .max();
    Row::new(
        "`describe` of an operator, an account by name or key or a user, in a store of 1,000 accounts",
        "50 ms",
        format!("{:.1} ms (best of 20)", millis(slowest.expect("a time"))),
    )
}

pub fn rows() -> Vec<Row> {
    let stores = Stores::new();
    disk::settle(stores.home.path());
    let mut rows = one_by_one(&stores);
    rows.push(many(&stores));
    rows.push(describe(&stores));
    rows
}
