//! UF2 files: what the bootloader of a board takes.

use sha2::{Digest, Sha256};

/// Where flash begins in the memory of both chips.
pub const FLASH: u32 = 0x1000_0000;
/// Bytes from there on that a program may take; keys lie behind it.
pub const PROGRAM_LEN: usize = 256 * 1024;
/// Bytes of a block of the file.
pub const BLOCK: usize = 512;
/// Bytes of the image in each.
pub const PAYLOAD: usize = 256;
/// The longest file of a program.
pub const MAX_LEN: usize = PROGRAM_LEN / PAYLOAD * BLOCK;

const MAGIC: [u32; 2] = [0x0A32_4655, 0x9E5D_5157];
const END: u32 = 0x0AB1_6F30;
/// The block names its family.
const WITH_FAMILY: u32 = 0x2000;

/// What the image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The chip of the Pico and the Pico W.
    Rp2040,
    /// The Arm cores of the Pico 2's chip, secure.
    Rp2350,
}

impl Family {
    /// All families.
    pub const ALL: [Family; 2] = [Family::Rp2040, Family::Rp2350];

    /// Its number in the file.
    pub fn id(self) -> u32 {
        match self {
            Family::Rp2040 => 0xE48B_FF56,
            Family::Rp2350 => 0xE48B_FF59,
        }
    }

    /// The chip, as a token says it.
    pub fn chip(self) -> &'static str {
        match self {
            Family::Rp2040 => "RP2040",
            Family::Rp2350 => "RP2350",
        }
    }

    /// What INFO_UF2.TXT calls the chip in its Board-ID.
    pub fn board_id(self) -> &'static str {
        match self {
            Family::Rp2040 => "RPI-RP2",
            Family::Rp2350 => "RP2350",
        }
    }
}

/// An image, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The family.
    pub family: Family,
    /// Where it begins in memory.
    pub start: u32,
    /// Whole pages.
    pub payload: Vec<u8>,
}

/// Why a file is no firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uf2Error {
    /// It has so many bytes, not whole blocks.
    Truncated(usize),
    /// More bytes than a program may take.
    TooLong(usize),
    /// It does not begin as a UF2 file does.
    NotUf2,
    /// This block is damaged.
    Block(usize),
    /// So many blocks are there of so many.
    Count(usize, usize),
    /// A family that no token has.
    Family(u32),
    /// This block is for another address than the one before it leads to.
    Address(usize, u32),
    /// It would be written from here to there, outside of the program's flash.
    Range(u64, u64),
}

impl std::fmt::Display for Uf2Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Uf2Error::Truncated(len) => {
                write!(
                    f,
                    "{len} bytes are not whole blocks of {BLOCK}: the file is truncated"
                )
            }
            Uf2Error::TooLong(len) => {
                write!(f, "{len} bytes are more than a firmware's {MAX_LEN}")
            }
            Uf2Error::NotUf2 => write!(f, "not a UF2 file"),
            Uf2Error::Block(block) => write!(f, "block {block} is damaged"),
            Uf2Error::Count(found, wanted) => {
                write!(f, "{found} of {wanted} blocks: the file is truncated")
            }
            Uf2Error::Family(id) => {
                write!(
                    f,
                    "family {id:#010x} is neither RP2040 nor RP2350 (Arm, secure)"
                )
            }
            Uf2Error::Address(block, address) => {
                write!(
                    f,
                    "block {block} goes to {address:#010x}, which is not where the last one ended"
                )
            }
            Uf2Error::Range(from, to) => write!(
                f,
                "it would be written to {from:#010x} up to {to:#010x}; a firmware lies at {FLASH:#010x} and has at most {PROGRAM_LEN} bytes"
            ),
        }
    }
}

impl std::error::Error for Uf2Error {}

impl Image {
    /// Reads a file, all of it or nothing, and checks that it stays in the program's flash.
    ///
    /// # Errors
    /// [`Uf2Error`].
    pub fn read(file: &[u8]) -> Result<Image, Uf2Error> {
        if file.len() > MAX_LEN {
            return Err(Uf2Error::TooLong(file.len()));
        }
        if file.len() < 8 || word(file, 0) != MAGIC[0] || word(file, 1) != MAGIC[1] {
            return Err(Uf2Error::NotUf2);
        }
        if !file.len().is_multiple_of(BLOCK) {
            return Err(Uf2Error::Truncated(file.len()));
        }
        let found = file.len() / BLOCK;
        let family = Family::ALL
            .into_iter()
            .find(|family| word(file, 2) & WITH_FAMILY != 0 && family.id() == word(file, 7))
            .ok_or(Uf2Error::Family(word(file, 7)))?;
        let start = word(file, 3);
        let wanted = word(file, 6) as usize;
        let mut payload = Vec::with_capacity(found * PAYLOAD);
        for (at, block) in file.chunks_exact(BLOCK).enumerate() {
            let whole = [word(block, 0), word(block, 1)] == MAGIC
                && word(block, 2) == WITH_FAMILY
                && word(block, 4) as usize == PAYLOAD
                && word(block, 5) as usize == at
                && word(block, 6) as usize == wanted
                && word(block, 7) == family.id()
                && word(block, BLOCK / 4 - 1) == END;
            if !whole {
                return Err(Uf2Error::Block(at));
            }
            let address = word(block, 3);
            if u64::from(address) != u64::from(start) + payload.len() as u64 {
                return Err(Uf2Error::Address(at, address));
            }
            payload.extend_from_slice(&block[32..32 + PAYLOAD]);
        }
        if found != wanted {
            return Err(Uf2Error::Count(found, wanted));
        }
        let image = Image {
            family,
            start,
            payload,
        };
        image.in_range()?;
        Ok(image)
    }

