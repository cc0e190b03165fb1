//! What the end-to-end tests share: programs, scratch folders, agents and servers.

mod account_server;
mod agent;
mod demo;
mod desk;
pub mod emulator;
mod gpg;
mod limit;
mod listing;
pub mod nats;
mod notices;
mod old;
mod pin;
mod piv;
mod proof;
mod pty;
mod readers;
mod refusal;
mod run;
mod scratch;
mod server;
mod softhsm;
mod user;
pub mod virtual_token;

pub use account_server::account_server;
pub use agent::{Agent, PASSPHRASE, Passphrase, wait_for};
pub use demo::Demo;
pub use desk::{Desk, contains, plugged_in};
pub use gpg::Gpg;
pub use limit::{claims_of, limit_is_exact};
pub use listing::{EVIL, lists_cleanly};
pub use notices::Notices;
pub use old::old_token;
pub use pin::Pin;
pub use piv::{PivCard, attestors};
pub use proof::server_accepts;
pub use pty::{pty, slave};
pub use readers::Readers;
pub use refusal::refusal;
pub use run::{Output, command, program, run, skipped, tool};
pub use scratch::{Scratch, snapshot};
pub use server::{Server, free_port};
pub use softhsm::SoftHsm;
pub use user::User;

/// The folder of this checkout.
pub fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of `tests/fixtures`.
pub fn fixture(name: &str) -> std::path::PathBuf {
    root().join("tests/fixtures").join(name)
}

/// What follows `label` in the output of the seed example, up to `end`.
pub fn example(label: &str, end: &str) -> String {
    let text = std::fs::read_to_string(fixture("seed-example.txt")).expect("the seed example");
    let output = &text[text.find("\nOutput\n").expect("its output")..];
    let start = output.find(label).expect("the label") + label.len();
    let rest = &output[start..];
    rest[..rest.find(end).expect("the end")].to_owned()
}
