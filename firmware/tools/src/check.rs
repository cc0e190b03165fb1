//! What must be true of an image before it goes to a board.

use crate::boards::{Layout, MARK, MARK_LEN, STORAGE_LEN};
use crc::{CRC_32_MPEG_2, Crc};
use nkey_agent::token::uf2::{FLASH, Family, Image, PROGRAM_LEN};

/// Bytes of the RP2040's second stage, its checksum at the end.
const BOOT2: usize = 256;
/// Where the RP2350 looks for the definition of its image.
const DEFINITION_WITHIN: usize = 4096;
/// An executable for the secure Arm cores of the RP2350, as the only block of its loop.
const DEFINITION: [u32; 5] = [0xFFFF_DED3, 0x1021_0142, 0x0000_01FF, 0, 0xAB12_3579];
/// What a panic would say: its words and the place of one.
const DEBUG: [&str; 7] = [
    "panicked at",
    "src/",
    "/registry",
    "assertion ",
    "out of bounds",
    "attempt to ",
    "called `",
];
/// The least stack that an image must leave.
pub const STACK: u32 = 24 * 1024;

/// Bytes of memory from its beginning on.
fn ram(family: Family) -> u32 {
    match family {
        Family::Rp2040 => 264 * 1024,
        Family::Rp2350 => 520 * 1024,
    }
}

/// The family of a board.
///
/// # Errors
/// In words.
pub fn family(board: &Layout) -> Result<Family, String> {
    Family::ALL
        .into_iter()
        .find(|family| family.id() == board.family && family.chip() == board.chip)
        .ok_or(format!("{} has a family of its own", board.name))
}

/// Checks a flat image.
///
/// # Errors
/// In words.
pub fn image(board: &Layout, bytes: &[u8]) -> Result<(), String> {
    if bytes.len() > PROGRAM_LEN {
        return Err(format!(
            "size: {} bytes, {PROGRAM_LEN} are allowed",
            bytes.len()
        ));
    }
    let marks: Vec<&[u8]> = bytes
        .windows(MARK_LEN)
        .filter(|window| window.starts_with(MARK))
        .collect();
    if marks != [board.mark()] {
        return Err(format!("board: the image is not for {}", board.name));
    }
    for words in DEBUG {
        if bytes
            .windows(words.len())
            .any(|part| part == words.as_bytes())
        {
            return Err(format!("debug output: the image says {words:?}"));
        }
    }
    match family(board)? {
        Family::Rp2040 => {
            let sum = Crc::<u32>::new(&CRC_32_MPEG_2)
                .checksum(bytes.get(..BOOT2 - 4).unwrap_or_default());
            if word(bytes, BOOT2 - 4) != Some(sum) {
                return Err(
                    "second stage: its checksum is wrong, the boot ROM would not start it".into(),
                );
            }
            vectors(Family::Rp2040, bytes, BOOT2)
        }
        Family::Rp2350 => {
            let found = (0..DEFINITION_WITHIN - size_of_val(&DEFINITION))
                .step_by(4)
                .filter(|at| word(bytes, *at) == Some(DEFINITION[0]))
                .any(|at| {
                    (0..)
                        .zip(DEFINITION)
                        .all(|(step, wanted)| word(bytes, at + step * 4) == Some(wanted))
                });
            if !found {
                return Err("image definition: none within the first 4 KiB, the boot ROM would not start it".into());
            }
            vectors(Family::Rp2350, bytes, 0)
        }
    }
}

/// Checks the vector table: the stack in memory, and the code in the image.
fn vectors(family: Family, bytes: &[u8], table: usize) -> Result<(), String> {
    const RAM: u32 = 0x2000_0000;
    let stack = word(bytes, table).unwrap_or_default();
    if stack <= RAM || stack > RAM + ram(family) || !stack.is_multiple_of(8) {
        return Err(format!("stack pointer: {stack:#010x} is not in memory"));
    }
    let code = FLASH + table as u32 + 16 * 4..FLASH + bytes.len() as u32;
    // Reset, NMI and HardFault.
    for number in 1..=3 {
        let handler = word(bytes, table + number * 4).unwrap_or_default();
        if handler % 2 != 1 || !code.contains(&handler) {
            return Err(format!(
                "vector table: {handler:#010x} of vector {number} is no code of the image"
            ));
        }
    }
    Ok(())
}

/// Checks a UF2 file: the image for this board, and nowhere else.
///
/// # Errors
/// In words.
pub fn uf2(board: &Layout, file: &[u8], bytes: &[u8]) -> Result<(), String> {
    let wanted = family(board)?;
    let image = Image::read(file).map_err(|error| format!("UF2: {error}"))?;
    if image.family != wanted {
        return Err(format!(
            "family: {:#010x} is not {}",
            image.family.id(),
            board.chip
        ));
    }
    let storage = FLASH as usize + board.storage()..FLASH as usize + board.storage() + STORAGE_LEN;
    let end = image.start as usize + image.payload.len();
    if end > storage.start && (image.start as usize) < storage.end {
        return Err("storage: a block lies in the keys' range".into());
    }
    if image.payload != bytes {
        return Err("payload: not the image".into());
    }
    Ok(())
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}
