//! The emulator's unix socket as a terminal, for programs that want a serial port. While somebody has the terminal
//! open the socket is connected, which sets DTR.

use super::told::Told;
use crate::virtual_token::Line;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const GLANCE: Duration = Duration::from_millis(10);

/// A reader of the terminal gets what came before the device went.
const LINGER: Duration = Duration::from_millis(100);

/// Runs until the emulator has ended: a terminal at `link` whenever the device is there.
pub(super) fn run(told: &Told, socket: &Path, link: &Path) {
    loop {
        let (ended, arrival) = {
            let state = told.state();
            (
                state.ended.is_some(),
                state.device.as_ref().map(|_| state.arrivals),
            )
        };
        if ended {
            return;
        }
        let Some(arrival) = arrival else {
            std::thread::sleep(GLANCE / 5);
            continue;
        };
        let Ok(Line::Pty(master)) = Line::pty(link) else {
            told.change(|state| state.ended = Some("there is no terminal".to_owned()));
            return;
        };
        told.change(|state| state.linked = true);
        let is_there = || {
            let state = told.state();
            state.ended.is_none() && state.device.is_some() && state.arrivals == arrival
        };
        carry(&Arc::new(master), socket, is_there);
        let _ = std::fs::remove_file(link);
        told.change(|state| state.linked = false);
    }
}

/// Carries bytes both ways while the device is there.
fn carry(master: &Arc<OwnedFd>, socket: &Path, is_there: impl Fn() -> bool) {
    let mut host: Option<Host> = None;
    let mut bytes = [0; 4096];
    while is_there() {
        match rustix::io::read(&**master, &mut bytes) {
            // Linux says so while nobody has the terminal's other end open.
            Err(Errno::IO) | Ok(0) => {
                close(host.take());
                std::thread::sleep(GLANCE / 2);
            }
            Err(Errno::AGAIN) => {
                if host.is_none() {
                    host = connect(master, socket);
                }
                wait(master, PollFlags::IN);
            }
            Ok(len) => {
                if host.is_none() {
                    host = connect(master, socket);
                }
                if let Some((stream, _)) = &mut host {
                    let _ = stream.write_all(&bytes[..len]);
                }
            }
            Err(_) => break,
        }
    }
    if let Some((_, back)) = host
        && back.join().unwrap_or_default()
    {
        std::thread::sleep(LINGER);
    }
}

/// The socket, and what carries its bytes to the terminal until it ends; whether it carried any.
type Host = (UnixStream, JoinHandle<bool>);

fn connect(master: &Arc<OwnedFd>, socket: &Path) -> Option<Host> {
    let stream = UnixStream::connect(socket).ok()?;
    let mut from = stream.try_clone().ok()?;
    let master = Arc::clone(master);
    let back = std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        let mut last = None;
        while let Ok(len) = from.read(&mut bytes) {
            if len == 0 || !send(&master, &bytes[..len]) {
                break;
            }
            last = Some(Instant::now());
        }
        last.is_some_and(|last: Instant| last.elapsed() < LINGER)
    });
    Some((stream, back))
}

fn close(host: Option<Host>) {
    if let Some((stream, back)) = host {
        let _ = stream.shutdown(Shutdown::Both);
        let _ = back.join();
    }
}

/// Writes to the terminal; false when nobody will read it.
fn send(master: &OwnedFd, mut bytes: &[u8]) -> bool {
    let mut glances = 0;
    while !bytes.is_empty() {
        match rustix::io::write(master, bytes) {
            Ok(written) => {
                bytes = &bytes[written..];
                glances = 0;
            }
            // A reader that does nothing for 30 s will never do anything.
            Err(Errno::AGAIN) if glances < 3_000 => {
                glances += 1;
                wait(master, PollFlags::OUT);
            }
            Err(_) => return false,
        }
    }
    true
}

fn wait(fd: &OwnedFd, wanted: PollFlags) {
    let mut fds = [PollFd::from_borrowed_fd(fd.as_fd(), wanted)];
    let timeout = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(GLANCE.subsec_nanos()),
    };
    let _ = poll(&mut fds, Some(&timeout));
}
