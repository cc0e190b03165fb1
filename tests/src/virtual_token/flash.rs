//! Flash in a file, written through byte by byte.

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use nkey_core::token::storage_len;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

const SECTOR: usize = 4096;

/// The exit status of a token whose power was cut.
pub const CUT: i32 = 75;

/// What is to go wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The power fails in this step: a byte programmed or a sector erased, counted from 0.
    pub cut: Option<u64>,
    /// This bit is flipped before power-up: byte, and bit 0 to 7.
    pub flip: Option<(usize, u8)>,
}

/// The file, and a copy of it in memory.
pub struct FileFlash {
    file: File,
    bytes: Vec<u8>,
    cut: Option<u64>,
}

impl FileFlash {
    /// Opens the file, mode 0600, or makes a blank one.
    pub fn open(path: &Path, faults: Faults) -> io::Result<FileFlash> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        let wanted = storage_len(SECTOR);
        let len = file.metadata()?.len();
        let mut bytes = Vec::new();
        match len {
            0 => {
                bytes.resize(wanted, 0xFF);
                file.write_all_at(&bytes, 0)?;
            }
            _ if len == wanted as u64 => {
                file.read_to_end(&mut bytes)?;
            }
            _ => {
                return Err(io::Error::other(format!(
                    "{} has {len} bytes and is no virtual token's flash, which has {wanted}",
                    path.display()
                )));
            }
        }
        if let Some((at, bit)) = faults.flip {
            let byte = bytes
                .get_mut(at)
                .filter(|_| bit < 8)
                .ok_or_else(|| io::Error::other(format!("there is no bit {bit} of byte {at}")))?;
            *byte ^= 1 << bit;
            file.write_all_at(&[*byte], at as u64)?;
        }
        Ok(FileFlash {
            file,
            bytes,
            cut: faults.cut,
        })
    }

    /// Counts a step; whether the power fails in it.
    fn step(&mut self) -> bool {
        match &mut self.cut {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }

    fn keep(&self, from: usize, to: usize) -> Result<(), NorFlashErrorKind> {
        self.file
            .write_all_at(&self.bytes[from..to], from as u64)
            .map_err(|_| NorFlashErrorKind::Other)
    }
}

impl ErrorType for FileFlash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for FileFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        let from = offset as usize;
        let range = self.bytes.get(from..from + bytes.len());
        bytes.copy_from_slice(range.ok_or(NorFlashErrorKind::OutOfBounds)?);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for FileFlash {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        if self.step() {
            std::process::exit(CUT);
        }
        let (from, to) = (from as usize, to as usize);
        self.bytes
            .get_mut(from..to)
            .ok_or(NorFlashErrorKind::OutOfBounds)?
            .fill(0xFF);
        self.keep(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let from = offset as usize;
        if self.bytes.len() < from + bytes.len() {
            return Err(NorFlashErrorKind::OutOfBounds);
        }
        for (at, byte) in bytes.iter().enumerate() {
            if self.step() {
                self.keep(from, from + at)?;
                std::process::exit(CUT);
            }
            self.bytes[from + at] &= byte;
        }
        self.keep(from, from + bytes.len())
    }
}
