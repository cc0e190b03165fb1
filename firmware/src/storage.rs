//! The token's storage: the end of flash.

use crate::{LAYOUT, watchdog};
use embassy_rp::Peri;
use embassy_rp::flash::{Blocking, Error, Flash};
use embassy_rp::peripherals::FLASH;
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use nkey_firmware::boards::{SECTOR, STORAGE_LEN};

/// Offset of the storage in flash.
const START: u32 = LAYOUT.storage() as u32;

/// The storage.
pub struct Storage(Flash<'static, FLASH, Blocking, { LAYOUT.flash }>);

impl Storage {
    /// At the end of flash.
    pub fn new(flash: Peri<'static, FLASH>) -> Storage {
        Storage(Flash::new_blocking(flash))
    }

    /// The id of the flash chip; zeros if it has none.
    #[cfg(feature = "rp2040")]
    pub fn unique_id(&mut self) -> [u8; 8] {
        let mut id = [0; 8];
        let read = self.0.blocking_unique_id(&mut id);
        read.map_or([0; 8], |()| id)
    }

    /// The offset in flash; what ends beyond the storage is out of bounds.
    fn within(offset: u32, len: usize) -> Result<u32, Error> {
        let end = (offset as usize).checked_add(len);
        match end {
            Some(end) if end <= STORAGE_LEN => Ok(START + offset),
            _ => Err(NorFlashErrorKind::OutOfBounds.into()),
        }
    }
}

impl ErrorType for Storage {
    type Error = Error;
}

impl ReadNorFlash for Storage {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Error> {
        self.0
            .blocking_read(Self::within(offset, bytes.len())?, bytes)
    }

    fn capacity(&self) -> usize {
        STORAGE_LEN
    }
}

impl NorFlash for Storage {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = SECTOR;

    /// A sector takes up to 0.4 s, so each is a sign of life: formatting erases 42.
    fn erase(&mut self, from: u32, to: u32) -> Result<(), Error> {
        let len = to.checked_sub(from).ok_or(Error::OutOfBounds)?;
        let start = Self::within(from, len as usize)?;
        for sector in (start..start + len).step_by(SECTOR) {
            self.0.blocking_erase(sector, sector + SECTOR as u32)?;
            watchdog::feed();
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Error> {
        self.0
            .blocking_write(Self::within(offset, bytes.len())?, bytes)
    }
}
