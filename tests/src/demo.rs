//! A store that `nkey init -n demo` made.

use crate::nats::Nats;
use crate::{Agent, Scratch, Server, run};
use std::process::Command;

/// The store, its agent and its folder.
pub struct Demo {
    /// The agent.
    pub agent: Agent,
    /// The folder; the store is `store` in it.
    pub home: Scratch,
}

impl Demo {
    /// Makes it.
    #[expect(clippy::new_without_default, reason = "it starts a process")]
    pub fn new() -> Demo {
        let demo = Demo {
            agent: Agent::new(),
            home: Scratch::new(),
        };
        demo.nkey("init -n demo");
        demo
    }

    /// `nkey` on the store; `arguments` divided by spaces.
    pub fn command(&self, arguments: &str) -> Command {
        self.agent
            .nkey(self.home.path(), &format!("-H store {arguments}"))
    }

    /// Runs `nkey` on the store; its standard output.
    #[track_caller]
    pub fn nkey(&self, arguments: &str) -> String {
        run(&mut self.command(arguments), "").ok()
    }

    /// A server with the full resolver; `flags` of `generate config`, `extra` lines of the configuration.
    pub fn server(&self, flags: &str, extra: &str) -> Server {
        self.nkey(&format!(
            "generate config --nats-resolver {flags} --config-file server.conf -F"
        ));
        Server::start(&self.home.path().join("server.conf"), extra)
    }

    /// The token of a user of the store.
    pub fn token(&self, account: &str, user: &str) -> String {
        let file = format!("store/demo/accounts/{account}/users/{user}.jwt");
        std::fs::read_to_string(self.home.path().join(file)).expect("the user's token")
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
