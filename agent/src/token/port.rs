//! A serial port, opened for ourselves alone.

use super::TokenError;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{
    ControlModes, OptionalActions, QueueSelector, ioctl_tiocexcl, ioctl_tiocnxcl, isatty, tcflush,
    tcgetattr, tcsetattr,
};
use std::path::Path;
use std::time::{Duration, Instant};

/// The port. Closing it ends the token's session.
pub(super) struct Port {
    fd: OwnedFd,
    path: String,
}

impl Drop for Port {
    /// Whoever else has it open would keep it closed to all.
    fn drop(&mut self) {
        let _ = ioctl_tiocnxcl(&self.fd);
    }
}

impl Port {
    /// Opens a port; nothing is written to it.
    pub(super) fn open(path: &Path) -> Result<Port, TokenError> {
        let shown = path.display().to_string();
        let failed = |errno: Errno| match errno {
            Errno::BUSY | Errno::WOULDBLOCK => TokenError::InUse(shown.clone()),
            Errno::NOENT | Errno::NXIO | Errno::NODEV => TokenError::Gone(shown.clone()),
            errno => TokenError::Port(shown.clone(), errno.into()),
        };
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(failed)?;
        if !isatty(&fd) {
            return Err(TokenError::NoTerminal(shown));
        }
        // Root passes over TIOCEXCL, so the lock keeps two of us apart as well.
        rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive).map_err(failed)?;
        ioctl_tiocexcl(&fd).map_err(failed)?;
        let mut settings = tcgetattr(&fd).map_err(failed)?;
        settings.make_raw();
        // The last one to close it drops DTR, whatever its last user set.
        settings.control_modes |= ControlModes::HUPCL;
        tcsetattr(&fd, OptionalActions::Now, &settings).map_err(failed)?;
        tcflush(&fd, QueueSelector::IOFlush).map_err(failed)?;
        Ok(Port { fd, path: shown })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Writes all of it before the deadline.
    pub(super) fn write(&self, mut bytes: &[u8], deadline: Instant) -> Result<(), TokenError> {
        while !bytes.is_empty() {
            match rustix::io::write(&self.fd, bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    if !self.wait(PollFlags::OUT, deadline)? {
                        return Err(TokenError::Silent(self.path.clone()));
                    }
                }
                Err(errno) => return Err(self.lost(errno)),
            }
        }
        Ok(())
    }

    /// Reads some bytes; 0 when none came before the deadline.
    pub(super) fn read(&self, bytes: &mut [u8], deadline: Instant) -> Result<usize, TokenError> {
        loop {
            match rustix::io::read(&self.fd, &mut *bytes) {
                Ok(0) => return Err(TokenError::Gone(self.path.clone())),
                Ok(read) => return Ok(read),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    if !self.wait(PollFlags::IN, deadline)? {
                        return Ok(0);
                    }
                }
                Err(errno) => return Err(self.lost(errno)),
            }
        }
    }

    /// Whether the port is ready before the deadline.
    fn wait(&self, wanted: PollFlags, deadline: Instant) -> Result<bool, TokenError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = left.min(Duration::from_secs(3600));
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(0),
            tv_nsec: left.subsec_nanos().into(),
        };
        let mut fds = [PollFd::from_borrowed_fd(self.fd.as_fd(), wanted)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) => Ok(false),
            Ok(_) => Ok(true),
            Err(Errno::INTR) => Ok(Instant::now() < deadline),
            Err(errno) => Err(self.lost(errno)),
        }
    }

    fn lost(&self, errno: Errno) -> TokenError {
        match errno {
            // A port whose device was unplugged.
            Errno::IO | Errno::NODEV | Errno::NXIO | Errno::PIPE => {
                TokenError::Gone(self.path.clone())
            }
            errno => TokenError::Port(self.path.clone(), errno.into()),
        }
    }
}
