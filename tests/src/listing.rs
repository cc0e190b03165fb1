//! What a terminal must not get.

use crate::{Agent, command, program, run};

/// Part of a label that would change a terminal.
pub const EVIL: &str = "red\u{1b}[31m\u{7}\u{202e}evil";

/// Lists a store with a label of [`EVIL`]: its words are shown, and nothing else of it.
#[track_caller]
pub fn lists_cleanly(agent: &Agent, store: &str) {
    let mut nkey = command(program("nkey"));
    nkey.env("NKEY_AUTH_SOCK", agent.socket());
    let listed = run(nkey.args(["store", "list", store]), "").ok();
    assert!(
        listed.contains("red") && listed.contains("evil"),
        "{listed:?}"
    );
    assert!(
        !listed.contains(['\u{1b}', '\u{7}', '\u{202e}']),
        "{listed:?}"
    );
}
