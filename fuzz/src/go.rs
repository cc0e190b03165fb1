//! Go's reading of a token, asked of one process.

use nkey_core::json::Node;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running claimscheck (tests/go/cmd/claimscheck).
pub struct Go {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Go {
    /// Starts the program of `NKEY_TOOLS`, or of `.tools` in the checkout.
    pub fn start() -> Go {
        let tools = std::env::var_os("NKEY_TOOLS").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.tools"),
            PathBuf::from,
        );
        let mut child = Command::new(tools.join("bin/claimscheck"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("claimscheck runs: `make tools` makes it");
        let questions = child.stdin.take().expect("a pipe");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Go {
            child,
            questions,
            answers,
        }
    }

    /// What Go says of a token.
    pub fn read(&mut self, token: &str) -> Node {
        let asked = self.questions.write_all(format!("{token}\n").as_bytes());
        asked.expect("claimscheck reads");
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .expect("claimscheck answers");
        Node::parse(line.as_bytes()).expect("a JSON line")
    }
}

impl Drop for Go {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
