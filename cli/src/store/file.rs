//! Reading bounded, writing whole or not at all.

use crate::error::Error;
use rustix::fs::CWD;
use rustix::io::Errno;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The longest file that is read from a store: a token, in bytes.
pub const MAX_FILE: usize = nkey_core::jwt::MAX_TOKEN;

fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::failed(format!("cannot {what} {}: {error}", path.display()))
}

/// The content of a regular file of at most [`MAX_FILE`] bytes; none if there is no such file.
///
/// # Errors
/// If it cannot be read, is longer, or is something else than a file.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    // A named pipe in place of a token must not hold us up.
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = match OpenOptions::new()
        .read(true)
        .custom_flags(nonblocking)
        .open(path)
    {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(failed("read", path, &error)),
    };
    let metadata = file
        .metadata()
        .map_err(|error| failed("read", path, &error))?;
    if !metadata.is_file() {
        return Err(Error::failed(format!("{} is not a file", path.display())));
    }
    let limit = MAX_FILE as u64 + 1;
    let expected = usize::try_from(metadata.len().min(limit)).unwrap_or(0);
    let mut bytes = Vec::with_capacity(expected + 1);
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| failed("read", path, &error))?;
    if bytes.len() > MAX_FILE {
        return Err(Error::failed(format!(
            "{} is longer than {MAX_FILE} bytes",
            path.display()
        )));
    }
    Ok(Some(bytes))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Replaces a file, whose content was `read` (none: it was not there), with mode 0600.
///
/// # Errors
/// If the file has changed since; then nothing is changed.
pub fn replace(path: &Path, bytes: &[u8], read: Option<&[u8]>) -> Result<(), Error> {
    if read.is_none() {
        return New::begin(path)?.finish(bytes, || Ok(()));
    }
    let temp = Temp::beside(path, bytes)?;
    if self::read(path)?.as_deref() != read {
        return Err(changed(path));
    }
    temp.rename(path)
}

/// A file that is to be made, with mode 0600; dropped, nothing stays.
pub struct New {
    path: PathBuf,
    temp: Temp,
    file: File,
}

impl New {
    /// Begins with an empty file of another name.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn begin(path: &Path) -> Result<New, Error> {
        let (temp, file) = Temp::empty(path)?;
        Ok(New {
            path: path.to_owned(),
            temp,
            file,
        })
    }

    /// Makes the file, once `ready` returns; that is called when all of it is on disk under its
    /// other name.
    ///
    /// # Errors
    /// If a file has appeared at its place, and what `ready` says; then nothing is changed.
    pub fn finish(
        mut self,
        bytes: &[u8],
        ready: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.file
            .write_all(bytes)
            .and_then(|()| self.file.sync_all())
            .map_err(|error| failed("write", &self.path, &error))?;
        ready()?;
        self.temp.create(&self.path)?;
        sync_parent(&self.path)
    }
}

/// Makes files that are not there yet, with mode 0600; the folder is written to disk once for all.
///
/// # Errors
/// If one is there or cannot be written; those before it are whole and stay.
pub fn create_all(dir: &Path, files: &[(String, &str)]) -> Result<(), Error> {
    make_dir(dir)?;
    let temps = files
        .iter()
        .map(|(name, text)| Temp::unsynced(&dir.join(name), text.as_bytes()).map(|(temp, _)| temp))
        .collect::<Result<Vec<_>, _>>()?;
    flush(dir)?;
    let mut all = files.iter().zip(temps);
    let created = all.try_for_each(|((name, _), temp)| temp.create(&dir.join(name)));
    sync(dir).and(created)
}

/// Replaces files, each with its new text and what was read, as [`replace`]; the folder is written
/// to disk once for all.
///
/// # Errors
/// If one has changed since; those before it are replaced, and no other.
pub fn replace_all(dir: &Path, files: &[(String, &str, &[u8])]) -> Result<(), Error> {
    let temps = files
        .iter()
        .map(|(name, text, _)| {
            Temp::unsynced(&dir.join(name), text.as_bytes()).map(|(temp, _)| temp)
        })
        .collect::<Result<Vec<_>, _>>()?;
    flush(dir)?;
    let mut all = files.iter().zip(temps);
    let replaced = all.try_for_each(|((name, _, read), temp)| {
        let path = dir.join(name);
        if self::read(&path)?.as_deref() != Some(*read) {
            return Err(changed(&path));
        }
        temp.put(&path)
    });
    sync(dir).and(replaced)
}

