//! Terminals of the tests' own.

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::path::PathBuf;

/// A terminal that nobody has open: its other end, and its path.
pub fn pty() -> (OwnedFd, PathBuf) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags).expect("a terminal");
    grantpt(&master).expect("its rights");
    unlockpt(&master).expect("to unlock it");
    let name = ptsname(&master, Vec::new()).expect("its name");
    let path = PathBuf::from(name.to_string_lossy().into_owned());
    (master, path)
}

/// Opens a terminal as a program's output.
pub fn slave(path: &std::path::Path) -> OwnedFd {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).expect("the terminal")
}
