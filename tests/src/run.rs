//! Running programs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a program did.
#[derive(Debug)]
pub struct Output {
    /// Its exit status; -1 if a signal ended it.
    pub status: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Output {
    /// The standard output of a program that must have succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(
            self.status, 0,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        self.stdout
    }

    /// The standard error of a program that must have ended with `status`.
    #[track_caller]
    pub fn fails(self, status: i32) -> String {
        assert_eq!(
            self.status, status,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        self.stderr
    }
}

/// A program of this workspace, such as `nkey`.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let path = test
        .ancestors()
        .nth(2)
        .map(|folder| folder.join(name))
        .expect("the target folder");
    assert!(
        path.is_file(),
        "{} is not built: run `cargo build --workspace --bins --examples` first, or `make test`",
        path.display()
    );
    path
}

/// A program that `scripts/tools` installs.
pub fn tool(name: &str) -> PathBuf {
    let tools =
        std::env::var_os("NKEY_TOOLS").map_or_else(|| crate::root().join(".tools"), PathBuf::from);
    let path = if name == "python" {
        tools.join("venv/bin/python")
    } else {
        tools.join("bin").join(name)
    };
    assert!(
        path.is_file(),
        "the test needs {name}: install it with `make tools` (NKEY_TEST_SKIP={name} skips its tests)"
    );
    path
}

/// Whether a person skips the tests that need this tool, by `NKEY_TEST_SKIP`. CI never does.
pub fn skipped(name: &str) -> bool {
    let skip = std::env::var("NKEY_TEST_SKIP").unwrap_or_default();
    let skipped = skip.split(',').any(|wanted| wanted == name);
    if skipped {
        eprintln!("SKIPPED by NKEY_TEST_SKIP: the tests that need {name}");
    }
    skipped
}

/// A command whose environment is small and the same everywhere.
pub fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("LANG", "C.UTF-8").env("TERM", "dumb");
    command
}

/// Runs a command to its end, with `input` as its standard input.
#[track_caller]
pub fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    // A program that ends without reading everything closes the pipe: its status says more.
    let _ = child
        .stdin
        .take()
        .map(|mut stdin| stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("its output");
    Output {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
