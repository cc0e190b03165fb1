//! The drives that boards are in their bootloader.

use super::image::Firmware;
use crate::error::Error;
use crate::output::clean_inline;
use nkey_agent::token::uf2::Family;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The file that tells such a drive. It names the chip, not the board.
const INFO: &str = "INFO_UF2.TXT";
/// The longest that is read.
const MAX_INFO: u64 = 4096;
/// The longest table of mounts, in bytes.
const MAX_MOUNTS: u64 = 4 * 1024 * 1024;

/// A drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its folder.
    pub dir: PathBuf,
    /// What its bootloader calls the chip.
    pub board_id: String,
}

impl Volume {
    /// Its folder and what it calls itself.
    pub fn shown(&self) -> String {
        format!(
            "{} ({})",
            clean_inline(&self.dir.display().to_string()),
            clean_inline(&self.board_id)
        )
    }

    /// That the firmware is for its chip.
    ///
    /// # Errors
    /// Names both.
    pub fn require(&self, firmware: &Firmware) -> Result<(), Error> {
        if self.board_id == firmware.board_id() {
            return Ok(());
        }
        let known = Family::ALL
            .iter()
            .find(|family| family.board_id() == self.board_id);
        let chip = known.map_or("no chip that can be a token", |family| family.chip());
        Err(Error::failed(format!(
            "the board at {} has {chip}, and {} is for {}: nothing was written",
            self.shown(),
            firmware.shown(),
            firmware.chip()
        )))
    }
}

/// The drives that are mounted, or the one in `dir`.
///
/// # Errors
/// If `dir` is none, or the table of mounts cannot be read.
pub fn find(dir: Option<&Path>, mounts: &Path) -> Result<Vec<Volume>, Error> {
    if let Some(dir) = dir {
        let volume = look(dir).ok_or_else(|| {
            Error::failed(format!(
                "{} has no {INFO}: it is not the drive of a board in its bootloader",
                clean_inline(&dir.display().to_string())
            ))
        })?;
        return Ok(vec![volume]);
    }
    let failed = |error| Error::failed(format!("cannot read {}: {error}", mounts.display()));
    let mut table = Vec::new();
    File::open(mounts)
        .and_then(|file| file.take(MAX_MOUNTS).read_to_end(&mut table))
        .map_err(failed)?;
    let mut volumes: Vec<Volume> = folders(&table).filter_map(|dir| look(&dir)).collect();
    volumes.dedup();
    Ok(volumes)
}

/// The only drive; none if there is none.
///
/// # Errors
/// If there are several.
pub fn only(volumes: &[Volume]) -> Result<Option<&Volume>, Error> {
    match volumes {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        several => {
            let all: Vec<String> = several.iter().map(Volume::shown).collect();
            Err(Error::usage(format!(
                "several boards are in their bootloader: {}: unplug all but one, or name its drive by --volume",
                all.join(", ")
            )))
        }
    }
}

/// What to do where there is none.
pub fn none(dev: &Path) -> Error {
    for family in Family::ALL {
        let link = dev.join("disk/by-label").join(family.board_id());
        if link.exists() {
            return Error::failed(format!(
                "a board with {} is in its bootloader, and its drive is not mounted",
                family.chip()
            ))
            .next(format!("udisksctl mount -b {}", link.display()));
        }
    }
    Error::failed(
        "no board is in its bootloader: hold BOOTSEL while you plug it in, mount its drive (RPI-RP2 or RP2350), and try again",
    )
}

/// The folders where drives with FAT are mounted: others could be far away and hang.
fn folders(table: &[u8]) -> impl Iterator<Item = PathBuf> + '_ {
    table.split(|byte| *byte == b'\n').filter_map(|line| {
        let mut fields = line.split(|byte| *byte == b' ');
        let dir = fields.nth(1)?;
        let kind = fields.next()?;
        matches!(kind, b"vfat" | b"msdos")
            .then(|| PathBuf::from(OsString::from_vec(unescaped(dir))))
    })
}

/// Blanks and others stand as three octal digits.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, more @ ..] = rest {
        let digits = more
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match byte {
            Some(byte) if *first == b'\\' => {
                bytes.push(byte);
                rest = &more[3..];
            }
            _ => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    bytes
}

fn look(dir: &Path) -> Option<Volume> {
    let mut text = Vec::new();
    let file = File::open(dir.join(INFO)).ok()?;
    file.take(MAX_INFO).read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let board_id = text
        .lines()
        .find_map(|line| line.strip_prefix("Board-ID:"))?
        .trim();
    Some(Volume {
        dir: dir.to_owned(),
        board_id: board_id.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_drives_with_fat_are_looked_at_and_their_names_may_have_blanks() {
        let table = b"/dev/sda1 /media/my\\040name/RPI-RP2 vfat rw 0 0\n\
            server:/x /mnt nfs rw 0 0\n\
            broken\n\
            /dev/sdb1 /a\\134b msdos rw 0 0\n";
        let found: Vec<PathBuf> = folders(table).collect();
        assert_eq!(
            found,
            [PathBuf::from("/media/my name/RPI-RP2"), "/a\\b".into()]
        );
        assert_eq!(unescaped(b"\\04"), b"\\04");
        assert_eq!(unescaped(b"\\999"), b"\\999");
        assert_eq!(unescaped(b"a\\400"), b"a\\400");
    }
}
