//! A store in a folder of its own, its agent, and `nkey` with both.

use crate::nats::Nats;
use crate::{Agent, Output, Scratch, Server, command, run, snapshot, tool};
use std::path::PathBuf;
use std::process::Command;

/// A store, `store`, its agent and its folder.
pub struct Demo {
    /// The agent.
    pub agent: Agent,
    /// The folder.
    pub home: Scratch,
}

impl Demo {
    /// What `nkey init -n demo` makes.
    #[expect(clippy::new_without_default, reason = "it starts a process")]
    pub fn new() -> Demo {
        let demo = Demo::empty();
        demo.nkey("init -n demo");
        demo
    }

    /// No operator yet.
    pub fn empty() -> Demo {
        Demo {
            agent: Agent::new(),
            home: Scratch::new(),
        }
    }

    /// A file of the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// `nkey` with this store; `arguments` divided by spaces.
    pub fn command(&self, arguments: &str) -> Command {
        self.agent
            .nkey(self.home.path(), &format!("-H store {arguments}"))
    }

    /// Runs `nkey`.
    #[track_caller]
    pub fn run(&self, arguments: &str) -> Output {
        run(&mut self.command(arguments), "")
    }

    /// The standard output of `nkey`, which must succeed.
    #[track_caller]
    pub fn nkey(&self, arguments: &str) -> String {
        self.run(arguments).ok()
    }

    /// A command that must fail, name what is wrong, and leave every file of the store as it was.
    #[track_caller]
    pub fn refuses(&self, arguments: &str, needles: &[&str]) -> Output {
        let files = || snapshot(&self.path("store"));
        let before = files();
        let output = self.run(arguments);
        assert!(matches!(output.status, 1..=3), "{arguments}: {output:?}");
        assert!(files() == before, "{arguments} changed a file");
        for needle in needles {
            let said = &output.stderr;
            assert!(said.contains(needle), "{arguments}: {needle}: {said}");
        }
        output
    }

    /// Runs `nsc` with this store.
    #[track_caller]
    pub fn nsc(&self, arguments: &str) -> Output {
        let mut nsc = command(tool("nsc"));
        nsc.env("HOME", self.home.path())
            .env("NSC_NO_GIT_IGNORE", "true");
        nsc.current_dir(self.home.path()).args(["-H", "store"]);
        run(nsc.args(arguments.split_whitespace()), "")
    }

    /// A server with the configuration that these flags of `generate config` give, and further lines.
    #[track_caller]
    pub fn server(&self, flags: &str, extra: &str) -> Server {
        self.nkey(&format!(
            "generate config {flags} --config-file server.conf -F"
        ));
        Server::start(&self.path("server.conf"), extra)
    }

    /// The creds file of a user, which is made.
    #[track_caller]
    pub fn creds(&self, account: &str, user: &str) -> PathBuf {
        let path = self.path(&format!("{account}-{user}.creds"));
        self.nkey(&format!(
            "generate creds -a {account} -n {user} -o {}",
            path.display()
        ));
        path
    }

    /// Changes an account's claims, as text, and issues it again by `signer`.
    #[track_caller]
    pub fn change(&self, account: &str, from: &str, to: &str) {
        let shown = self.nkey(&format!("describe account -n {account} -J"));
        let claims: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        let signer = claims["iss"].as_str().expect("an issuer").to_owned();
        let text = claims.to_string();
        assert!(text.contains(from), "{text}");
        // A token's iat must be greater than that of the one before it.
        std::thread::sleep(std::time::Duration::from_millis(1100));
        let text = text.replacen(from, to, 1);
        let token = run(&mut self.command(&format!("sign --key {signer}")), &text).ok();
        let path = format!("store/demo/accounts/{account}/{account}.jwt");
        std::fs::write(self.path(&path), token.trim()).expect("the account");
    }

    /// The token of a user of the store.
    pub fn token(&self, account: &str, user: &str) -> String {
        let file = format!("store/demo/accounts/{account}/users/{user}.jwt");
        std::fs::read_to_string(self.path(&file)).expect("the user's token")
    }

    /// Connects as a user of the store, whose key the agent holds.
    ///
    /// # Errors
    /// What the server says.
    pub fn connect(&self, server: &Server, account: &str, user: &str) -> Result<Nats, String> {
        let token = self.token(account, user);
        Nats::sign_in(server.port(), &token, &mut self.agent.client())
    }
}
