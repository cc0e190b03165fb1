//! Runs a test again in a process of its own.

use std::path::Path;
use std::process::Command;

/// The folder given to the process that [`command`] starts; nothing in the first process.
pub(super) fn folder() -> Option<std::path::PathBuf> {
    std::env::var_os("NKEY_TEST_CHILD").map(Into::into)
}

/// A command that runs the test `name` of `module` (its `module_path!()`) with `folder`.
pub(super) fn command(module: &str, name: &str, folder: &Path) -> Command {
    let (_, module) = module.split_once("::").unwrap();
    // Signal dispositions survive exec: over the file size limit a write fails instead of killing.
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args([&format!("{module}::{name}"), "--exact", "--nocapture"])
        .env("NKEY_TEST_CHILD", folder);
    command
}
