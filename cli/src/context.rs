//! What every command may use: the global flags, the agent, the clock, the terminal.

use crate::cli::Global;
use crate::error::Error;
use crate::key_argument::KeyArgument;
use crate::output::{Output, clean};
use crate::prompt;
use nkey_agent::client::{Client, KeyInfo, socket_path};
use std::path::PathBuf;
use std::time::SystemTime;

/// The surroundings of one run.
pub struct Context {
    /// The global flags.
    pub global: Global,
    /// Where to write.
    pub out: Output,
    clock: fn() -> i64,
    agent: Option<Client>,
}

impl Context {
    /// The process's own surroundings.
    pub fn new(global: Global) -> Context {
        Context {
            global,
            out: Output::standard(),
            clock: system_time,
            agent: None,
        }
    }

    /// Unix seconds.
    pub fn now(&self) -> i64 {
        (self.clock)()
    }

    /// Where the agent's socket is.
    ///
    /// # Errors
    /// Exit 4 if neither a flag nor a variable says so.
    pub fn socket(&self) -> Result<PathBuf, Error> {
        Ok(socket_path(self.global.socket.as_deref())?)
    }

    /// The agent, connected at the first use.
    ///
    /// # Errors
    /// Exit 4 if nothing listens.
    pub fn agent(&mut self) -> Result<&mut Client, Error> {
        let client = match self.agent.take() {
            Some(client) => client,
            None => {
                let mut client = Client::connect(&self.socket()?)?;
                client.on_notice(|text| eprintln!("{}", clean(text)));
                client
            }
        };
        Ok(self.agent.insert(client))
    }

    /// The key of the agent that an argument means.
    ///
    /// # Errors
    /// If the agent has no such key, or a name stands for several.
    pub fn find_key(&mut self, wanted: &KeyArgument) -> Result<KeyInfo, Error> {
        wanted.find(self.agent()?.list()?)
    }

    /// What `-K` means, if it was given.
    ///
    /// # Errors
    /// Exit 2 if it is a seed or a file.
    pub fn private_key(&self) -> Result<Option<KeyArgument>, Error> {
        let flag = self.global.private_key.as_deref();
        flag.map(|text| KeyArgument::parse("-K", text)).transpose()
    }

    /// With `-i`, the person's answer to `question`; else none.
    ///
    /// # Errors
    /// If there is no terminal.
    pub fn ask(&self, question: &str) -> Result<Option<String>, Error> {
        if self.global.interactive {
            prompt::line(question).map(Some)
        } else {
            Ok(None)
        }
    }
}

fn system_time() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::output::tests::Capture;

    impl Context {
        /// Surroundings for tests: a fixed clock, an output that is kept.
        pub fn captured(global: Global, clock: fn() -> i64) -> (Context, Capture, Capture) {
            let (out, text, notes) = Output::captured();
            let ctx = Context {
                global,
                out,
                clock,
                agent: None,
            };
            (ctx, text, notes)
        }
    }

    #[test]
    fn without_an_agent_the_exit_code_is_4_and_the_next_step_is_named() {
        let global = Global {
            socket: Some("/nonexistent/agent.sock".into()),
            ..Global::default()
        };
        let (mut ctx, _, _) = Context::captured(global, || 7);
        assert_eq!(ctx.now(), 7);
        let error = ctx.agent().map(|_| ()).unwrap_err();
        assert_eq!(error.code(), 4);
        assert!(error.to_string().contains("nkey agent start"), "{error}");
    }
}
