//! A log: entries that follow each other through two sectors; the newest one counts.
//!
//! An entry is written twice, one copy after the other, so that a flipped bit never makes
//! one unreadable, and a torn entry is told from a damaged one: of a torn one the second
//! copy is incomplete or blank, and the entry before it is untouched. When a sector is full
//! the next entry opens the other one, and only then is the first erased. At rest the
//! sector that is not in use is blank.

use super::Broken;
use embedded_storage::nor_flash::NorFlash;

/// Checksum, sequence number, length of the payload.
const HEADER: usize = 10;

const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// Where a log lies and how its entries look.
#[derive(Clone, Copy)]
pub(in crate::token) struct Log {
    /// First byte of the first sector.
    pub(super) start: u32,
    /// Bytes of a sector.
    pub(super) sector: u32,
    /// Bytes of one copy.
    pub(super) copy: u32,
    /// Bytes after the copies that are programmed one at a time.
    pub(super) marks: u32,
    /// Goes into each checksum, so that no log's entry is another's.
    pub(super) name: u8,
}

/// The newest entry of a log.
#[derive(Clone, Copy, Debug)]
pub(in crate::token) struct Found {
    /// Bytes of its payload.
    pub(in crate::token) len: usize,
    /// Its marks that are programmed, wholly or in part.
    pub(in crate::token) marks: u8,
    /// After it stands an entry of which neither copy is readable: it is not the newest.
    pub(in crate::token) damaged: bool,
    /// Both copies are readable.
    pub(in crate::token) whole: bool,
    sequence: u32,
    sector: u32,
    index: u32,
}

/// What stands in a log.
struct Scan {
    newest: Option<Found>,
    /// The last entry of each sector that is not blank.
    last: [Option<u32>; 2],
    /// Some entry of a sector without readable ones has two copies that are not blank.
    lost: bool,
}

enum Copy {
    Blank,
    Good { sequence: u32, len: usize },
    Bad,
}

impl Log {
    const fn entry(&self) -> u32 {
        2 * self.copy + self.marks
    }

    const fn entries(&self) -> u32 {
        self.sector / self.entry()
    }

    const fn at(&self, sector: u32, index: u32) -> u32 {
        self.start + sector * self.sector + index * self.entry()
    }

    /// Most bytes of a payload.
    pub(in crate::token) const fn capacity(&self) -> usize {
        self.copy as usize - HEADER
    }

    /// The newest entry, its payload at the front of `payload`. None: the log was never
    /// written to, or nothing in it is readable, which [`Log::is_lost`] tells apart.
    pub(in crate::token) fn newest<F: NorFlash>(
        &self,
        flash: &mut F,
        payload: &mut [u8],
    ) -> Result<Option<Found>, Broken> {
        let Some(found) = self.scan(flash)?.newest else {
            return Ok(None);
        };
        let at = self.at(found.sector, found.index);
        let target = payload.get_mut(..found.len).ok_or(Broken)?;
        for copy in [at, at + self.copy] {
            if matches!(self.copy(flash, copy)?, Copy::Good { .. }) {
                read(flash, copy + HEADER as u32, target)?;
                return Ok(Some(found));
            }
        }
        Err(Broken)
    }

    /// Whether the log has an entry that was completed and is not readable, and no readable one.
    pub(in crate::token) fn is_lost<F: NorFlash>(&self, flash: &mut F) -> Result<bool, Broken> {
        let scan = self.scan(flash)?;
        Ok(scan.newest.is_none() && scan.lost)
    }

    /// Writes an entry behind the newest one.
    pub(in crate::token) fn append<F: NorFlash>(
        &self,
        flash: &mut F,
        payload: &[u8],
    ) -> Result<(), Broken> {
        if payload.len() > self.capacity() {
            return Err(Broken);
        }
        let scan = self.scan(flash)?;
        let sequence = scan
            .newest
            .map_or(Some(1), |found| found.sequence.checked_add(1))
            .ok_or(Broken)?;
        // Without an entry in use, a blank sector is better than one that must be erased.
        let current = scan.newest.map(|found| found.sector).or(scan
            .last
            .iter()
            .position(Option::is_some)
            .map(|at| at as u32));
        let room = scan.newest.and_then(|found| {
            let next = scan.last[found.sector as usize].map_or(0, |last| last + 1);
            (next < self.entries()).then_some((found.sector, next))
        });
        let (sector, index) = room.unwrap_or((1 - current.unwrap_or(1), 0));
        if room.is_none() && scan.last[sector as usize].is_some() {
            self.erase(flash, sector)?;
        }
        self.program(flash, self.at(sector, index), sequence, payload)?;
        if room.is_none() && scan.last[1 - sector as usize].is_some() {
            self.erase(flash, 1 - sector)?;
        }
        Ok(())
    }

    /// Programs the first mark of the newest entry that is still blank.
    pub(in crate::token) fn mark<F: NorFlash>(
        &self,
        flash: &mut F,
        found: &Found,
    ) -> Result<(), Broken> {
        let first = self.at(found.sector, found.index) + 2 * self.copy;
        for at in first..first + self.marks {
            let mut byte = [0];
            read(flash, at, &mut byte)?;
            if byte == [0xFF] {
                flash.write(at, &[0]).map_err(|_| Broken)?;
                read(flash, at, &mut byte)?;
                return if byte == [0] { Ok(()) } else { Err(Broken) };
            }
        }
        Err(Broken)
    }

    /// After power-up: erases what an interrupted rollover left in the other sector.
    pub(in crate::token) fn tidy<F: NorFlash>(&self, flash: &mut F) -> Result<(), Broken> {
        let scan = self.scan(flash)?;
        if let Some(found) = scan.newest
            && scan.last[1 - found.sector as usize].is_some()
        {
            self.erase(flash, 1 - found.sector)?;
        }
        Ok(())
    }

