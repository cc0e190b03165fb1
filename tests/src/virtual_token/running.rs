//! The program `virtual-token`, for one test.

use crate::{Scratch, program, wait_for};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A virtual token that runs. Its flash is the file `flash` of the scratch folder.
pub struct Running {
    child: Child,
    /// Its terminal or socket.
    pub path: PathBuf,
    /// Whether it is a terminal.
    pub pty: bool,
}

impl Running {
    /// Starts one with these further arguments.
    pub fn start(scratch: &Scratch, pty: bool, presence: &str, more: &[&str]) -> Running {
        let path = scratch.path().join("line");
        let _ = std::fs::remove_file(&path);
        let child = Command::new(program("virtual-token"))
            .arg("--flash")
            .arg(scratch.path().join("flash"))
            .arg(if pty { "--pty" } else { "--socket" })
            .arg(&path)
            .args(["--presence", presence])
            .args(more)
            .stdin(match presence {
                "ask" => Stdio::piped(),
                _ => Stdio::null(),
            })
            .stderr(Stdio::piped())
            .spawn()
            .expect("the virtual token");
        let running = Running { child, path, pty };
        wait_for(|| running.path.exists(), "the line");
        running
    }

    /// Presses the button of one that was started with `ask`.
    pub fn press(&mut self) {
        let stdin = self.child.stdin.as_mut().expect("a terminal of its own");
        stdin.write_all(b"\n").expect("to press");
    }

    /// Pulls it out of its port.
    pub fn unplug(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it has ended by itself, as one that was sent to its bootloader.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Ends it; what it said.
    pub fn stop(mut self) -> String {
        self.unplug();
        let mut text = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut text).expect("its words");
        }
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.unplug();
    }
}
