//! A real agent with a vault of its own.

use crate::{Scratch, command, program};
use nkey_agent::child::{Child, Failed};
use nkey_agent::client::{Client, Prompt};
use nkey_agent::device::Ask;
use nkey_core::nkey::{PublicKey, Seed};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// The passphrase of every test's vault.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// An agent that ends with the test.
pub struct Agent {
    scratch: Scratch,
    child: Option<std::process::Child>,
    environment: Vec<(String, String)>,
    script: Option<PathBuf>,
}

impl Agent {
    /// Starts an agent with a new vault, unlocked.
    #[expect(clippy::new_without_default, reason = "it starts a process")]
    pub fn new() -> Agent {
        let mut agent = Agent {
            scratch: Scratch::new(),
            child: None,
            environment: Vec::new(),
            script: None,
        };
        agent.start();
        agent
    }

    /// Starts an agent with these key holders (`holders.toml`).
    pub fn with_holders(config: &str) -> Agent {
        Agent::with_environment(config, &[])
    }

    /// Starts an agent with these key holders, and variables that their drivers read.
    pub fn with_environment(config: &str, environment: &[(String, String)]) -> Agent {
        let mut agent = Agent {
            scratch: Scratch::new(),
            child: None,
            environment: environment.to_vec(),
            script: None,
        };
        agent.scratch.file("holders.toml", config);
        agent.start();
        agent
    }

    /// Starts an agent in the place that a script makes ([`crate::Readers`]).
    pub fn inside(script: &Path, config: &str) -> Agent {
        let mut agent = Agent {
            scratch: Scratch::new(),
            child: None,
            environment: Vec::new(),
            script: Some(script.to_owned()),
        };
        agent.scratch.file("holders.toml", config);
        agent.start();
        agent
    }

    /// The scratch folder: `vault`, `run/agent.sock`, `passphrase`.
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// The socket.
    pub fn socket(&self) -> PathBuf {
        self.scratch.path().join("run/agent.sock")
    }

    /// The vault.
    pub fn vault(&self) -> PathBuf {
        self.scratch.path().join("vault")
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, std::process::Child::id)
    }

    /// The command that starts this agent in the foreground, unlocked.
    pub fn command(&self) -> Command {
        let passphrase = self.scratch.file("passphrase", format!("{PASSPHRASE}\n"));
        let mut command = match &self.script {
            None => command(program("nkey-agent")),
            Some(script) => {
                let mut command = command("unshare");
                command.args(["--user", "--map-root-user", "--mount", "--net", "sh"]);
                command.arg(script).arg(program("nkey-agent"));
                command
            }
        };
        command.arg("--socket").arg(self.socket());
        command.arg("--vault").arg(self.vault());
        command.arg("--passphrase-file").arg(passphrase);
        command.envs(self.environment.iter().cloned());
        let holders = self.scratch.path().join("holders.toml");
        if holders.exists() {
            command.arg("--holders").arg(holders);
        }
        command
    }

    /// Starts the agent and waits until it answers.
    pub fn start(&mut self) {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.scratch.path().join("log"))
            .expect("the agent's log");
        let child = self.command().stdin(Stdio::null()).stderr(log).spawn();
        self.child = Some(child.expect("the agent"));
        wait_for(
            || Client::connect(&self.socket()).is_ok(),
            "the agent to listen",
        );
    }

    /// What the agent has written to its standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.path().join("log")).unwrap_or_default()
    }

    /// Sends a signal and waits for the end.
    pub fn end(&mut self, signal: Signal) {
        if let Some(mut child) = self.child.take() {
            let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            let _ = kill_process(pid.expect("a process id"), signal);
            child.wait().expect("the agent to end");
        }
    }

    /// A new connection.
    pub fn client(&self) -> Client {
        Client::connect(&self.socket()).expect("the agent to answer")
    }

    /// Waits until pcscd shows the card of the first holder.
    pub fn wait_for_card(&self) {
        let told = || self.client().stores().expect("stores")[1].why.clone();
        wait_for(|| !told().contains("is not there"), "the card");
    }

    /// Adds a seed of the seed example; `flags` as on the wire.
    pub fn add_example(&self, label: &str, name: &str, flags: u32) -> PublicKey {
        let seed = Seed::from_str(&crate::example(label, "\n")).expect("a seed");
        self.client().add(&seed, name, flags).expect("to add it")
    }

    /// A program in the place of an agent that is [`Agent::inside`] one, working in `folder`.
    pub fn beside(&self, program: impl AsRef<Path>, folder: &Path) -> Command {
        let mut beside = command("nsenter");
        beside.arg(format!("--target={}", self.pid()));
        beside.args(["--user", "--mount", "--net", "--preserve-credentials"]);
        beside.arg(format!("--wd={}", folder.display()));
        beside.arg(program.as_ref());
        beside
    }

    /// A process of nkey-holder of the test's own, where this agent's are: without what the agent
    /// lets through.
    pub fn holder(&self) -> Child {
        let holder = program("nkey-holder");
        if self.script.is_none() {
            return Child::start(&holder).expect("nkey-holder");
        }
        let place = self.beside(&holder, Path::new("/"));
        let words: Vec<String> = std::iter::once(place.get_program())
            .chain(place.get_args())
            .map(|word| format!("'{}'", word.to_str().expect("a word")))
            .collect();
        let script = format!("#!/bin/sh\nexec {}\n", words.join(" "));
        let script = self.scratch.file("holder", script);
        std::fs::set_permissions(&script, Permissions::from_mode(0o700)).expect("a script");
        Child::start(&script).expect("nkey-holder")
    }

    /// Asks a process of [`Agent::holder`]: what it says of a failure.
    pub fn asking(&self) -> impl FnMut(&Ask<'_>) -> Result<Vec<u8>, String> {
        let mut child = self.holder();
        move |ask| match child.ask(ask, Duration::from_secs(60)) {
            Ok(body) => Ok(body),
            Err(Failed::Said(failure)) => Err(failure.text),
            Err(Failed::Broken(why)) => panic!("{why}"),
        }
    }

    /// `nkey` with this agent and a home of its own; `arguments` divided by spaces.
    pub fn nkey(&self, home: &Path, arguments: &str) -> Command {
        let mut nkey = command(program("nkey"));
        nkey.env("NKEY_AUTH_SOCK", self.socket());
        nkey.env("HOME", home).current_dir(home);
        nkey.args(arguments.split_whitespace());
        nkey
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.end(Signal::TERM);
        if std::thread::panicking() {
            eprintln!("the agent's log:\n{}", self.log());
        }
    }
}

/// Waits until `ready`, at most 20 seconds.
#[track_caller]
pub fn wait_for(mut ready: impl FnMut() -> bool, what: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !ready() {
        assert!(Instant::now() < deadline, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Answers with this passphrase.
pub struct Passphrase(pub &'static str);

impl Prompt for Passphrase {
    fn message(&mut self, _text: &str) {}

    fn secret(&mut self, _text: &str) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new(self.0.to_owned()))
    }

    fn public(&mut self, _text: &str) -> Option<String> {
        None
    }

    fn confirm(&mut self, _text: &str) -> Option<bool> {
        None
    }
}
