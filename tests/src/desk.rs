//! A virtual token, and a person with a shell.

use crate::virtual_token::Running;
use crate::{Output, Scratch, command, program, run};
use nkey_core::nkey::PublicKey;
use std::process::Command;
use std::str::FromStr;

/// The PIN in the file `pin`.
const PIN: &str = "correct horse";

/// A virtual token, and a person with a shell in its scratch folder.
pub struct Desk {
    /// The folder: `line`, `flash`, `pin`, `wrong`.
    pub scratch: Scratch,
    /// The token, if it is plugged in.
    pub running: Option<Running>,
    serial: &'static str,
}

impl Desk {
    /// A token without a PIN.
    pub fn new(serial: &'static str) -> Desk {
        let scratch = Scratch::new();
        scratch.file("pin", format!("{PIN}\n"));
        scratch.file("wrong", "wrong horse");
        let mut desk = Desk {
            scratch,
            running: None,
            serial,
        };
        desk.plug("always", &[]);
        desk
    }

    /// A token with a PIN.
    pub fn initialised(serial: &'static str, more: &str) -> Desk {
        let desk = Desk::new(serial);
        desk.nkey(&format!(
            "init --yes --iterations 1000 --pin-file pin {more}"
        ))
        .ok();
        desk
    }

    /// Plugs it in, again.
    pub fn plug(&mut self, presence: &str, more: &[&str]) {
        self.running = None;
        let serial = self.serial.trim_start_matches("VIRTUAL-");
        let arguments = [&["--serial", serial, "--speed", "6"], more].concat();
        self.running = Some(Running::start(&self.scratch, true, presence, &arguments));
    }

    /// `nkey token` with these arguments.
    pub fn command(&self, arguments: &str) -> Command {
        let mut nkey = command(program("nkey"));
        nkey.arg("token").args(arguments.split_whitespace());
        nkey.env("HOME", self.scratch.path())
            .current_dir(self.scratch.path());
        nkey
    }

    /// The same over its line.
    pub fn nkey(&self, arguments: &str) -> Output {
        let mut nkey = self.command(arguments);
        nkey.args(["--port", "line", "--allow-virtual", self.serial]);
        run(&mut nkey, "")
    }

    /// What it prints as JSON.
    pub fn json(&self, arguments: &str) -> serde_json::Value {
        let text = self.nkey(&format!("{arguments} -J")).ok();
        serde_json::from_str(&text).expect("JSON")
    }

    /// Its device key.
    pub fn device_key(&self) -> String {
        self.json("info")["device_key"]
            .as_str()
            .expect("a device key")
            .to_owned()
    }

    /// Makes a key; its public half.
    pub fn generate(&self, arguments: &str) -> PublicKey {
        let text = self
            .nkey(&format!("generate --pin-file pin {arguments}"))
            .ok();
        PublicKey::from_str(text.trim()).expect("a public key")
    }
}

/// Asserts that all of these are in a text.
#[track_caller]
pub fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}
