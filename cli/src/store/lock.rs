//! Taking turns with other runs of `nkey`.

use super::file;
use crate::error::Error;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long another run is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Held while a store is read, changed and written; released when dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Locks `stores`, the folder of the operators, by an flock on its `.nkey.lock`.
    ///
    /// # Errors
    /// If the file cannot be made, or another run keeps it for 10 seconds.
    pub fn take(stores: &Path) -> Result<Lock, Error> {
        Lock::take_within(stores, PATIENCE)
    }

    fn take_within(stores: &Path, patience: Duration) -> Result<Lock, Error> {
        file::make_dir(stores)?;
        let path = stores.join(".nkey.lock");
        let failed = |error| Error::failed(format!("cannot lock {}: {error}", path.display()));
        let mut options = OpenOptions::new();
        let no_link = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        options
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(no_link);
        let file = options.open(&path).map_err(failed)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if started.elapsed() >= patience => {
                    return Err(Error::failed(format!(
                        "another nkey has been changing this store for {} seconds (it locks {}): wait for it or end it",
                        patience.as_secs(),
                        path.display()
                    )));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A folder for one test, removed when dropped.
    pub struct Scratch {
        pub path: PathBuf,
    }

    impl Scratch {
        pub fn new() -> Scratch {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir()
                .join(format!("nkey-store-test-{}-{count}", std::process::id()));
            std::fs::create_dir(&path).unwrap();
            Scratch { path }
        }

        pub fn join(&self, name: &str) -> PathBuf {
            self.path.join(name)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }

    #[test]
    fn one_at_a_time() {
        let scratch = Scratch::new();
        let stores = scratch.join("stores");
        let first = Lock::take(&stores).unwrap();
        let error = Lock::take_within(&stores, Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains(".nkey.lock"), "{error}");
        drop(first);
        Lock::take_within(&stores, Duration::ZERO).unwrap();
    }

    #[test]
    fn a_link_in_place_of_the_lock_is_refused() {
        let scratch = Scratch::new();
        std::os::unix::fs::symlink(scratch.join("elsewhere"), scratch.join(".nkey.lock")).unwrap();
        Lock::take(&scratch.path).unwrap_err();
        assert!(!scratch.join("elsewhere").exists());
    }
}