/// Writes what the filesystem of a folder holds to disk: one flush instead of one for each file.
fn flush(dir: &Path) -> Result<(), Error> {
    File::open(dir)
        .and_then(|dir| Ok(rustix::fs::syncfs(&dir)?))
        .map_err(|error| failed("write to disk the folder", dir, &error))
}

fn changed(path: &Path) -> Error {
    Error::failed(format!(
        "{} was changed by another program meanwhile: nothing was written to it. Look at what changed it, then \
         run the command again",
        path.display()
    ))
}

/// Writes what the person asked for (`-o`): whole, with mode 0600, or straight to a device or pipe.
///
/// # Errors
/// If the file exists and is not to be replaced.
pub fn write_output(path: &Path, bytes: &[u8], overwrite: bool) -> Result<(), Error> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            if metadata.is_dir() {
                return Err(Error::usage(format!(
                    "{} is a folder, not a file",
                    path.display()
                )));
            }
            let mut device = OpenOptions::new()
                .write(true)
                .open(path)
                .map_err(|error| failed("write", path, &error))?;
            device
                .write_all(bytes)
                .map_err(|error| failed("write", path, &error))
        }
        Ok(_) if !overwrite => Err(Error::failed(format!(
            "{} exists already: --force replaces it",
            path.display()
        ))),
        Ok(_) => {
            // A link is followed, not replaced.
            let path = path
                .canonicalize()
                .map_err(|error| failed("write", path, &error))?;
            Temp::beside(&path, bytes)?.rename(&path)
        }
        Err(error) if is_absent(&error) => replace(path, bytes, None),
        Err(error) => Err(failed("write", path, &error)),
    }
}