    /// The file. Pages are filled up with zeros.
    ///
    /// # Errors
    /// [`Uf2Error::Range`].
    pub fn write(&self) -> Result<Vec<u8>, Uf2Error> {
        self.in_range()?;
        let pages = self.payload.chunks(PAYLOAD);
        let count = pages.len() as u32;
        let mut file = Vec::with_capacity(pages.len() * BLOCK);
        for (page, at) in pages.zip(0u32..) {
            let head = [
                MAGIC[0],
                MAGIC[1],
                WITH_FAMILY,
                self.start + at * PAYLOAD as u32,
                PAYLOAD as u32,
                at,
                count,
                self.family.id(),
            ];
            let end = file.len() + BLOCK;
            head.iter()
                .for_each(|word| file.extend_from_slice(&word.to_le_bytes()));
            file.extend_from_slice(page);
            file.resize(end - 4, 0);
            file.extend_from_slice(&END.to_le_bytes());
        }
        Ok(file)
    }

    /// SHA-256 of the image, as the firmware computes it of itself.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.payload).into()
    }

    fn in_range(&self) -> Result<(), Uf2Error> {
        let to = u64::from(self.start) + self.payload.len() as u64;
        let end = u64::from(FLASH) + PROGRAM_LEN as u64;
        if self.start != FLASH || self.payload.is_empty() || to > end {
            return Err(Uf2Error::Range(self.start.into(), to));
        }
        Ok(())
    }
}

/// The word at this place of a block.
fn word(block: &[u8], at: usize) -> u32 {
    let bytes = block.get(at * 4..at * 4 + 4);
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(pages: usize) -> Image {
        Image {
            family: Family::Rp2040,
            start: FLASH,
            payload: (0..pages * PAYLOAD).map(|at| (at / 7) as u8).collect(),
        }
    }

    fn file() -> Vec<u8> {
        image(3).write().unwrap()
    }

    /// Reads the file with this word of this block changed.
    fn with(block: usize, at: usize, value: u32) -> Result<Image, Uf2Error> {
        let mut file = file();
        let place = block * BLOCK + at * 4;
        file[place..place + 4].copy_from_slice(&value.to_le_bytes());
        Image::read(&file)
    }

    #[test]
    fn what_is_written_is_read() {
        for family in Family::ALL {
            let image = Image { family, ..image(3) };
            let file = image.write().unwrap();
            assert_eq!(file.len(), 3 * BLOCK);
            assert_eq!(Image::read(&file), Ok(image));
        }
        assert_eq!(image(1024).write().unwrap().len(), MAX_LEN);
        assert!(matches!(image(1025).write(), Err(Uf2Error::Range(..))));
    }

    #[test]
    fn the_layout_is_microsofts() {
        let mut wanted = b"UF2\nWQ\x5D\x9E\x00\x20\x00\x00\x00\x01\x00\x10".to_vec();
        wanted
            .extend_from_slice(b"\x00\x01\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00\x56\xFF\x8B\xE4");
        assert_eq!(file()[BLOCK..BLOCK + 32], wanted);
        assert_eq!(file()[2 * BLOCK - 4..2 * BLOCK], *b"0o\xB1\x0A");
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        let file = file();
        assert_eq!(Image::read(&[]), Err(Uf2Error::NotUf2));
        assert_eq!(Image::read(b"%PDF-1.7 and more"), Err(Uf2Error::NotUf2));
        assert_eq!(Image::read(&file[..1_000]), Err(Uf2Error::Truncated(1_000)));
        assert_eq!(Image::read(&file[..BLOCK]), Err(Uf2Error::Count(1, 3)));
        let long = vec![0; MAX_LEN + 1];
        assert_eq!(Image::read(&long), Err(Uf2Error::TooLong(MAX_LEN + 1)));
        for (at, value) in [
            (0, 1),
            (1, 1),
            (2, 0x2001),
            (4, 476),
            (5, 2),
            (6, 4),
            (7, 1),
            (127, 1),
        ] {
            assert_eq!(with(1, at, value), Err(Uf2Error::Block(1)), "word {at}");
        }
    }

    #[test]
    fn what_is_for_other_chips_or_other_places_is_refused() {
        // Absolute, and RP2350's RISC-V cores.
        for id in [0xE48B_FF57, 0xE48B_FF5A, 0] {
            assert_eq!(with(0, 7, id), Err(Uf2Error::Family(id)));
        }
        assert_eq!(with(0, 2, 0), Err(Uf2Error::Family(Family::Rp2040.id())));
        assert_eq!(with(1, 3, FLASH), Err(Uf2Error::Address(1, FLASH)));
        let storage = FLASH + 0x1D_6000;
        assert_eq!(with(2, 3, storage), Err(Uf2Error::Address(2, storage)));
        let elsewhere = Image {
            start: storage,
            ..image(3)
        };
        assert!(matches!(elsewhere.write(), Err(Uf2Error::Range(..))));
        let mut moved = file();
        for block in 0..3u32 {
            let place = block as usize * BLOCK + 12;
            let address = storage + block * PAYLOAD as u32;
            moved[place..place + 4].copy_from_slice(&address.to_le_bytes());
        }
        let (from, to) = (u64::from(storage), u64::from(storage) + 768);
        assert_eq!(Image::read(&moved), Err(Uf2Error::Range(from, to)));
    }
}
