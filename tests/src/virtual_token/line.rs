//! The line to the host: a pseudo terminal or a unix socket, one host at a time.

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

/// The line.
pub enum Line {
    /// The terminal's other end.
    Pty(OwnedFd),
    /// The socket and the host that is connected.
    Socket(UnixListener, Option<UnixStream>),
}

/// What came from the host.
pub enum Came {
    /// So many bytes.
    Bytes(usize),
    /// Nothing in this time.
    Nothing,
    /// The host closed the line, or never opened it.
    Closed,
}

const WAIT: Duration = Duration::from_millis(10);

impl Line {
    /// A terminal, with a link to it at `path`.
    pub fn pty(path: &Path) -> io::Result<Line> {
        // No child may keep it: the terminal would not hang up with us.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        // As a serial line of a device: no echo, nothing translated.
        let slave = rustix::fs::open(
            name.as_c_str(),
            OFlags::RDWR | OFlags::NOCTTY,
            Mode::empty(),
        )?;
        let mut settings = tcgetattr(&slave)?;
        settings.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &settings)?;
        drop(slave);
        rustix::fs::fcntl_setfl(&master, OFlags::NONBLOCK)?;
        let _ = std::fs::remove_file(path);
        std::os::unix::fs::symlink(name.to_string_lossy().as_ref(), path)?;
        Ok(Line::Pty(master))
    }

    /// A socket at `path`.
    pub fn socket(path: &Path) -> io::Result<Line> {
        let _ = std::fs::remove_file(path);
        let listener = UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        Ok(Line::Socket(listener, None))
    }

    /// Waits a moment for bytes.
    pub fn read(&mut self, bytes: &mut [u8]) -> io::Result<Came> {
        let read = match self {
            Line::Pty(master) => rustix::io::read(&*master, &mut *bytes).map_err(io::Error::from),
            Line::Socket(listener, host) => {
                if host.is_none() {
                    match listener.accept() {
                        Ok((stream, _)) => {
                            stream.set_read_timeout(Some(WAIT))?;
                            *host = Some(stream);
                        }
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {
                            std::thread::sleep(WAIT);
                            return Ok(Came::Closed);
                        }
                        Err(error) => return Err(error),
                    }
                }
                let Some(stream) = host else {
                    return Ok(Came::Closed);
                };
                let read = stream.read(bytes);
                if matches!(read, Ok(0)) {
                    *host = None;
                }
                read
            }
        };
        match read {
            Ok(0) => Ok(Came::Closed),
            Ok(len) => Ok(Came::Bytes(len)),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if let Line::Pty(master) = self {
                    wait(master)?;
                }
                Ok(Came::Nothing)
            }
            // Linux says so while nobody has the terminal's other end open.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                std::thread::sleep(WAIT);
                Ok(Came::Closed)
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                if let Line::Socket(_, host) = self {
                    *host = None;
                }
                Ok(Came::Closed)
            }
            Err(error) => Err(error),
        }
    }

    /// Sends some of the bytes; how many. A host that is gone takes them all.
    pub fn write(&mut self, bytes: &[u8]) -> usize {
        let written = match self {
            Line::Pty(master) => rustix::io::write(&*master, bytes).map_err(io::Error::from),
            Line::Socket(_, Some(host)) => host.write(bytes),
            Line::Socket(_, None) => return bytes.len(),
        };
        match written {
            Ok(len) => len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                std::thread::sleep(WAIT);
                0
            }
            Err(_) => bytes.len(),
        }
    }
}

fn wait(master: &OwnedFd) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let fd = master.as_fd();
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    let timeout = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(WAIT.subsec_nanos()),
    };
    match poll(&mut fds, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