/// Makes a folder and those above it, each with mode 0700 and on disk.
///
/// # Errors
/// Names the folder that cannot be made.
pub fn make_dir(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        make_dir(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => sync_parent(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(failed("make the folder", path, &error)),
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn sync_parent(path: &Path) -> Result<(), Error> {
    sync(parent(path))
}

fn sync(dir: &Path) -> Result<(), Error> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| failed("write to disk the folder", dir, &error))
}

/// A file beside its goal that is removed when it was not renamed.
///
/// Its name starts with a dot and ends in none of `.jwt`, `.nk`, `.creds`: nsc and
/// `nats auth` pass over it.
struct Temp {
    path: PathBuf,
    done: bool,
}

impl Temp {
    fn beside(path: &Path, bytes: &[u8]) -> Result<Temp, Error> {
        let (temp, file) = Temp::unsynced(path, bytes)?;
        file.sync_all()
            .map_err(|error| failed("write", path, &error))?;
        Ok(temp)
    }

    fn unsynced(path: &Path, bytes: &[u8]) -> Result<(Temp, File), Error> {
        let (temp, mut file) = Temp::empty(path)?;
        file.write_all(bytes)
            .map_err(|error| failed("write", path, &error))?;
        Ok((temp, file))
    }

    fn empty(path: &Path) -> Result<(Temp, File), Error> {
        let mut random = [0u8; 8];
        getrandom::fill(&mut random).map_err(|error| {
            Error::failed(format!("the system gives no random numbers: {error}"))
        })?;
        let name = format!(".nkey-{:016x}.tmp", u64::from_ne_bytes(random));
        let temp = Temp {
            path: parent(path).join(name),
            done: false,
        };
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temp.path)
            .map_err(|error| failed("write", path, &error))?;
        Ok((temp, file))
    }

    fn rename(self, path: &Path) -> Result<(), Error> {
        self.put(path)?;
        sync_parent(path)
    }

    /// Renames it; the folder is still to be synced.
    fn put(mut self, path: &Path) -> Result<(), Error> {
        fs::rename(&self.path, path).map_err(|error| failed("write", path, &error))?;
        self.done = true;
        Ok(())
    }

    /// Renames it unless a file has appeared at `path`; the folder is still to be synced.
    fn create(mut self, path: &Path) -> Result<(), Error> {
        let none = rustix::fs::RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(CWD, &self.path, CWD, path, none) {
            Ok(()) => self.done = true,
            Err(Errno::EXIST) => return Err(changed(path)),
            // Not every filesystem can; none makes a link over a file.
            Err(_) => match fs::hard_link(&self.path, path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(changed(path));
                }
                Err(error) if path.exists() => return Err(failed("write", path, &error)),
                Err(_) => {
                    fs::rename(&self.path, path).map_err(|error| failed("write", path, &error))?;
                    self.done = true;
                }
            },
        }
        Ok(())
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::lock::tests::Scratch;
    use std::os::unix::fs::PermissionsExt;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_only_if_it_is_what_was_read() {
        let scratch = Scratch::new();
        let path = scratch.join("A.jwt");
        replace(&path, b"one", None).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        replace(&path, b"two", Some(b"one")).unwrap();
        assert_eq!(read(&path).unwrap().unwrap(), b"two");
        for expected in [None, Some(&b"one"[..])] {
            let error = replace(&path, b"three", expected).unwrap_err();
            assert!(
                error.to_string().contains("changed by another program"),
                "{error}"
            );
            assert_eq!(read(&path).unwrap().unwrap(), b"two");
        }
        fs::remove_file(&path).unwrap();
        replace(&path, b"three", Some(b"two")).unwrap_err();
        assert_eq!(read(&path).unwrap(), None);
        assert_eq!(names(&scratch.path), Vec::<String>::new());
    }

    #[test]
    fn many_are_replaced_up_to_one_that_has_changed() {
        let scratch = Scratch::new();
        for name in ["a", "b", "c"] {
            replace(&scratch.join(name), b"one", None).unwrap();
        }
        let all = |read: &'static [u8]| ["a", "b", "c"].map(|name| (name.to_owned(), "two", read));
        replace(&scratch.join("b"), b"other", Some(b"one")).unwrap();
        let error = replace_all(&scratch.path, &all(b"one")).unwrap_err();
        assert!(error.to_string().contains("/b was changed"), "{error}");
        let text = |name| fs::read_to_string(scratch.join(name)).unwrap();
        assert_eq!(["a", "b", "c"].map(text), ["two", "other", "one"]);
        assert_eq!(names(&scratch.path), ["a", "b", "c"]);
        replace(&scratch.join("b"), b"one", Some(b"other")).unwrap();
        replace(&scratch.join("a"), b"one", Some(b"two")).unwrap();
        replace_all(&scratch.path, &all(b"one")).unwrap();
        assert_eq!(["a", "b", "c"].map(text), ["two"; 3]);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let scratch = Scratch::new();
        let gone = scratch.join("no/such/A.jwt");
        let error = replace(&gone, b"x", None).unwrap_err();
        assert!(error.to_string().contains("no/such/A.jwt"), "{error}");
        let dir = scratch.join("dir");
        make_dir(&dir.join("a/b")).unwrap();
        assert_eq!(
            fs::metadata(dir.join("a/b")).unwrap().permissions().mode() & 0o777,
            0o700
        );
        // A folder where the file should be.
        replace(&dir, b"x", None).unwrap_err();
        assert_eq!(names(&scratch.path), ["dir"]);
        fs::write(scratch.join("file"), b"").unwrap();
        make_dir(&scratch.join("file/below")).unwrap_err();
    }

    #[test]
    fn reading_is_bounded_and_takes_only_files() {
        let scratch = Scratch::new();
        let path = scratch.join("large.jwt");
        fs::write(&path, vec![b'x'; MAX_FILE]).unwrap();
        assert_eq!(read(&path).unwrap().unwrap().len(), MAX_FILE);
        fs::write(&path, vec![b'x'; MAX_FILE + 1]).unwrap();
        assert!(
            read(&path)
                .unwrap_err()
                .to_string()
                .contains("longer than 1048576 bytes")
        );
        assert!(
            read(&scratch.path)
                .unwrap_err()
                .to_string()
                .contains("is not a file")
        );
        assert_eq!(read(&path.join("below")).unwrap(), None);
        let pipe = scratch.join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        assert!(
            read(&pipe)
                .unwrap_err()
                .to_string()
                .contains("is not a file")
        );
    }

    #[test]
    fn output_follows_links_and_asks_before_it_replaces() {
        let scratch = Scratch::new();
        let (file, link) = (scratch.join("file"), scratch.join("link"));
        write_output(&file, b"one", false).unwrap();
        assert!(
            write_output(&file, b"two", false)
                .unwrap_err()
                .to_string()
                .contains("--force")
        );
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_output(&link, b"two", true).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read(&file).unwrap().unwrap(), b"two");
        write_output(Path::new("/dev/null"), b"x", false).unwrap();
        assert_eq!(
            write_output(&scratch.path, b"x", true).unwrap_err().code(),
            2
        );
    }
}
