//! One agent per vault.

use super::files::Folder;
use crate::store::StoreError;
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::io::{Read, Seek, Write};

const NAME: &str = "lock";

/// Holds the vault against other agents until it is dropped, or its process ends.
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock and leaves this process id in it.
    pub(super) fn take(folder: &Folder) -> Result<Lock, StoreError> {
        let mut file = folder.lock_file(NAME)?;
        let fail = |error| StoreError::Io(format!("cannot lock {}", folder.path()), error);
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut text = String::new();
                // Who it is only helps the person; the lock itself says that it is held.
                let _ = (&mut file).take(16).read_to_string(&mut text);
                return Err(StoreError::InUse(
                    folder.path().into(),
                    text.trim().parse().ok(),
                ));
            }
            Err(error) => return Err(fail(error.into())),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(fail)?;
        Ok(Lock { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child that is just being started has the file open too.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}
