//! Tries of the PIN, signatures, times. A damaged newest entry counts as the worse case.

use super::Fault;
use crate::token::flash::Place;
use crate::token::time::Times;
use embedded_storage::nor_flash::NorFlash;

/// Tries of the PIN before the token is blocked.
pub(in crate::token) const TRIES: u8 = 8;

pub(super) fn first_tries(payload: &mut [u8; 32]) -> usize {
    payload[0] = 0;
    1
}

pub(super) fn first_signatures(payload: &mut [u8; 32]) -> usize {
    payload[..8].fill(0);
    8
}

pub(super) fn first_times(payload: &mut [u8; 32]) -> usize {
    payload[..16].fill(0);
    16
}

/// Tries: an entry says how many were used when it was written, its marks those since then.
pub(in crate::token) mod tries {
    use super::*;
    use crate::token::flash::Found;

    fn read<F: NorFlash>(flash: &mut F) -> Result<(Found, u8), Fault> {
        let mut payload = [0; 2];
        let found = Place::Tries
            .log::<F>()
            .newest(flash, &mut payload)?
            .filter(|found| found.len == 1)
            .ok_or(Fault::Tries)?;
        let used = payload[0]
            .saturating_add(found.marks)
            .saturating_add(u8::from(found.damaged));
        Ok((found, used.min(TRIES)))
    }

    /// Tries that are left.
    pub(in crate::token) fn left<F: NorFlash>(flash: &mut F) -> Result<u8, Fault> {
        Ok(TRIES - read(flash)?.1)
    }

    /// Takes a try, before the PIN is looked at. False: none is left.
    pub(in crate::token) fn take<F: NorFlash>(flash: &mut F) -> Result<bool, Fault> {
        let (found, used) = read(flash)?;
        if used >= TRIES {
            return Ok(false);
        }
        let log = Place::Tries.log::<F>();
        if found.damaged {
            log.append(flash, &[used + 1])?;
        } else {
            log.mark(flash, &found)?;
        }
        if read(flash)?.1 <= used {
            return Err(Fault::Tries);
        }
        Ok(true)
    }

    /// After a right PIN.
    pub(in crate::token) fn restore<F: NorFlash>(flash: &mut F) -> Result<(), Fault> {
        Ok(Place::Tries.log::<F>().append(flash, &[0])?)
    }

    pub(in crate::token::store) fn settle<F: NorFlash>(flash: &mut F) -> Result<(), Fault> {
        let (found, used) = read(flash)?;
        if found.damaged || !found.whole {
            Place::Tries.log::<F>().append(flash, &[used])?;
        }
        Ok(())
    }
}

/// The counter of signatures.
pub(in crate::token) mod signatures {
    use super::*;
    use crate::token::flash::Found;

    fn read<F: NorFlash>(flash: &mut F) -> Result<(Found, u64), Fault> {
        let mut payload = [0; 10];
        let found = Place::Signatures
            .log::<F>()
            .newest(flash, &mut payload)?
            .ok_or(Fault::Signatures)?;
        let value = payload.first_chunk().filter(|_| found.len == 8);
        let value = u64::from_le_bytes(*value.ok_or(Fault::Signatures)?);
        Ok((found, value.saturating_add(u64::from(found.damaged))))
    }

    /// How many there were.
    pub(in crate::token) fn count<F: NorFlash>(flash: &mut F) -> Result<u64, Fault> {
        Ok(read(flash)?.1)
    }

    /// Counts one more, before it is made.
    pub(in crate::token) fn next<F: NorFlash>(flash: &mut F) -> Result<u64, Fault> {
        let next = count(flash)?.checked_add(1).ok_or(Fault::Signatures)?;
        Place::Signatures
            .log::<F>()
            .append(flash, &next.to_le_bytes())?;
        Ok(next)
    }

    pub(in crate::token::store) fn settle<F: NorFlash>(flash: &mut F) -> Result<(), Fault> {
        let (found, value) = read(flash)?;
        if found.damaged || !found.whole {
            Place::Signatures
                .log::<F>()
                .append(flash, &value.to_le_bytes())?;
        }
        Ok(())
    }
}

/// The two times.
pub(in crate::token) mod times {
    use super::*;

    /// The times, and whether later ones were lost.
    pub(in crate::token) fn read<F: NorFlash>(flash: &mut F) -> Result<(Times, bool), Fault> {
        let mut payload = [0; 18];
        let found = Place::Time
            .log::<F>()
            .newest(flash, &mut payload)?
            .filter(|found| found.len == 16)
            .ok_or(Fault::Time)?;
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = payload;
        let times = Times {
            latest: u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            witnessed: u64::from_le_bytes([i, j, k, l, m, n, o, p]),
        };
        Ok((times, found.damaged))
    }

    /// Keeps other times, if they are others.
    pub(in crate::token) fn write<F: NorFlash>(flash: &mut F, times: Times) -> Result<(), Fault> {
        if read(flash)? == (times, false) {
            return Ok(());
        }
        let mut payload = [0; 16];
        payload[..8].copy_from_slice(&times.latest.to_le_bytes());
        payload[8..].copy_from_slice(&times.witnessed.to_le_bytes());
        Ok(Place::Time.log::<F>().append(flash, &payload)?)
    }
}
