//! Stops, fails or records the changes that this thread makes to folders.

use crate::store::vault::files::Step;
use std::cell::RefCell;
use std::io;

type Hook = Box<dyn FnMut(&str, &Step<'_>) -> io::Result<()>>;

thread_local! {
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
}

/// Called before every change, with the folder's path.
pub(in crate::store::vault) fn step(folder: &str, step: &Step<'_>) -> io::Result<()> {
    HOOK.with_borrow_mut(|hook| hook.as_mut().map_or(Ok(()), |hook| hook(folder, step)))
}

/// Runs `body` with `hook` before each of its changes.
pub(super) fn with_hook<T>(
    hook: impl FnMut(&str, &Step<'_>) -> io::Result<()> + 'static,
    body: impl FnOnce() -> T,
) -> T {
    HOOK.set(Some(Box::new(hook)));
    let result = body();
    HOOK.set(None);
    result
}
