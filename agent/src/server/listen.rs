//! The socket: 0600, in a directory that is ours alone.

use rustix::fs::{FlockOperation, Mode, OFlags};
use std::fmt;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Why the agent cannot listen.
#[derive(Debug)]
pub enum ListenError {
    /// Another agent listens there.
    Live(PathBuf),
    /// Something that is no socket is there.
    NotASocket(PathBuf),
    /// The directory is open to others or belongs to somebody else.
    Directory(PathBuf, String),
    /// The operating system refused.
    Io(PathBuf, io::Error),
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenError::Live(path) => write!(
                f,
                "an agent listens at {} already: `nkey agent stop` ends it",
                path.display()
            ),
            ListenError::NotASocket(path) => write!(
                f,
                "{} is there and is no socket: remove it, or choose another place with --socket",
                path.display()
            ),
            ListenError::Directory(path, why) => {
                write!(f, "the directory {} {why}", path.display())
            }
            ListenError::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for ListenError {}

/// Listens at `path`. A socket that nobody listens at is replaced.
///
/// # Errors
/// [`ListenError`] says what is in the way.
pub fn listen(path: &Path) -> Result<UnixListener, ListenError> {
    let io = |error: io::Error| ListenError::Io(path.to_owned(), error);
    let directory = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Err(ListenError::NotASocket(path.to_owned())),
    };
    own_directory(directory)?;
    // Two agents that start at once take turns, so that none removes the other's new socket.
    let lock = rustix::fs::open(
        directory,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|error| io(error.into()))?;
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).map_err(|error| io(error.into()))?;
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(io(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(ListenError::NotASocket(path.to_owned()));
        }
        Ok(_) => match UnixStream::connect(path) {
            Ok(_) => return Err(ListenError::Live(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(path).map_err(io)?;
            }
            Err(error) => return Err(io(error)),
        },
    }
    let listener = UnixListener::bind(path).map_err(io)?;
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(io)?;
    // std listens with a backlog of 128: a burst of clients would be refused.
    rustix::net::listen(&listener, 4096).map_err(|error| io(error.into()))?;
    Ok(listener)
}

fn own_directory(directory: &Path) -> Result<(), ListenError> {
    let refuse = |why: &str| Err(ListenError::Directory(directory.to_owned(), why.to_owned()));
    let io = |error| ListenError::Io(directory.to_owned(), error);
    match DirBuilder::new().mode(0o700).create(directory) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(io(error)),
    }
    let found = fs::symlink_metadata(directory).map_err(io)?;
    if found.is_symlink() {
        return refuse("is a symbolic link: name the directory itself with --socket");
    }
    if !found.is_dir() {
        return refuse("is no directory");
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return refuse("belongs to another user: choose another place with --socket");
    }
    if found.mode() & 0o077 != 0 {
        return refuse("is open to others: `chmod 700` it, or choose another place with --socket");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("nkey-listen-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        let _ = fs::remove_file(&dir);
        dir
    }

    #[test]
    fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let dir = scratch("stale");
        let path = dir.join("agent.sock");
        let first = listen(&path).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(matches!(listen(&path), Err(ListenError::Live(_))));
        drop(first);
        assert!(path.exists());
        listen(&path).unwrap();
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_file_or_an_open_directory_is_left_alone() {
        let dir = scratch("file");
        let path = dir.join("agent.sock");
        DirBuilder::new().mode(0o700).create(&dir).unwrap();
        fs::write(&path, "precious").unwrap();
        assert!(matches!(listen(&path), Err(ListenError::NotASocket(_))));
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        fs::set_permissions(&dir, Permissions::from_mode(0o750)).unwrap();
        assert!(matches!(
            listen(&dir.join("x")),
            Err(ListenError::Directory(..))
        ));
        fs::set_permissions(&dir, Permissions::from_mode(0o700)).unwrap();
        let link = scratch("link");
        std::os::unix::fs::symlink(&dir, &link).unwrap();
        assert!(matches!(
            listen(&link.join("x")),
            Err(ListenError::Directory(..))
        ));
        std::os::unix::fs::symlink(dir.join("elsewhere"), dir.join("x")).unwrap();
        assert!(matches!(
            listen(&dir.join("x")),
            Err(ListenError::NotASocket(_))
        ));
        fs::remove_file(link).unwrap();
        fs::remove_dir_all(dir).unwrap();
    }
}
