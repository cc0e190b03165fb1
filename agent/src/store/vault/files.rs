//! A folder whose files are replaced whole or not at all.

use crate::store::StoreError;
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, fstat, fsync, mkdirat, openat, renameat, syncfs, unlinkat,
};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, LazyLock};
use std::thread;
use zeroize::Zeroizing;

/// Most names read from a folder.
const MAX_NAMES: usize = 200_000;

/// Up to so many files are flushed one by one: `syncfs` writes what other programs left as well.
const FEW: usize = 2;

/// A change to a folder, in the order of system calls; tests stop, fail or record them.
#[cfg_attr(not(test), allow(dead_code))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Mkdir(&'a str),
    Create(&'a str),
    Write(&'a str, &'a [u8]),
    Sync(&'a str),
    SyncAll,
    Rename(&'a str, &'a str),
    Remove(&'a str),
    SyncFolder,
}

/// An open folder; names are relative to it, so it may be moved while it is open.
pub(in crate::store) struct Folder {
    fd: OwnedFd,
    path: String,
}

impl Folder {
    /// Opens the folder at `path`, which only its owner may enter.
    pub(in crate::store) fn open(path: &Path) -> Result<Folder, StoreError> {
        let shown = path.display().to_string();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|error| failed(format!("cannot open {shown}"), error))?;
        Folder { fd, path: shown }.private()
    }

    /// Opens the folder `name` inside this one.
    pub(in crate::store) fn folder(&self, name: &str) -> Result<Folder, StoreError> {
        let path = self.path_of(name);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fd = openat(&self.fd, name, flags, Mode::empty())
            .map_err(|error| failed(format!("cannot open {path}"), error))?;
        Folder { fd, path }.private()
    }

    /// Names of keys are nobody else's business, and who can write here can remove keys.
    fn private(self) -> Result<Folder, StoreError> {
        let stat = fstat(&self.fd).map_err(|error| self.failed("cannot inspect", "", error))?;
        let path = &self.path;
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(StoreError::Refused(format!(
                "{path} belongs to another user (uid {}): give it to the agent's user with `chown`",
                stat.st_uid
            )));
        }
        if stat.st_mode & 0o077 != 0 {
            return Err(StoreError::Refused(format!(
                "{path} is open to other users (mode {:03o}): type `chmod 700 {path}`",
                stat.st_mode & 0o777
            )));
        }
        Ok(self)
    }

    /// The path of this folder, for messages.
    pub(in crate::store) fn path(&self) -> &str {
        &self.path
    }

    /// The path of a file in it, for messages.
    pub(in crate::store) fn path_of(&self, name: &str) -> String {
        if name.is_empty() {
            self.path.clone()
        } else {
            format!("{}/{name}", self.path)
        }
    }

    fn failed(&self, what: &str, name: &str, error: impl Into<io::Error>) -> StoreError {
        failed(format!("{what} {}", self.path_of(name)), error)
    }

    /// Makes the folder `name`, 0700, if it is not there.
    pub(in crate::store) fn make_folder(&self, name: &str) -> Result<(), StoreError> {
        step(&self.path, &Step::Mkdir(name))
            .and_then(|()| match mkdirat(&self.fd, name, Mode::RWXU) {
                Err(Errno::EXIST) | Ok(()) => Ok(()),
                Err(error) => Err(error.into()),
            })
            .map_err(|error| self.failed("cannot make", name, error))
    }

    /// The names in this folder, in no order.
    pub(in crate::store) fn names(&self) -> Result<Vec<String>, StoreError> {
        let fail = |error| self.failed("cannot list", "", error);
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            match entry.file_name().to_str() {
                Ok("." | "..") | Err(_) => {}
                Ok(_) if names.len() == MAX_NAMES => {
                    return Err(StoreError::Refused(format!(
                        "{} has more than {MAX_NAMES} files: is it a vault?",
                        self.path
                    )));
                }
                Ok(name) => names.push(name.to_owned()),
            }
        }
        Ok(names)
    }

    /// Whether `name` is there, whatever it is.
    pub(in crate::store) fn has(&self, name: &str) -> Result<bool, StoreError> {
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(self.failed("cannot inspect", name, error)),
        }
    }

    /// The content of the file `name`, or nothing if it is not there. More than `max` bytes, or
    /// anything but a regular file, is damage.
    pub(in crate::store) fn read(
        &self,
        name: &str,
        max: usize,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        // NONBLOCK: a pipe in the place of a file must not hang the agent.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let damaged = |why: &str| Err(StoreError::Damaged(self.path_of(name), why.into()));
        let fail = |error| self.failed("cannot read", name, error);
        let fd = match openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return damaged("it is a symbolic link"),
            Err(error) => return Err(fail(error.into())),
        };
        let mut file = File::from(fd);
        let metadata = file.metadata().map_err(fail)?;
        if FileType::from_raw_mode(metadata.mode()) != FileType::RegularFile {
            return damaged("it is not a regular file");
        }
        if metadata.len() > max as u64 {
            return damaged("it is too long");
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(max + 1));
        let mut limited = (&mut file).take(max as u64 + 1);
        limited.read_to_end(&mut bytes).map_err(fail)?;
        if bytes.len() > max {
            return damaged("it is too long");
        }
        Ok(Some(bytes))
    }

    /// Puts `bytes` at `name`, 0600: all of it or nothing, and for good once this returns.
    pub(in crate::store) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let temporary = temporary(name);
        let written = self.write_new(&temporary, bytes).and_then(|()| {
            self.rename_raw(&temporary, name)?;
            self.sync_raw()
        });
        written.map_err(|error| {
            // What was written is worth nothing; if it stays, the next start removes it.
            let _ = self.remove_raw(&temporary);
            self.failed("cannot write", name, error)
        })
    }

    /// Puts files at their names, as [`Folder::write`], with as few flushes as that takes. After
    /// an error, or a power cut, some may be there.
    pub(super) fn write_many(&self, files: &[(String, Vec<u8>)]) -> Result<(), StoreError> {
        let temporaries: Vec<String> = files.iter().map(|(name, _)| temporary(name)).collect();
        let write = || {
            let mut open = Vec::with_capacity(files.len().min(FEW));
            for ((_, bytes), temporary) in files.iter().zip(&temporaries) {
                let file = self.create(temporary, bytes)?;
                if files.len() <= FEW {
                    open.push(Arc::new(file));
                }
            }
            for temporary in temporaries.iter().take(open.len()) {
                step(&self.path, &Step::Sync(temporary))?;
            }
            flush(&open)?;
            if open.is_empty() {
                step(&self.path, &Step::SyncAll)?;
                syncfs(&self.fd)?;
            }
            for ((name, _), temporary) in files.iter().zip(&temporaries) {
                self.rename_raw(temporary, name)?;
            }
            self.sync_raw()
        };
        write().map_err(|error| {
            for temporary in &temporaries {
                let _ = self.remove_raw(temporary);
            }
            let name = match files {
                [.., (name, _)] if files.len() <= FEW => name,
                _ => "",
            };
            self.failed("cannot write", name, error)
        })
    }

    fn write_new(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let file = self.create(name, bytes)?;
        step(&self.path, &Step::Sync(name))?;
        file.sync_all()
    }

    fn create(&self, name: &str, bytes: &[u8]) -> io::Result<File> {
        step(&self.path, &Step::Create(name))?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let open = || openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR);
        let fd = match open() {
            Err(Errno::EXIST) => {
                // Left by a write that failed; writers of this folder take turns.
                unlinkat(&self.fd, name, AtFlags::empty())?;
                open()?
            }
            other => other?,
        };
        step(&self.path, &Step::Write(name, bytes))?;
        let mut file = File::from(fd);
        file.write_all(bytes)?;
        Ok(file)
    }

    /// Renames a file for good.
    pub(in crate::store) fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.rename_raw(from, to)
            .and_then(|()| self.sync_raw())
            .map_err(|error| self.failed("cannot write", to, error))
    }

    /// Removes a file, if it is there; not for good before [`Folder::sync`].
    pub(in crate::store) fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.remove_raw(name)
            .map_err(|error| self.failed("cannot remove", name, error))
    }

    /// Makes the removals for good.
    pub(in crate::store) fn sync(&self) -> Result<(), StoreError> {
        self.sync_raw()
            .map_err(|error| self.failed("cannot write", "", error))
    }

    /// A file to hold a lock on, made if need be, 0600.
    pub(in crate::store) fn lock_file(&self, name: &str) -> Result<File, StoreError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR)
            .map(File::from)
            .map_err(|error| self.failed("cannot write", name, error))
    }

    fn rename_raw(&self, from: &str, to: &str) -> io::Result<()> {
        step(&self.path, &Step::Rename(from, to))?;
        Ok(renameat(&self.fd, from, &self.fd, to)?)
    }

    fn remove_raw(&self, name: &str) -> io::Result<()> {
        step(&self.path, &Step::Remove(name))?;
        match unlinkat(&self.fd, name, AtFlags::empty()) {
            Err(Errno::NOENT) | Ok(()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn sync_raw(&self) -> io::Result<()> {
        step(&self.path, &Step::SyncFolder)?;
        Ok(fsync(&self.fd)?)
    }
}

/// Flushes files at the same time, which takes a disk about as long as one.
fn flush(files: &[Arc<File>]) -> io::Result<()> {
    let mut files = files.iter();
    let Some(first) = files.next() else {
        return Ok(());
    };
    // Without a thread to spare, one after the other.
    let begun: Vec<_> = files.map(|file| (file, begin_flush(file))).collect();
    begun
        .into_iter()
        .fold(first.sync_all(), |result, (file, begun)| {
            let flushed = begun.and_then(|begun| begun.recv().ok());
            result.and(flushed.unwrap_or_else(|| file.sync_all()))
        })
}

/// A file to flush, and where to say how that went.
type Flush = (Arc<File>, Sender<io::Result<()>>);

/// Has a thread flush a file. It stays for the next one: a thread's start takes as long as a flush.
fn begin_flush(file: &Arc<File>) -> Option<Receiver<io::Result<()>>> {
    static FLUSHER: LazyLock<Option<Sender<Flush>>> = LazyLock::new(|| {
        let (sender, files) = mpsc::channel::<Flush>();
        let flusher = thread::Builder::new().name("flush".into());
        let thread = flusher.spawn(move || {
            for (file, done) in files {
                let _ = done.send(file.sync_all());
            }
        });
        thread.ok().map(|_| sender)
    });
    let (done, begun) = mpsc::channel();
    let flusher = FLUSHER.as_ref()?;
    flusher.send((Arc::clone(file), done)).ok()?;
    Some(begun)
}

/// The name a file has until it is complete.
pub(in crate::store) fn temporary(name: &str) -> String {
    format!(".{}.tmp", name.trim_start_matches('.'))
}

/// Whether a name is that of a file that was never completed.
pub(in crate::store) fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".tmp")
}

fn failed(what: String, error: impl Into<io::Error>) -> StoreError {
    StoreError::Io(what, error.into())
}

#[cfg(not(test))]
fn step(_: &str, _: &Step<'_>) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(super) use super::tests::steps::step;
