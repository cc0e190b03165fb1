//! Waiting for a board that restarts, and comparing what it runs.

use super::super::line::LineFlags;
use super::image::Firmware;
use crate::error::Error;
use crate::output::clean_inline;
use data_encoding::HEXLOWER;
use nkey_agent::token::{About, Token};
use std::time::{Duration, Instant};

/// How often it is looked.
const PAUSE: Duration = Duration::from_millis(200);

/// Looks until there is something, for so long at most.
pub fn until<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if start.elapsed() > patience {
            return None;
        }
        std::thread::sleep(PAUSE);
    }
}

/// The token that comes back: the one of this serial number, else one that was not there before.
pub fn wait(
    flags: &LineFlags,
    serial: Option<&str>,
    before: &[String],
    patience: Duration,
) -> Option<About> {
    until(patience, || {
        let token = match &flags.port {
            Some(port) => Token::open(&flags.place(port, serial)),
            None => {
                let mut found = flags.serials();
                found.retain(|found| match serial {
                    Some(serial) => found == serial,
                    None => !before.contains(found),
                });
                let found = found.pop()?;
                let allowed = flags.allow_virtual.as_ref() == Some(&found);
                Token::open_serial(&found, (&flags.sysfs, &flags.dev), allowed)
            }
        };
        // It may not answer yet, or the agent may be asking it.
        token.ok().map(|token| token.about().clone())
    })
}

/// That the token says the hash of what was written.
///
/// # Errors
/// Names both.
pub fn compare(about: &About, firmware: &Firmware) -> Result<(), Error> {
    if about.hash == firmware.hash() {
        return Ok(());
    }
    let serial = clean_inline(&about.serial);
    Err(Error::failed(format!(
        "{serial} says that it runs {}, and {} was written: do not use it before that is clear; flash it again with BOOTSEL held",
        HEXLOWER.encode(&about.hash),
        firmware.shown()
    ))
    .next(format!("nkey token info {serial}")))
}
