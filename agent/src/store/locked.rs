//! Secrets in memory that is kept out of swap and core dumps, and wiped when dropped.
//!
//! Small secrets share pages, because the limit on locked memory (`RLIMIT_MEMLOCK`) counts pages:
//! one chunk of 16 KiB holds 128 of them. Where the limit does not allow a chunk to be locked it
//! is used unlocked and [`all_locked`] says so; it is still wiped, and left out of core dumps.

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mlock, mmap_anonymous, munmap};
use std::ffi::c_void;
use std::fmt;
use std::io;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeroize::Zeroize;

/// The longest secret, in bytes.
pub const MAX: usize = 128;
const CHUNK: usize = 16 * 1024;

type Lock = fn(*mut c_void, usize) -> io::Result<()>;

static PROCESS: Arena = Arena::new(lock_pages);

/// Whether every secret of this process lies in locked memory.
pub fn all_locked() -> bool {
    !PROCESS.state().spilled
}

/// A secret of at most [`MAX`] bytes; never copied, wiped when dropped.
pub struct Secret {
    slot: Slot,
    len: usize,
    arena: &'static Arena,
}

impl Secret {
    /// `len` bytes that `fill` writes in place.
    ///
    /// # Errors
    /// When `len` is over [`MAX`], or the system gives no memory.
    pub fn fill(len: usize, fill: impl FnOnce(&mut [u8])) -> io::Result<Secret> {
        PROCESS.fill(len, fill)
    }

    /// The bytes. Whoever calls this answers for where they go.
    pub fn expose(&self) -> &[u8] {
        // SAFETY: the slot has MAX >= len initialised bytes, belongs to this secret alone until it
        // is dropped, and its chunk is never unmapped, since its arena is static.
        unsafe { std::slice::from_raw_parts(self.slot.0.as_ptr(), self.len) }
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: as in `expose`; `&mut self` makes this the only reference.
        unsafe { std::slice::from_raw_parts_mut(self.slot.0.as_ptr(), self.len) }
    }

    /// Flips a bit, as faulty memory would.
    #[cfg(test)]
    pub(super) fn corrupt(&mut self, index: usize) {
        self.bytes()[index] ^= 1;
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.bytes().zeroize();
        self.arena.state().free.push(Slot(self.slot.0));
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// The start of MAX bytes of a chunk; held by one secret or by the list of free ones.
struct Slot(NonNull<u8>);

// SAFETY: a slot is the only way to its bytes, and they are ordinary memory of the process.
unsafe impl Send for Slot {}
// SAFETY: through a shared reference the bytes are only read.
unsafe impl Sync for Slot {}

struct State {
    free: Vec<Slot>,
    spilled: bool,
}

struct Arena {
    state: Mutex<State>,
    lock: Lock,
}

impl Arena {
    const fn new(lock: Lock) -> Arena {
        Arena {
            state: Mutex::new(State {
                free: Vec::new(),
                spilled: false,
            }),
            lock,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that holds the guard can leave the list half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fill(&'static self, len: usize, fill: impl FnOnce(&mut [u8])) -> io::Result<Secret> {
        if len > MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the secret is too long",
            ));
        }
        let slot = {
            let mut state = self.state();
            if state.free.is_empty() {
                self.grow(&mut state)?;
            }
            state.free.pop().ok_or(io::ErrorKind::OutOfMemory)?
        };
        let mut secret = Secret {
            slot,
            len,
            arena: self,
        };
        fill(secret.bytes());
        Ok(secret)
    }

    fn grow(&self, state: &mut State) -> io::Result<()> {
        // SAFETY: a new private mapping at an address of the kernel's choice touches nothing else.
        let base = unsafe {
            mmap_anonymous(
                std::ptr::null_mut(),
                CHUNK,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )?
        };
        if let Err(error) = keep_from_children_and_dumps(base) {
            // SAFETY: the mapping was made above, and nothing points into it yet.
            unsafe { munmap(base, CHUNK)? };
            return Err(error);
        }
        if (self.lock)(base, CHUNK).is_err() {
            state.spilled = true;
        }
        for offset in (0..CHUNK).step_by(MAX) {
            // SAFETY: the offset lies within the mapping.
            let start = unsafe { base.cast::<u8>().add(offset) };
            state.free.extend(NonNull::new(start).map(Slot));
        }
        Ok(())
    }
}

fn keep_from_children_and_dumps(base: *mut c_void) -> io::Result<()> {
    for advice in [Advice::LinuxDontDump, Advice::LinuxWipeOnFork] {
        // SAFETY: the range is a mapping of this arena; both only change what dumps and forks see.
        unsafe { madvise(base, CHUNK, advice)? };
    }
    Ok(())
}

fn lock_pages(base: *mut c_void, len: usize) -> io::Result<()> {
    // SAFETY: locking a mapping changes nothing that Rust relies on.
    unsafe { mlock(base, len)? };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arena(lock: Lock) -> &'static Arena {
        Box::leak(Box::new(Arena::new(lock)))
    }

    fn flags_of(secret: &Secret) -> Vec<String> {
        let address = secret.expose().as_ptr() as usize;
        let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut inside = false;
        for line in smaps.lines() {
            if let Some((low, high)) = line.split(' ').next().and_then(|word| word.split_once('-'))
            {
                let bound = |text| usize::from_str_radix(text, 16).unwrap();
                inside = (bound(low)..bound(high)).contains(&address);
            } else if let (true, Some(flags)) = (inside, line.strip_prefix("VmFlags:")) {
                return flags.split_whitespace().map(str::to_owned).collect();
            }
        }
        panic!("no mapping holds the secret");
    }

    #[test]
    fn pages_are_locked_left_out_of_dumps_and_wiped_in_forks() {
        let secret = arena(lock_pages)
            .fill(3, |bytes| bytes.copy_from_slice(b"abc"))
            .unwrap();
        assert_eq!(secret.expose(), b"abc");
        let flags = flags_of(&secret);
        for flag in ["lo", "dd", "wf"] {
            assert!(
                flags.iter().any(|found| found == flag),
                "{flag} not in {flags:?}"
            );
        }
        assert!(!secret.arena.state().spilled);
    }

    #[test]
    fn over_the_limit_secrets_are_kept_and_it_is_said() {
        let arena = arena(|_, _| Err(io::ErrorKind::OutOfMemory.into()));
        let secret = arena.fill(MAX, |bytes| bytes.fill(9)).unwrap();
        assert_eq!(secret.expose(), [9; MAX]);
        assert!(arena.state().spilled);
        assert!(flags_of(&secret).iter().any(|flag| flag == "dd"));
    }

    #[test]
    fn slots_are_wiped_when_dropped_and_used_again() {
        let arena = arena(lock_pages);
        let count = CHUNK / MAX;
        let many: Vec<Secret> = (0..count + 1)
            .map(|at| arena.fill(MAX, |bytes| bytes.fill(at as u8)).unwrap())
            .collect();
        for (at, secret) in many.iter().enumerate() {
            assert_eq!(secret.expose(), [at as u8; MAX]);
        }
        drop(many);
        assert_eq!(arena.state().free.len(), 2 * count);
        arena
            .fill(MAX, |bytes| assert_eq!(bytes, [0; MAX]))
            .unwrap();
        assert_eq!(arena.state().free.len(), 2 * count);
    }

    #[test]
    fn a_long_secret_is_refused_and_debug_is_silent() {
        let arena = arena(lock_pages);
        assert!(arena.fill(MAX + 1, |_| ()).is_err());
        let secret = arena
            .fill(6, |bytes| bytes.copy_from_slice(b"hidden"))
            .unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(redacted)");
    }
}
