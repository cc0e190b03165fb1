//! Memory for secrets: locked, so that it is never written to swap, and left out of core dumps.
//!
//! Where RLIMIT_MEMLOCK does not allow it, secrets are kept all the same, wiped as ever,
//! and [`Arena::is_locked`] says so.

use rustix::mm::{Advice, MapFlags, ProtFlags};
use std::io;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroize;

/// Bytes of one secret at most.
pub const SLOT: usize = 128;

/// Bytes mapped at a time: one page, or several where pages are smaller.
const PAGE: usize = 4096;

/// Pages of slots. Grows as needed, and keeps its pages.
pub struct Arena(Mutex<Pages>);

struct Pages {
    free: Vec<NonNull<u8>>,
    locked: bool,
}

// SAFETY: the pointers are to mappings of this process, valid in every thread; the mutex guards the list.
unsafe impl Send for Pages {}

impl Default for Arena {
    fn default() -> Arena {
        Arena(Mutex::new(Pages {
            free: Vec::new(),
            locked: true,
        }))
    }
}

impl Arena {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every page so far is locked in memory.
    pub fn is_locked(&self) -> bool {
        self.pages().locked
    }

    /// Keeps a secret of at most [`SLOT`] bytes.
    ///
    /// # Errors
    /// If it is longer, or there is no memory.
    pub fn keep(self: &Arc<Arena>, secret: &[u8]) -> io::Result<Locked> {
        if secret.len() > SLOT {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a secret is too long"));
        }
        let mut pages = self.pages();
        if pages.free.is_empty() {
            pages.grow()?;
        }
        let place = pages.free.pop().ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: the slot is SLOT bytes, nobody else has it, and `secret` is not longer.
        unsafe { std::ptr::copy_nonoverlapping(secret.as_ptr(), place.as_ptr(), secret.len()) };
        Ok(Locked {
            place,
            length: secret.len(),
            arena: Arc::clone(self),
        })
    }
}

impl Pages {
    fn grow(&mut self) -> io::Result<()> {
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice.
        let page = unsafe {
            rustix::mm::mmap_anonymous(
                std::ptr::null_mut(),
                PAGE,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )?
        };
        // SAFETY: the page was mapped just now, and is never unmapped.
        unsafe {
            self.locked &= rustix::mm::mlock(page, PAGE).is_ok();
            // Without core dumps (the process has none) this is a second line only.
            let _ = rustix::mm::madvise(page, PAGE, Advice::LinuxDontDump);
        }
        let page = NonNull::new(page.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: every offset is within the page.
        self.free
            .extend((0..PAGE / SLOT).map(|slot| unsafe { page.add(slot * SLOT) }));
        Ok(())
    }
}

/// A secret in an [`Arena`], wiped when dropped.
pub struct Locked {
    place: NonNull<u8>,
    length: usize,
    arena: Arc<Arena>,
}

// SAFETY: the slot belongs to this value alone, and is written only when it is made and dropped.
unsafe impl Send for Locked {}
// SAFETY: as above; shared access only reads.
unsafe impl Sync for Locked {}

impl Deref for Locked {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the slot's first `length` bytes were written when it was made.
        unsafe { std::slice::from_raw_parts(self.place.as_ptr(), self.length) }
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // SAFETY: nobody else refers to the slot any more.
        unsafe { std::slice::from_raw_parts_mut(self.place.as_ptr(), self.length) }.zeroize();
        self.arena.pages().free.push(self.place);
    }
}

impl std::fmt::Debug for Locked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("redacted")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_kept_apart_wiped_and_their_slots_used_again() {
        let arena = Arc::new(Arena::default());
        let many: Vec<Locked> = (0..100u8).map(|n| arena.keep(&[n; 64]).unwrap()).collect();
        for (n, secret) in many.iter().enumerate() {
            assert_eq!(secret[..], [n as u8; 64]);
        }
        let place = many[3].place;
        drop(many);
        // SAFETY: the arena never unmaps its pages.
        assert_eq!(unsafe { std::slice::from_raw_parts(place.as_ptr(), 64) }, [0; 64]);
        let again = arena.keep(b"x").unwrap();
        assert_eq!(&*again, b"x");
        assert_eq!(format!("{again:?}"), "redacted");
        assert!(arena.keep(&[0; SLOT + 1]).is_err());
    }
}
