//! Which log lies where.

use super::{Broken, Log};
use embedded_storage::nor_flash::NorFlash;

/// Slots for keys.
pub(in crate::token) const SLOTS: usize = 16;

/// A log's place. Each has two sectors, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::token) enum Place {
    /// What makes this token this one.
    Device,
    /// The sealed master key and what was fixed by `Init`.
    Master,
    /// Tries of the PIN.
    Tries,
    /// The counter of signatures.
    Signatures,
    /// The two times.
    Time,
    /// A slot, from 0.
    Slot(u8),
}

impl Place {
    const BEFORE_SLOTS: u8 = 5;

    fn number(self) -> u8 {
        match self {
            Place::Device => 0,
            Place::Master => 1,
            Place::Tries => 2,
            Place::Signatures => 3,
            Place::Time => 4,
            Place::Slot(slot) => Place::BEFORE_SLOTS + slot,
        }
    }

    /// Every place but the device's.
    pub(in crate::token) fn others() -> impl Iterator<Item = Place> {
        [Place::Master, Place::Tries, Place::Signatures, Place::Time]
            .into_iter()
            .chain((0..SLOTS as u8).map(Place::Slot))
    }

    /// The log there.
    pub(in crate::token) fn log<F: NorFlash>(self) -> Log {
        let sector = F::ERASE_SIZE as u32;
        let (copy, marks) = match self {
            Place::Tries => (12, 8),
            Place::Signatures => (20, 0),
            Place::Time => (28, 0),
            Place::Device | Place::Master | Place::Slot(_) => (sector / 2, 0),
        };
        Log {
            start: u32::from(self.number()) * 2 * sector,
            sector,
            copy,
            marks,
            name: self.number(),
        }
    }
}

/// Bytes of flash that a token's storage takes.
pub const fn storage_len(sector: usize) -> usize {
    (Place::BEFORE_SLOTS as usize + SLOTS) * 2 * sector
}

/// Gives every log but the device's its first entry, which `first` writes.
pub(in crate::token) fn reset<F: NorFlash>(
    flash: &mut F,
    mut first: impl FnMut(Place, &mut [u8; 32]) -> usize,
) -> Result<(), Broken> {
    for place in Place::others() {
        let mut payload = [0u8; 32];
        let len = first(place, &mut payload);
        place.log::<F>().restart(flash, &payload[..len])?;
    }
    Ok(())
}
