//! What the logs hold.

mod counters;
mod device;
mod master;
mod slots;

pub(super) use counters::{TRIES, signatures, times, tries};
pub(super) use device::Device;
pub(super) use master::{Config, Master};
pub(super) use slots::{Slot, Stored};

use super::code::Fault;
use super::flash::{Broken, Place};
use embedded_storage::nor_flash::NorFlash;

impl From<Broken> for Fault {
    fn from(_: Broken) -> Fault {
        Fault::Flash
    }
}

/// Bytes that hold any record.
pub(super) const RECORD: usize = 2048;

/// After power-up: ends what was interrupted, and rewrites an entry of which one copy is damaged.
pub(super) fn settle<F: NorFlash>(
    flash: &mut F,
    place: Place,
    buf: &mut [u8; RECORD],
) -> Result<(), Fault> {
    let log = place.log::<F>();
    log.tidy(flash)?;
    match place {
        Place::Tries => tries::settle(flash),
        Place::Signatures => signatures::settle(flash),
        // A time that is in doubt stays so until somebody presses.
        _ => match log.newest(flash, buf)? {
            Some(found) if !found.whole && !found.damaged => {
                Ok(log.append(flash, &buf[..found.len])?)
            }
            _ => Ok(()),
        },
    }
}

/// Writes the first entries of all logs but the device's.
pub(super) fn clear<F: NorFlash>(flash: &mut F) -> Result<(), Fault> {
    super::flash::reset(flash, |place, payload| match place {
        Place::Tries => counters::first_tries(payload),
        Place::Signatures => counters::first_signatures(payload),
        Place::Time => counters::first_times(payload),
        // No master key, no key: an absent record.
        Place::Device | Place::Master | Place::Slot(_) => {
            payload[0] = 0;
            1
        }
    })?;
    Ok(())
}
