//! gpg of its own folder beside an agent's virtual readers.

use crate::{Agent, Output, Scratch, command, run};
use std::process::Command;

/// A folder for gpg, and the place where its agent and scdaemon find the card.
pub struct Gpg {
    home: Scratch,
    place: u32,
}

/// Gives the PIN or the admin PIN, whichever is asked for.
const PINENTRY: &str = r#"#!/bin/sh
echo OK
pin=123456
while read -r command rest; do
  case $command in
    SETDESC | SETPROMPT) case $rest in *Admin*) pin=12345678 ;; *) [ "$command" = SETPROMPT ] || pin=123456 ;; esac ;;
    GETPIN) echo "D $pin" ;;
    BYE) echo OK; exit ;;
  esac
  echo OK
done
"#;

impl Gpg {
    /// gpg beside the readers of this agent. scdaemon shares the card, through pcscd.
    pub fn beside(agent: &Agent) -> Gpg {
        use std::os::unix::fs::PermissionsExt;
        let home = Scratch::new();
        let pinentry = home.file("pinentry", PINENTRY);
        let mode = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(&pinentry, mode).expect("a program");
        home.file(
            "gpg-agent.conf",
            format!("pinentry-program {}\n", pinentry.display()),
        );
        home.file("scdaemon.conf", "disable-ccid\npcsc-shared\n");
        Gpg {
            home,
            place: agent.pid(),
        }
    }

    /// A program in the same place.
    pub fn inside(&self, program: &str) -> Command {
        let mut inside = command("nsenter");
        inside.arg(format!("--target={}", self.place));
        inside.args(["--user", "--mount", "--net", "--preserve-credentials"]);
        inside.env("GNUPGHOME", self.home.path()).arg(program);
        inside
    }

    /// Runs gpg with these arguments, divided by spaces, and `input` as what a person types.
    #[track_caller]
    pub fn gpg(&self, arguments: &str, input: &str) -> Output {
        let mut gpg = self.inside("gpg");
        gpg.args(["--batch", "--no-tty", "--status-fd=2"]);
        run(gpg.args(arguments.split_whitespace()), input)
    }

    /// Has gpg's agent do something.
    #[track_caller]
    pub fn connect(&self, line: &str) -> String {
        let mut connect = self.inside("gpg-connect-agent");
        run(connect.args([line, "/bye"]), "").ok()
    }

    /// What gpg says of the card.
    #[track_caller]
    pub fn status(&self) -> String {
        self.gpg("--with-colons --card-status", "").ok()
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let _ = self.inside("gpgconf").args(["--kill", "all"]).status();
    }
}
