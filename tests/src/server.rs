//! A real nats-server on loopback.

use crate::{Scratch, agent::wait_for, command, tool};
use rustix::process::{Pid, Signal, kill_process};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};

/// A server that ends with the test.
pub struct Server {
    child: Child,
    port: u16,
    scratch: Scratch,
}

impl Server {
    /// Starts a server on a free port with this configuration; `extra` are further lines.
    pub fn start(config: &Path, extra: &str) -> Server {
        let scratch = Scratch::new();
        let port = free_port();
        let config = std::fs::read_to_string(config).expect("the configuration");
        let whole = scratch.file(
            "server.conf",
            format!("listen: 127.0.0.1:{port}\n{config}\n{extra}\n"),
        );
        let log = std::fs::File::create(scratch.path().join("log")).expect("a log");
        let child = command(tool("nats-server"))
            .arg("-c")
            .arg(&whole)
            .current_dir(scratch.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("nats-server");
        let mut server = Server {
            child,
            port,
            scratch,
        };
        wait_for(
            || {
                assert!(
                    server.child.try_wait().expect("its state").is_none(),
                    "nats-server ended:\n{}",
                    server.log()
                );
                TcpStream::connect(("127.0.0.1", port)).is_ok()
            },
            "nats-server",
        );
        server
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the server's log:\n{}", self.log());
        }
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

/// A port that nothing listens on now.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .expect("a free port")
}