    /// Erases both sectors and writes a first entry.
    pub(in crate::token) fn restart<F: NorFlash>(
        &self,
        flash: &mut F,
        payload: &[u8],
    ) -> Result<(), Broken> {
        for sector in 0..2 {
            self.erase(flash, sector)?;
        }
        self.program(flash, self.start, 1, payload)
    }

    fn erase<F: NorFlash>(&self, flash: &mut F, sector: u32) -> Result<(), Broken> {
        let from = self.start + sector * self.sector;
        flash.erase(from, from + self.sector).map_err(|_| Broken)
    }

    /// Both copies, one after the other; then they are read back.
    fn program<F: NorFlash>(
        &self,
        flash: &mut F,
        at: u32,
        sequence: u32,
        payload: &[u8],
    ) -> Result<(), Broken> {
        let mut header = [0u8; HEADER];
        header[4..8].copy_from_slice(&sequence.to_le_bytes());
        header[8..].copy_from_slice(&(payload.len() as u16).to_le_bytes());
        let mut digest = CRC.digest();
        digest.update(&[self.name]);
        digest.update(&header[4..]);
        digest.update(payload);
        header[..4].copy_from_slice(&digest.finalize().to_le_bytes());
        for copy in [at, at + self.copy] {
            flash.write(copy, &header).map_err(|_| Broken)?;
            flash
                .write(copy + HEADER as u32, payload)
                .map_err(|_| Broken)?;
            match self.copy(flash, copy)? {
                Copy::Good { sequence: read, .. } if read == sequence => {}
                _ => return Err(Broken),
            }
        }
        Ok(())
    }

    fn scan<F: NorFlash>(&self, flash: &mut F) -> Result<Scan, Broken> {
        let mut scan = Scan {
            newest: None,
            last: [None; 2],
            lost: false,
        };
        for sector in 0..2 {
            let mut damaged = false;
            // Sequence numbers grow along a sector: the last readable entry is its newest.
            for index in (0..self.entries()).rev() {
                let at = self.at(sector, index);
                if blank(flash, at, self.entry())? {
                    continue;
                }
                scan.last[sector as usize].get_or_insert(index);
                let copies = [self.copy(flash, at)?, self.copy(flash, at + self.copy)?];
                let good = copies.iter().find_map(|copy| match copy {
                    Copy::Good { sequence, len } => Some((*sequence, *len)),
                    _ => None,
                });
                let Some((sequence, len)) = good else {
                    damaged |= copies.iter().all(|copy| matches!(copy, Copy::Bad));
                    continue;
                };
                if scan.newest.is_none_or(|found| found.sequence < sequence) {
                    scan.newest = Some(Found {
                        len,
                        marks: self.marked(flash, at)?,
                        damaged,
                        whole: copies.iter().all(|copy| matches!(copy, Copy::Good { .. })),
                        sequence,
                        sector,
                        index,
                    });
                }
                damaged = false;
                break;
            }
            scan.lost |= damaged;
        }
        Ok(scan)
    }

    fn marked<F: NorFlash>(&self, flash: &mut F, at: u32) -> Result<u8, Broken> {
        let mut count = 0;
        for mark in 0..self.marks {
            let mut byte = [0xFF];
            read(flash, at + 2 * self.copy + mark, &mut byte)?;
            count += u8::from(byte != [0xFF]);
        }
        Ok(count)
    }

    fn copy<F: NorFlash>(&self, flash: &mut F, at: u32) -> Result<Copy, Broken> {
        let mut header = [0u8; HEADER];
        read(flash, at, &mut header)?;
        if header == [0xFF; HEADER] && blank(flash, at, self.copy)? {
            return Ok(Copy::Blank);
        }
        let [c0, c1, c2, c3, s0, s1, s2, s3, l0, l1] = header;
        let len = usize::from(u16::from_le_bytes([l0, l1]));
        if len > self.capacity() {
            return Ok(Copy::Bad);
        }
        let mut digest = CRC.digest();
        digest.update(&[self.name]);
        digest.update(&header[4..]);
        each(flash, at + HEADER as u32, len as u32, |chunk| {
            digest.update(chunk);
            true
        })?;
        Ok(
            if digest.finalize() == u32::from_le_bytes([c0, c1, c2, c3]) {
                Copy::Good {
                    sequence: u32::from_le_bytes([s0, s1, s2, s3]),
                    len,
                }
            } else {
                Copy::Bad
            },
        )
    }
}

fn read<F: NorFlash>(flash: &mut F, at: u32, bytes: &mut [u8]) -> Result<(), Broken> {
    flash.read(at, bytes).map_err(|_| Broken)
}

/// Shows the bytes of a range in chunks, as long as `show` wants more; whether it saw all.
fn each<F: NorFlash>(
    flash: &mut F,
    at: u32,
    len: u32,
    mut show: impl FnMut(&[u8]) -> bool,
) -> Result<bool, Broken> {
    let mut chunk = [0u8; 64];
    let mut done = 0;
    while done < len {
        let take = (len - done).min(chunk.len() as u32) as usize;
        read(flash, at + done, &mut chunk[..take])?;
        if !show(&chunk[..take]) {
            return Ok(false);
        }
        done += take as u32;
    }
    Ok(true)
}

fn blank<F: NorFlash>(flash: &mut F, at: u32, len: u32) -> Result<bool, Broken> {
    each(flash, at, len, |chunk| {
        chunk.iter().all(|byte| *byte == 0xFF)
    })
}
